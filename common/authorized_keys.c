/* SPDX-License-Identifier: MIT */
#include "common/authorized_keys.h"

#include "common/cidr.h"
#include "common/date.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/pattern.h"
#include "common/text.h"

#define CONSOLE "session:console"
#define CA      "ca:"

/* An option's value into the line; 0, or -EBADMSG with what the value should have been. */
typedef int (*option_reader)(struct slice value, struct authorized_key *key,
                             const char **ret_expected);

static bool is_group(struct slice entry)
{
    return entry.len > 0 && entry.ptr[0] == '%';
}

static bool is_receiver(struct slice entry)
{
    return is_group(entry) ? text_is_name(slice_from(entry, 1))
                           : text_is_name(entry) || slice_eq(entry, SLICE(CONSOLE));
}

static int read_to(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    struct slice rest = value, entry;
    size_t groups = 0;
    *ret_expected = "user names, %groups (at most 16) and session:console, separated by commas";
    while (lines_entry(&rest, &entry)) {
        groups += is_group(entry);
        if (!is_receiver(entry) || groups > AUTHORIZED_GROUPS)
            return -EBADMSG;
    }
    key->to = value;
    return 0;
}

static int read_from(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    struct slice rest = value, entry;
    struct cidr cidr;
    *ret_expected = "networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas";
    while (lines_entry(&rest, &entry))
        if (cidr_parse(entry, &cidr) < 0)
            return -EBADMSG;
    key->from = value;
    return 0;
}

static int read_rate(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    uint64_t rate;
    *ret_expected = "a number from 1 to 1000000";
    if (!slice_number(value, AUTHORIZED_RATE_MAX, &rate) || value.ptr[0] == '0')
        return -EBADMSG;
    key->rate = (uint32_t)rate;
    return 0;
}

static int read_expires(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    *ret_expected = "a date such as 2027-12-31";
    return date_parse_end(value, &key->expires);
}

static int read_names(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    *ret_expected = "names and patterns such as alice,*.ops, of a-z 0-9 . _ - * ?";
    key->names = value;
    return patterns_valid(value) ? 0 : -EBADMSG;
}

static int read_all(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    (void)value, (void)ret_expected;
    key->all = true;
    return 0;
}

static int read_who(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    (void)value, (void)ret_expected;
    key->who = true;
    return 0;
}

static int read_override(struct slice value, struct authorized_key *key, const char **ret_expected)
{
    (void)value, (void)ret_expected;
    key->override = true;
    return 0;
}

/* A name that ends with = takes a value. */
static const struct {
    struct slice name;
    option_reader read;
} options[] = {
    {SLICE("to="), read_to},
    {SLICE("from="), read_from},
    {SLICE("rate="), read_rate},
    {SLICE("expires="), read_expires},
    {SLICE("all"), read_all},
    {SLICE("who"), read_who},
    {SLICE("override"), read_override},
    {SLICE("names="), read_names},
};

static bool is_option(size_t index, struct slice field)
{
    struct slice name = options[index].name;
    bool valued = name.ptr[name.len - 1] == '=';
    return valued ? slice_begins(field, name) : slice_eq(field, name);
}

static int read_option(struct slice field, struct authorized_key *key, unsigned *seen,
                       struct diag *ret_diag)
{
    const char *expected = "";
    size_t i = 0;
    while (i < ARRAY_SIZE(options) && !is_option(i, field))
        i++;
    if (i == ARRAY_SIZE(options))
        return diag_set(ret_diag, -EBADMSG, "unknown option `%.*s`", (int)field.len, field.ptr);
    if (*seen & 1u << i)
        return diag_set(ret_diag, -EBADMSG, "option `%.*s` is there twice",
                        (int)options[i].name.len, options[i].name.ptr);
    *seen |= 1u << i;
    if (options[i].read(slice_from(field, options[i].name.len), key, &expected) < 0)
        return diag_set(ret_diag, -EBADMSG, "`%.*s` wants %s", (int)options[i].name.len,
                        options[i].name.ptr, expected);
    return 0;
}

/* `ca:` stands directly before the key of an organisation. */
static bool take_ca(struct slice *line)
{
    struct slice rest = *line;
    if (!slice_take(&rest, SLICE(CA)) || rest.len == 0 || strchr(" \t", rest.ptr[0]))
        return false;
    *line = rest;
    return true;
}

static int read_key(struct slice *line, struct authorized_key *key, struct diag *ret_diag)
{
    key->ca = take_ca(line);
    int r = any_key_take(line, &key->key);
    if (r == -ENOTSUP)
        return diag_set(ret_diag, -EBADMSG,
                        "of the keys of ssh only ssh-ed25519 can serve; its owner can give "
                        "the key that `msgctl key` prints");
    if (r < 0)
        return diag_set(ret_diag, -EBADMSG,
                        "the line does not begin with a key: x25519: and 43 characters, or "
                        "ssh-ed25519 and 68 characters, before which ca: may stand");
    if (key->ca && key->key.kind != ANY_KEY_SSH)
        return diag_set(ret_diag, -EBADMSG, "an organisation's key (ca:) is an ssh-ed25519 key");
    return 0;
}

/* A forgotten name must not make an option the name. */
static int read_name(struct slice name, struct authorized_key *key, struct diag *ret_diag)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (is_option(i, name))
            return diag_set(ret_diag, -EBADMSG, "no name behind the options");
    if (!text_is_name(name))
        return diag_set(ret_diag, -EBADMSG, "the name `%.*s` is not 1 to 64 of A-Z a-z 0-9 . _ @ -",
                        (int)name.len, name.ptr);
    memcpy(key->name, name.ptr, name.len);
    key->name[name.len] = '\0';
    return 0;
}

