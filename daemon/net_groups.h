/* SPDX-License-Identifier: MIT */
/* The groups of whoever is at the other end of a Unix socket, as the kernel had them then. */
#ifndef MSG_DAEMON_NET_GROUPS_H
#define MSG_DAEMON_NET_GROUPS_H

#include "common/stream.h"

/*
 * The supplementary ones, and the primary one behind them; *ret_groups is freed by the caller. 0 or
 * a negative errno.
 */
int groups_of_peer(const struct stream *stream, gid_t primary, gid_t **ret_groups, size_t *ret_n);

#endif
