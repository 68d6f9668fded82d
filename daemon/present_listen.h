/* SPDX-License-Identifier: MIT */
/*
 * The listening socket of the boundary: one that systemd passes, or one made here, for one user.
 * One msgd at a time; whoever else connects is turned away.
 */
#ifndef MSG_DAEMON_PRESENT_LISTEN_H
#define MSG_DAEMON_PRESENT_LISTEN_H

#include <sys/types.h>

/* Who comes from another user namespace: nobody in particular, at either end. */
#define LISTEN_OVERFLOW_UID 65534

/* The socket that systemd passed: its descriptor, -ENOENT (none), -EINVAL (not such a socket). */
int listen_inherited(void);

/* Makes one at path, 0600 and uid's, in place of a stale one: its descriptor, or negative. */
int listen_at(const char *path, uid_t uid);

/*
 * Takes one connection: its descriptor; -EAGAIN; -EPERM with the other's uid in *ret_uid where that
 * is not `uid`; another errno.
 */
int listen_accept(int fd, uid_t uid, uid_t *ret_uid);

#endif
