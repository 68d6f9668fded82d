/* SPDX-License-Identifier: MIT */
/*
 * Who is in a group of this host, for to=%GROUP of authorized_keys: whom the group lists, and whose
 * primary group it is. members_look_up() asks the name service and is for a thread; the rest is
 * pure, and for the loop, where what was found is shared by those who asked for it.
 */
#ifndef MSG_DAEMON_NET_MEMBERS_H
#define MSG_DAEMON_NET_MEMBERS_H

#include "common/authorized_keys.h"

#include <sys/types.h>

struct members {
    unsigned shares;
    char group[LIM_NAME + 1];
    bool exists; /* else nobody is in it */
    gid_t gid;
    size_t n;
    char **names; /* sorted, and so what the group lists */
};

/* Of one key's groups, as far as the name service was asked. */
struct members_list {
    struct members *items[AUTHORIZED_GROUPS];
    size_t n;
};

/* 0; -EAGAIN: the name service does not say; -E2BIG: more than msgd keeps; -ENOMEM. */
int members_look_up(const char *group, struct members **ret_members);
struct members *members_share(struct members *members);
void members_unshare(struct members *members); /* NULL is allowed */

/* NULL: that group was not asked for. */
const struct members *members_find(const struct members_list *list, struct slice group);
/* Takes a share; what the list has no room for is left out. */
void members_add(struct members_list *list, struct members *members);
void members_end(struct members_list *list);

/*
 * Whether a group that to= names has this user. gid: his primary group; NULL: not known. A group
 * that was not asked for has nobody.
 */
bool members_reach(const struct members_list *list, const struct authorized_key *key,
                   struct slice user, const gid_t *gid);

#endif
