/* SPDX-License-Identifier: MIT */
#include "common/endorsement.h"

#include "common/keys.h"
#include "common/lines.h"
#include "protocol/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

static const struct slice name_space = {ENDORSEMENT_NAMESPACE, sizeof(ENDORSEMENT_NAMESPACE) - 1};

static const struct {
    struct slice word;
    unsigned perm;
} perms[] = {
    {SLICE("all"), PERM_ALL}, {SLICE("who"), PERM_WHO}, {SLICE("override"), PERM_OVERRIDE}};

#define PERMS (sizeof(perms) / sizeof(perms[0]))

/* ---- the statement, read --------------------------------------------------------------------- */

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
              (name.ptr[i] >= '0' && name.ptr[i] <= '9') ||
              (name.ptr[i] && strchr("._-", name.ptr[i]))))
            return false;
    return name.len >= 1 && name.len <= LIM_NAME;
}

static bool are_names(struct slice list, enum endorsement_kind kind)
{
    size_t n = 0;
    struct slice name;
    while (lines_entry(&list, &name))
        if (!is_name(name) || ++n > (kind == ENDORSEMENT_HOST ? ENDORSEMENT_HOSTS : 1))
            return false;
    return n > 0;
}

/* Decimal, no zero in front: one number has one form. */
static bool read_number(struct slice value, uint64_t *ret_number)
{
    return slice_number(value, UINT64_MAX, ret_number) && (value.len == 1 || value.ptr[0] != '0');
}

static bool read_time(struct slice value, int64_t *ret_time)
{
    uint64_t seconds;
    if (!read_number(value, &seconds) || seconds > INT64_MAX / 2)
        return false;
    *ret_time = (int64_t)seconds;
    return true;
}

/* Words of the table, each once and in its order; nothing is no word. */
bool endorsement_read_perm(struct slice value, unsigned *ret_perm)
{
    unsigned perm = 0;
    size_t next = 0;
    struct slice word, rest = value.len ? value : (struct slice){NULL, 0};
    while (lines_entry(&rest, &word)) {
        while (next < PERMS && !slice_eq(perms[next].word, word))
            next++;
        if (next == PERMS)
            return false;
        perm |= perms[next++].perm;
    }
    *ret_perm = perm;
    return true;
}

/* The next line's value behind `label`: one blank, except where nothing follows. */
static bool take_line(struct slice *rest, struct slice label, struct slice *ret_value)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : 0;
    struct slice value = {rest->ptr, len};
    if (!end || !slice_take(&value, label))
        return false;
    if (value.len && (value.len < 2 || value.ptr[0] != ' '))
        return false;
    *ret_value = slice_from(value, value.len ? 1 : 0);
    *rest = slice_from(*rest, len + 1);
    return true;
}

static bool take_kind(struct slice *rest, enum endorsement_kind *ret_kind)
{
    struct slice value;
    if (!take_line(rest, SLICE("kind:"), &value))
        return false;
    *ret_kind = slice_eq(value, SLICE("host")) ? ENDORSEMENT_HOST : ENDORSEMENT_USER;
    return *ret_kind == ENDORSEMENT_HOST || slice_eq(value, SLICE("user"));
}

static const char *read_statement(struct slice *rest, struct endorsement *e)
{
    struct slice value;
    if (!take_line(rest, name_space, &value) || value.len)
        return "the statement does not begin with the line " ENDORSEMENT_NAMESPACE;
    if (!take_kind(rest, &e->kind))
        return "the second line is neither `kind: user` nor `kind: host`";
    if (!take_line(rest, SLICE("key:"), &value) || key_parse(value, &e->key) < 0)
        return "the third line is not `key: ` and a key, x25519: and 43 characters";
    if (!take_line(rest, SLICE("name:"), &e->names) || !are_names(e->names, e->kind))
        return "the fourth line is not `name: ` and 1 to 64 of a-z 0-9 . _ - (a host: up to 8 "
               "such)";
    if (!take_line(rest, SLICE("serial:"), &value) || !read_number(value, &e->serial))
        return "the fifth line is not `serial: ` and a number";
    if (!take_line(rest, SLICE("after:"), &value) || !read_time(value, &e->after))
        return "the sixth line is not `after: ` and seconds since 1970";
    if (!take_line(rest, SLICE("before:"), &value) || !read_time(value, &e->before))
        return "the seventh line is not `before: ` and seconds since 1970";
    if (e->before <= e->after)
        return "its time ends before it begins";
    if (!take_line(rest, SLICE("perm:"), &value) || !endorsement_read_perm(value, &e->perm))
        return "the eighth line is not `perm:` and some of all,who,override in this order";
    return NULL;
}

int endorsement_parse(struct slice text, struct endorsement *ret_endorsement, size_t *ret_len,
                      const char **ret_reason)
{
    struct endorsement e = {0};
    struct slice rest = text;
    const char *reason = read_statement(&rest, &e);
    if (reason) {
        *ret_reason = reason;
        return -EBADMSG;
    }
    *ret_endorsement = e;
    *ret_len = text.len - rest.len;
    return 0;
}

