/* SPDX-License-Identifier: MIT */
/* The sockets msgd listens on: systemd's, and those of the configuration. */
#ifndef MSG_DAEMON_NET_LISTEN_H
#define MSG_DAEMON_NET_LISTEN_H

#include "daemon/net_server.h"

/*
 * Opens them all, those systemd handed over (n_fds) included: they say for themselves what they
 * are. The configured Unix socket is left out where one was handed over. 0, or negative: it was
 * logged.
 */
int listen_all(struct server *server, int n_fds);
/* Whether there is, or will be, a TCP socket: then a host key is needed. */
bool listen_needs_key(const struct config *config, int n_fds);

#endif