int authorized_key_parse(struct slice line, struct authorized_key *ret_key, struct diag *ret_diag)
{
    struct authorized_key key = {0};
    struct slice field, next;
    unsigned seen = 0;
    int r = read_key(&line, &key, ret_diag);
    if (r < 0)
        return r;
    if (!lines_field(&line, &field))
        return diag_set(ret_diag, -EBADMSG, "no name behind the key");
    for (; lines_field(&line, &next); field = next) {
        r = read_option(field, &key, &seen, ret_diag);
        if (r < 0)
            return r;
    }
    if (key.ca != (key.names.ptr != NULL))
        return diag_set(ret_diag, -EBADMSG,
                        key.ca ? "an organisation's key (ca:) wants names=, whom it may endorse"
                               : "names= is for an organisation's key (ca:) only");
    r = read_name(field, &key, ret_diag);
    if (r == 0)
        *ret_key = key;
    return r;
}

static int append(struct authorized_keys *keys, size_t *capacity, const struct authorized_key *key)
{
    if (keys->count == *capacity) {
        size_t more = *capacity ? *capacity * 2 : 16;
        struct authorized_key *grown = reallocarray(keys->keys, more, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        keys->keys = grown;
        *capacity = more;
    }
    keys->keys[keys->count++] = *key;
    return 0;
}

static int read_lines(struct authorized_keys *keys, size_t len, size_t *ret_line,
                      struct diag *ret_diag)
{
    struct lines lines = {.rest = {keys->text, len}};
    struct slice line;
    const char *reason;
    size_t capacity = 0;
    while (lines_next(&lines, &line, &reason)) {
        struct authorized_key key;
        *ret_line = lines.number;
        int r = authorized_key_parse(line, &key, ret_diag);
        if (r < 0)
            return r;
        key.line = lines.number;
        r = append(keys, &capacity, &key);
        if (r < 0)
            return diag_set(ret_diag, r, "no memory");
    }
    *ret_line = lines.number;
    return reason ? diag_set(ret_diag, -EBADMSG, "%s", reason) : 0;
}

static int compare(const void *a, const void *b)
{
    const struct authorized_key *left = a, *right = b;
    return any_key_compare(&left->key, &right->key);
}

/* Two lines with one key would leave it open which rights hold. */
static int sort(struct authorized_keys *keys, size_t *ret_line, struct diag *ret_diag)
{
    if (keys->count > 1)
        qsort(keys->keys, keys->count, sizeof(*keys->keys), compare);
    for (size_t i = 1; i < keys->count; i++) {
        const struct authorized_key *a = &keys->keys[i - 1], *b = &keys->keys[i];
        if (compare(a, b) != 0)
            continue;
        *ret_line = a->line > b->line ? a->line : b->line;
        return diag_set(ret_diag, -EBADMSG, "the key is also in line %zu",
                        a->line < b->line ? a->line : b->line);
    }
    return 0;
}

int authorized_keys_parse(const char *file, struct slice text, struct authorized_keys *ret_keys,
                          struct diag *ret_diag)
{
    struct authorized_keys keys = {.text = malloc(text.len + 1)};
    struct diag why;
    size_t line = 0;
    if (!keys.text)
        return diag_errno(ret_diag, -ENOMEM, file);
    memcpy(keys.text, text.len ? text.ptr : "", text.len);
    int r = read_lines(&keys, text.len, &line, &why);
    r = r < 0 ? r : sort(&keys, &line, &why);
    if (r < 0) {
        authorized_keys_free(&keys);
        return diag_set(ret_diag, r, "%s:%zu: %.900s", file, line, why.text);
    }
    *ret_keys = keys;
    return 0;
}

void authorized_keys_free(struct authorized_keys *keys)
{
    free(keys->keys);
    free(keys->text);
    *keys = (struct authorized_keys){0};
}

const struct authorized_key *authorized_keys_find(const struct authorized_keys *keys,
                                                  const struct any_key *key)
{
    const struct authorized_key wanted = {.key = *key};
    if (keys->count == 0)
        return NULL;
    return bsearch(&wanted, keys->keys, keys->count, sizeof(wanted), compare);
}

bool authorized_key_from(const struct authorized_key *key, const struct sockaddr *address)
{
    struct slice rest = key->from, entry;
    struct cidr cidr;
    while (lines_entry(&rest, &entry))
        if (cidr_parse(entry, &cidr) == 0 && cidr_holds(&cidr, address))
            return true;
    return !key->from.ptr;
}

bool authorized_key_expired(const struct authorized_key *key, int64_t now_s)
{
    return key->expires != 0 && now_s >= key->expires;
}

bool authorized_key_reaches(const struct authorized_key *key, struct slice user, bool console)
{
    struct slice rest = key->to, entry;
    while (lines_entry(&rest, &entry))
        if ((slice_eq(entry, user) && !is_group(entry)) ||
            (console && slice_eq(entry, SLICE(CONSOLE))))
            return true;
    return !key->to.ptr;
}

bool authorized_key_group(const struct authorized_key *key, size_t index, struct slice *ret_group)
{
    struct slice rest = key->to, entry;
    while (lines_entry(&rest, &entry)) {
        if (is_group(entry) && index-- == 0) {
            *ret_group = slice_from(entry, 1);
            return true;
        }
    }
    return false;
}

/* A pattern was written with people in mind; who means root says so. */
bool authorized_key_endorses(const struct authorized_key *key, struct slice name)
{
    return slice_eq(name, SLICE("root")) ? patterns_have(key->names, name)
                                         : patterns_match(key->names, name);
}
