/* SPDX-License-Identifier: MIT */
#include "daemon/net_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEW  32
#define MANY 65536 /* as many as the kernel lets a process have */

/* Few are in more groups than fit at first. */
static int ask(const struct stream *stream, gid_t **groups, size_t *n)
{
    int r = stream_peer_groups(stream, *groups, n);

    if (r != -ERANGE)
        return r;
    *n = MANY;
    gid_t *grown = reallocarray(*groups, MANY, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    *groups = grown;
    return stream_peer_groups(stream, grown, n);
}

int groups_of_peer(const struct stream *stream, gid_t primary, gid_t **ret_groups, size_t *ret_n)
{
    size_t n = FEW;
    gid_t *groups = calloc(n, sizeof(*groups)), *exact = NULL;
    int r = groups ? ask(stream, &groups, &n) : -ENOMEM;

    if (r == 0)
        exact = calloc(n + 1, sizeof(*exact));
    if (exact) {
        memcpy(exact, groups, n * sizeof(*exact));
        exact[n] = primary;
        *ret_groups = exact;
        *ret_n = n + 1;
    }
    free(groups);
    return r == 0 && !exact ? -ENOMEM : r;
}
