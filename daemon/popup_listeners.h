/* SPDX-License-Identifier: MIT */
/*
 * Where a user's tmux servers listen that were told another place than their own folder in /tmp
 * (-S, TMUX_TMPDIR): found by his processes of that name, their descriptors and the kernel's table
 * of Unix sockets. Nobody's environment or arguments are read. A process may call itself anything:
 * each counts for its own user alone, and what sockets_add() refuses is not used.
 */
#ifndef MSG_DAEMON_POPUP_LISTENERS_H
#define MSG_DAEMON_POPUP_LISTENERS_H

#include "daemon/popup_sockets.h"
#include "protocol/slice.h"

#define LISTENERS_LINE 512 /* most bytes of a line that is read; the kernel's are of 170 */

/*
 * A line of /proc/net/unix, without its end. The path in it is its maker's, who may have put a
 * line's end there and after it what he liked. True, with number and path, for a stream socket that
 * listens, at an absolute path without control characters that fits into an address.
 */
bool listeners_line(struct slice line, uint64_t *ret_inode, struct slice *ret_path);

/* Adds those of this user, which is ours, as far as there is room. */
void listeners_add(uid_t uid, struct sockets *sockets);

#endif