/* ---- and written ----------------------------------------------------------------------------- */

static void write_perm(unsigned set, char out[static 32])
{
    *out = '\0';
    for (size_t i = 0; i < PERMS; i++)
        if (set & perms[i].perm)
            sprintf(out + strlen(out), "%c%s", *out ? ',' : ' ', perms[i].word.ptr);
}

int endorsement_format(const struct endorsement *e, char out[static ENDORSEMENT_STATEMENT])
{
    char key[KEY_TEXT_LEN + 1], perm[32];
    struct endorsement back;
    const char *reason;
    size_t len = 0;
    key_format(&e->key, key);
    write_perm(e->perm, perm);
    int n = snprintf(out, ENDORSEMENT_STATEMENT,
                     ENDORSEMENT_NAMESPACE "\nkind: %s\nkey: %s\nname: %.*s\nserial: %" PRIu64
                                           "\nafter: %" PRId64 "\nbefore: %" PRId64 "\nperm:%s\n",
                     e->kind == ENDORSEMENT_HOST ? "host" : "user", key, (int)e->names.len,
                     e->names.ptr ? e->names.ptr : "", e->serial, e->after, e->before, perm);
    if (n < 0 || n >= ENDORSEMENT_STATEMENT ||
        endorsement_parse((struct slice){out, (size_t)n}, &back, &len, &reason) < 0 ||
        len != (size_t)n)
        return -EINVAL;
    return n;
}

/* ---- with its envelope ----------------------------------------------------------------------- */

int endorsement_open(struct slice entry, struct endorsed *ret_endorsed, const char **ret_reason)
{
    struct endorsed endorsed;
    size_t len = 0;
    int r = endorsement_parse(entry, &endorsed.is, &len, ret_reason);
    if (r == 0)
        r = sshsig_parse(slice_from(entry, len), name_space, &endorsed.sig, ret_reason);
    if (r < 0)
        return r;
    endorsed.statement = (struct slice){entry.ptr, len};
    *ret_endorsed = endorsed;
    return 0;
}

int endorsement_next(struct slice *text, uint8_t ret_entry[static LIM_ENDORSEMENT], size_t *ret_len,
                     const char **ret_reason)
{
    uint8_t envelope[SSHSIG_MAX];
    struct endorsement e;
    struct sshsig sig;
    size_t len = 0, envelope_len = 0, taken = 0;
    while (text->len && text->ptr[0] == '\n')
        *text = slice_from(*text, 1);
    if (text->len == 0)
        return 0;
    if (endorsement_parse(*text, &e, &len, ret_reason) < 0)
        return -EBADMSG;
    *ret_reason = "no armoured signature of ssh behind the statement";
    if (sshsig_dearmor(slice_from(*text, len), envelope, &envelope_len, &taken) < 0)
        return -EBADMSG;
    if (sshsig_parse((struct slice){(const char *)envelope, envelope_len}, name_space, &sig,
                     ret_reason) < 0)
        return -EBADMSG;
    memcpy(ret_entry, text->ptr, len);
    memcpy(ret_entry + len, envelope, envelope_len);
    *ret_len = len + envelope_len;
    *text = slice_from(*text, len + taken);
    return 1;
}

/* ---- what is judged of it -------------------------------------------------------------------- */

int endorsement_time(const struct endorsement *endorsement, int64_t now_s)
{
    if (now_s < endorsement->after - ENDORSEMENT_TOLERANCE)
        return -EAGAIN;
    return now_s > endorsement->before + ENDORSEMENT_TOLERANCE ? -ETIME : 0;
}

bool endorsement_names(const struct endorsement *endorsement, struct slice name)
{
    struct slice rest = endorsement->names, entry;
    while (lines_entry(&rest, &entry))
        if (slice_eq(entry, name))
            return true;
    return false;
}

static void hash(const struct endorsed *endorsed, uint8_t out[static 32])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)&endorsed->sig, sizeof(endorsed->sig));
    crypto_generichash_update(&state, (const uint8_t *)endorsed->statement.ptr,
                              endorsed->statement.len);
    crypto_generichash_final(&state, out, 32);
}

bool endorsement_verify(const struct endorsed *endorsed, struct endorsement_cache *cache)
{
    uint8_t wanted[32];
    if (!cache)
        return sshsig_verify(&endorsed->sig, name_space, endorsed->statement);
    hash(endorsed, wanted);
    uint8_t *slot = cache->hashes[(wanted[0] | wanted[1] << 8) % ENDORSEMENT_CACHE];
    if (memcmp(slot, wanted, sizeof(wanted)) == 0)
        return true;
    if (!sshsig_verify(&endorsed->sig, name_space, endorsed->statement))
        return false;
    memcpy(slot, wanted, sizeof(wanted));
    return true;
}
