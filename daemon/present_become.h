/* SPDX-License-Identifier: MIT */
/*
 * A forked child becomes a user, for good: no supplementary group, no way back, no new privilege,
 * and until it executes something nobody traces it or dumps its core.
 * Or it gives up all power beyond its uid and groups.
 */
#ifndef MSG_DAEMON_PRESENT_BECOME_H
#define MSG_DAEMON_PRESENT_BECOME_H

#include <sys/types.h>

/* 0, or a negative errno: then the child must end. Already that user without privilege: 0. */
int become_user(uid_t uid, gid_t gid);

/* No capability any more: 0 or a negative errno. */
int become_powerless(void);

#endif
