/* SPDX-License-Identifier: MIT */
/*
 * What the presenter keeps of root: CAP_SETUID and CAP_SETGID to become a user in a child, CAP_KILL
 * to end such a child, and the group tty, which may write to the terminals of those who let it. It
 * stays uid 0, without the power over files that goes with it. An ordinary user keeps no more than
 * those three either.
 */
#ifndef MSG_DAEMON_PRESENT_PRIVILEGES_H
#define MSG_DAEMON_PRESENT_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Drops the rest, for good; no_new_privs in any case. 0, or negative with *ret_step, a literal:
 * what failed. *ret_override is whether other users can still be become.
 */
int privileges_drop(gid_t tty, bool *ret_override, const char **ret_step);

#endif
