/* SPDX-License-Identifier: MIT */
#include "client/ca_list.h"

#include "common/keys.h"

#include <errno.h>

/* NULL, or why it is none. What a statement cannot say is left to endorsement_format(). */
static const char *read_line(struct slice line, struct endorsement *e)
{
    struct slice kind, key, perm = {NULL, 0};
    if (!lines_field(&line, &kind) ||
        !(slice_eq(kind, SLICE("user")) || slice_eq(kind, SLICE("host"))))
        return "the line begins with neither user nor host";
    e->kind = slice_eq(kind, SLICE("host")) ? ENDORSEMENT_HOST : ENDORSEMENT_USER;
    if (!lines_field(&line, &e->names))
        return "no name";
    if (!lines_field(&line, &key) || key_parse(key, &e->key) < 0)
        return "no key behind the name, x25519: and 43 characters";
    if (lines_field(&line, &perm) && e->kind == ENDORSEMENT_HOST)
        return "a host has no rights";
    if (!endorsement_read_perm(perm, &e->perm))
        return "the rights are some of all,who,override in this order";
    return line.len ? "more than name, key and rights" : NULL;
}

int ca_list_next(struct lines *lines, struct endorsement *ret_endorsement, const char **ret_reason)
{
    char statement[ENDORSEMENT_STATEMENT];
    struct endorsement e = {.after = 0, .before = 1};
    struct slice line;
    if (!lines_next(lines, &line, ret_reason))
        return *ret_reason ? -EBADMSG : 0;
    *ret_reason = read_line(line, &e);
    if (!*ret_reason && endorsement_format(&e, statement) < 0)
        *ret_reason = "a name is 1 to 64 of a-z 0-9 . _ - (a host: up to 8 such, parted by commas)";
    if (*ret_reason)
        return -EBADMSG;
    *ret_endorsement = e;
    return 1;
}
