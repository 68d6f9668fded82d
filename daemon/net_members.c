/* SPDX-License-Identifier: MIT */
#include "daemon/net_members.h"

#include "common/mem.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>

#define FIRST 16384
#define MOST  (1 << 20) /* bytes of a group's entry */

/* ---- in a thread ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int copy_names(struct members *members, char *const *names)
{
    size_t n = 0;

    while (names[n])
        n++;
    members->names = calloc(n > 0 ? n : 1, sizeof(*members->names));
    if (!members->names)
        return -ENOMEM;
    for (; members->n < n; members->n++) {
        members->names[members->n] = strdup(names[members->n]);
        if (!members->names[members->n])
            return -ENOMEM;
    }
    qsort(members->names, n, sizeof(*members->names), by_name);
    return 0;
}

/* Its entry, in a buffer that grows to what it needs. */
static int ask(const char *group, struct members *members)
{
    CLEANUP_FREE char *buffer = NULL;
    struct group entry, *found = NULL;
    size_t size = FIRST / 2;
    int r = ERANGE;

    while (r == ERANGE) {
        size *= 2;
        char *grown = size <= MOST ? realloc(buffer, size) : NULL;
        if (!grown)
            return size <= MOST ? -ENOMEM : -E2BIG;
        buffer = grown;
        r = getgrnam_r(group, &entry, buffer, size, &found);
    }
    if (r != 0)
        return -EAGAIN;
    members->exists = found;
    if (!found)
        return 0;
    members->gid = found->gr_gid;
    return copy_names(members, found->gr_mem);
}

int members_look_up(const char *group, struct members **ret_members)
{
    struct members *members = calloc(1, sizeof(*members));

    if (!members)
        return -ENOMEM;
    members->shares = 1;
    snprintf(members->group, sizeof(members->group), "%s", group);
    int r = ask(group, members);
    if (r < 0)
        members_unshare(members);
    else
        *ret_members = members;
    return r;
}

/* ---- on the loop ----------------------------------------------------------------------------- */

struct members *members_share(struct members *members)
{
    members->shares++;
    return members;
}

void members_unshare(struct members *members)
{
    if (!members || --members->shares > 0)
        return;
    for (size_t i = 0; i < members->n; i++)
        free(members->names[i]);
    free(members->names);
    free(members);
}

const struct members *members_find(const struct members_list *list, struct slice group)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_eq(slice_of(list->items[i]->group), group))
            return list->items[i];
    return NULL;
}

void members_add(struct members_list *list, struct members *members)
{
    if (list->n < AUTHORIZED_GROUPS)
        list->items[list->n++] = members_share(members);
}

void members_end(struct members_list *list)
{
    while (list->n > 0)
        members_unshare(list->items[--list->n]);
}

static bool lists(const struct members *members, struct slice user)
{
    char name[LIM_NAME + 1], *key = name;

    if (user.len > LIM_NAME)
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)user.len, user.ptr ? user.ptr : "");
    return strlen(name) == user.len &&
           bsearch(&key, members->names, members->n, sizeof(*members->names), by_name);
}

bool members_reach(const struct members_list *list, const struct authorized_key *key,
                   struct slice user, const gid_t *gid)
{
    struct slice group;

    for (size_t i = 0; authorized_key_group(key, i, &group); i++) {
        const struct members *members = members_find(list, group);
        if (members && members->exists && ((gid && *gid == members->gid) || lists(members, user)))
            return true;
    }
    return false;
}
