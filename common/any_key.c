/* SPDX-License-Identifier: MIT */
#include "common/any_key.h"

#include "common/keys.h"
#include "common/lines.h"

#include <errno.h>

struct any_key any_key_static(const struct noise_public *key)
{
    struct any_key any = {.kind = ANY_KEY_STATIC};

    memcpy(any.bytes, key->bytes, sizeof(any.bytes));
    return any;
}

struct any_key any_key_ssh(const struct ssh_key *key)
{
    struct any_key any = {.kind = ANY_KEY_SSH};

    memcpy(any.bytes, key->bytes, sizeof(any.bytes));
    return any;
}

struct noise_public any_key_to_static(const struct any_key *key)
{
    struct noise_public public;

    memcpy(public.bytes, key->bytes, sizeof(public.bytes));
    return public;
}

static int take_ssh(struct slice type, struct slice *rest, struct any_key *ret_key)
{
    struct slice base64 = {NULL, 0};
    struct ssh_key ssh;

    lines_field(rest, &base64);
    int r = ssh_key_parse(type, base64, &ssh);
    if (r == 0)
        *ret_key = any_key_ssh(&ssh);
    return r;
}

int any_key_take(struct slice *line, struct any_key *ret_key)
{
    struct slice rest = *line, field;
    struct noise_public key;
    int r;

    if (!lines_field(&rest, &field))
        return -EBADMSG;
    if (ssh_key_is_type(field)) {
        r = take_ssh(field, &rest, ret_key);
    } else {
        r = key_parse(field, &key);
        if (r == 0)
            *ret_key = any_key_static(&key);
    }
    if (r == 0)
        *line = rest;
    return r;
}

void any_key_format(const struct any_key *key, char out[static ANY_KEY_TEXT_LEN + 1])
{
    struct noise_public key_of_noise = any_key_to_static(key);
    struct ssh_key ssh;

    memcpy(ssh.bytes, key->bytes, sizeof(ssh.bytes));
    if (key->kind == ANY_KEY_SSH)
        ssh_key_format(&ssh, out);
    else
        key_format(&key_of_noise, out);
}

int any_key_compare(const struct any_key *a, const struct any_key *b)
{
    return memcmp(a, b, sizeof(*a));
}
