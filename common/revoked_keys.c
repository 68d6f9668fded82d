/* SPDX-License-Identifier: MIT */
#include "common/revoked_keys.h"

#include "common/keys.h"
#include "common/lines.h"
#include "common/mem.h"

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, NOISE_KEY);
}

static int append(struct revoked_keys *keys, const struct noise_public *key)
{
    bool full = (keys->count & (keys->count - 1)) == 0; /* grows at each power of two */
    if (full) {
        size_t more = keys->count ? keys->count * 2 : 1;
        struct noise_public *grown = reallocarray(keys->keys, more, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        keys->keys = grown;
    }
    keys->keys[keys->count++] = *key;
    return 0;
}

static int read_lines(struct revoked_keys *keys, struct lines *lines, const char **ret_reason)
{
    struct slice line, field;
    struct noise_public key;
    while (lines_next(lines, &line, ret_reason)) {
        *ret_reason = "the line does not begin with a key, x25519: and 43 characters";
        if (!lines_field(&line, &field) || key_parse(field, &key) < 0)
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

bool revoked_keys_hold(const struct revoked_keys *keys, const struct noise_public *key)
{
    return keys->count && bsearch(key, keys->keys, keys->count, sizeof(*key), compare) != NULL;
}
