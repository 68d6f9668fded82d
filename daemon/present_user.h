/* SPDX-License-Identifier: MIT */
/*
 * User names to ids. NSS is asked in a child without any capability, never in the loop: a directory
 * server that is down takes half a minute. Answers are kept for a while; one that is out of date
 * serves until the next has come, so that sessions do not flap while a server is away.
 * The cache owns its children and their answers.
 */
#ifndef MSG_DAEMON_PRESENT_USER_H
#define MSG_DAEMON_PRESENT_USER_H

#include "daemon/present_child.h"

#include <stdbool.h>

#define USER_KEPT_MS    60000 /* an answer, "no such user" too */
#define USER_RETRY_MS   5000  /* after no answer */
#define USER_CACHE_SIZE 8192  /* names; then it starts anew */

struct user_ids {
    uid_t uid;
    gid_t gid;
};

/* What the child says, in full: any other length, status or id is refused. */
struct user_answer {
    uint32_t found; /* 0 or 1 */
    uint32_t uid, gid;
};

struct user_cache;

/* on_answer is called whenever a name may have another answer than before. */
int user_cache_new(sd_event *event, void (*on_answer)(void *userdata), void *userdata,
                   struct user_cache **ret_cache);
void user_cache_free(struct user_cache *cache);

/* 0 with *ret_ids; -ENOENT: no such user; -EAGAIN: being asked; -ENODATA: nobody answered. */
int user_lookup(struct user_cache *cache, const char *name, uint64_t now_ms,
                struct user_ids *ret_ids);

/* The judge of the child's datagram: 0, -ENOENT, or -EBADMSG. */
int user_answer_read(const void *bytes, size_t len, struct user_ids *ret_ids);

/* True for what may stand in ut_user: printable, no blank, no slash or colon, no leading dash. */
bool user_is_name(const char *name);

#endif
