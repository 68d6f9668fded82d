/* SPDX-License-Identifier: MIT */
/*
 * A local uid's name, asked outside the loop: a directory server that is down takes half a minute.
 * After LIM_LOOKUP the answer is `uid 1000`. Answers are kept for some minutes, failures too.
 */
#ifndef MSG_DAEMON_NET_USERS_H
#define MSG_DAEMON_NET_USERS_H

#include "protocol/limits.h"

#include <stdbool.h>
#include <uv.h>

#define USER_LABEL (LIM_NAME + 1)

struct users;
struct user_query;

typedef void user_answer_fn(void *context, const char *name);

int users_new(struct users **ret_users, uv_loop_t *loop);
/* Asks; the answer comes once, at once if it is known. NULL: it has come already. */
struct user_query *users_ask(struct users *users, uint32_t uid, user_answer_fn *answer,
                             void *context);
/* The asker has gone: no answer will come. */
void users_forget(struct user_query *query);
/* True if a look-up still hangs in the name service: the process cannot wait for it. */
bool users_busy(const struct users *users);
/* Forgets everybody; memory goes with the last look-up. */
void users_free(struct users *users);

#endif
