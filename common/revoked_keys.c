/* SPDX-License-Identifier: MIT */
#include "common/revoked_keys.h"

#include "common/lines.h"
#include "common/mem.h"
#include "protocol/slice.h"

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct revoked));
}

static struct revoked serial_of(const struct any_key *signer, uint64_t serial)
{
    struct revoked revoked = {.key = *signer, .by_serial = 1};
    memcpy(revoked.serial, &serial, sizeof(serial));
    return revoked;
}

static int take_serial(struct slice *line, uint64_t *ret_serial)
{
    struct slice field;
    if (!lines_field(line, &field) || !slice_take(&field, SLICE("serial:")))
        return -EBADMSG;
    return slice_number(field, UINT64_MAX, ret_serial) ? 0 : -EBADMSG;
}

int revoked_take(struct slice *line, struct revoked *ret_revoked)
{
    struct slice rest = *line;
    struct any_key key;
    uint64_t serial = 0;
    bool by_serial = take_serial(&rest, &serial) == 0;
    if (!by_serial)
        rest = *line;
    if (any_key_take(&rest, &key) < 0 || (by_serial && key.kind != ANY_KEY_SSH))
        return -EBADMSG;
    *ret_revoked = by_serial ? serial_of(&key, serial) : (struct revoked){.key = key};
    *line = rest;
    return 0;
}

static int append(struct revoked_keys *keys, const struct revoked *key)
{
    bool full = (keys->count & (keys->count - 1)) == 0; /* grows at each power of two */
    if (full) {
        size_t more = keys->count ? keys->count * 2 : 1;
        struct revoked *grown = reallocarray(keys->keys, more, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        keys->keys = grown;
    }
    keys->keys[keys->count++] = *key;
    return 0;
}

static int read_lines(struct revoked_keys *keys, struct lines *lines, const char **ret_reason)
{
    struct slice line;
    struct revoked key;
    while (lines_next(lines, &line, ret_reason)) {
        *ret_reason = "the line does not begin with a key: x25519: and 43 characters, or "
                      "ssh-ed25519 and 68 characters, before which serial:N may stand";
        if (revoked_take(&line, &key) < 0)
            return -EBADMSG;
        *ret_reason = "no memory";
        if (append(keys, &key) < 0)
            return -ENOMEM;
    }
    return *ret_reason ? -EBADMSG : 0;
}

int revoked_keys_parse(const char *file, struct slice text, struct revoked_keys *ret_keys,
                       struct diag *ret_diag)
{
    struct revoked_keys keys = {0};
    struct lines lines = {.rest = text};
    const char *reason = NULL;
    int r = read_lines(&keys, &lines, &reason);
    if (r < 0) {
        revoked_keys_free(&keys);
        return diag_set(ret_diag, r, "%s:%zu: %s", file, lines.number, reason);
    }
    if (keys.count)
        qsort(keys.keys, keys.count, sizeof(*keys.keys), compare);
    *ret_keys = keys;
    return 0;
}

void revoked_keys_free(struct revoked_keys *keys)
{
    free(keys->keys);
    *keys = (struct revoked_keys){0};
}

bool revoked_keys_find(const struct revoked_keys *keys, const struct revoked *wanted)
{
    return keys->count && bsearch(wanted, keys->keys, keys->count, sizeof(*wanted), compare);
}

bool revoked_keys_hold(const struct revoked_keys *keys, const struct any_key *key)
{
    return revoked_keys_find(keys, &(struct revoked){.key = *key});
}

bool revoked_keys_hold_serial(const struct revoked_keys *keys, const struct any_key *signer,
                              uint64_t serial)
{
    struct revoked wanted = serial_of(signer, serial);
    return revoked_keys_find(keys, &wanted);
}
