/* SPDX-License-Identifier: MIT */
/*
 * Who a local uid is, and who is in a group, asked outside the loop: a directory server that is
 * down takes half a minute. After LIM_LOOKUP the answer is `uid 1000`, and nothing else is known. A
 * name is kept for some minutes, failures too; what rights follow from, for LIM_FILE_RECHECK.
 */
#ifndef MSG_DAEMON_NET_USERS_H
#define MSG_DAEMON_NET_USERS_H

#include "daemon/net_members.h"
#include "protocol/limits.h"

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#define USER_LABEL (LIM_NAME + 1)

struct users;
struct user_query;

enum users_what { USERS_NAME, USERS_GROUPS, USERS_MEMBERS };

struct user_facts {
    char name[USER_LABEL]; /* `uid 1000` if there is none that can be shown */
    bool answered;         /* the name service has: the rest is true */
    bool exists;           /* and has such a name */
    gid_t *groups;         /* USERS_GROUPS: the primary one among them */
    size_t n_groups;
    struct members *members; /* USERS_MEMBERS, where it has answered: that alone is known */
};

/* What it is given is valid during the call. */
typedef void user_answer_fn(void *context, const struct user_facts *facts);

int users_new(struct users **ret_users, uv_loop_t *loop);
/* Asks; the answer comes once, at once if it is known. NULL: it has come already. */
struct user_query *users_ask(struct users *users, uint32_t uid, enum users_what what,
                             user_answer_fn *answer, void *context);
/* Likewise, who is in a group. */
struct user_query *users_ask_group(struct users *users, struct slice group, user_answer_fn *answer,
                                   void *context);
/* The asker has gone: no answer will come. */
void users_forget(struct user_query *query);
/* True if a look-up still hangs in the name service: the process cannot wait for it. */
bool users_busy(const struct users *users);
/* Forgets everybody; memory goes with the last look-up. */
void users_free(struct users *users);

#endif
