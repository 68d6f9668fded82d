/* SPDX-License-Identifier: MIT */
/*
 * Between requests and the presenter: a request's actions become orders, the presenter's word
 * becomes events; sessions come and go, and what an earlier presenter has shown finds its session
 * again.
 */
#ifndef MSG_DAEMON_NET_SCREENS_H
#define MSG_DAEMON_NET_SCREENS_H

#include "daemon/net_server.h"

/*
 * Starts the link: over fd, or where that is negative by the configured path. 0 or negative errno.
 */
int screens_start(struct server *server, int fd);

/* Passes a step's actions on. False if something that is to be shown could not even be queued. */
bool screens_order(struct server *server, const struct book_request *request,
                   const struct request_actions *actions);

#endif
