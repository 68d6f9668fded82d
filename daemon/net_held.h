/* SPDX-License-Identifier: MIT */
/*
 * Requests whose rights hang on the name service: what it says of the user whose own key it is
 * (net_own), or of the groups that a line's to= names (net_within). It is asked outside the loop,
 * for each WHO and each new SEND; what comes meanwhile waits in its order.
 */
#ifndef MSG_DAEMON_NET_HELD_H
#define MSG_DAEMON_NET_HELD_H

#include "protocol/messages.h"

struct conn;
struct held_request;

/* A connection's part of it. */
struct held {
    struct held_request *first;
    unsigned n;
    bool answered; /* the name service has, for this request */
};

/* True if the request is held or answered here; false: it can be served. */
bool held_takes(struct conn *conn, const struct msg *msg);
/* All that was asked for has come, or will not. */
void held_serve(struct conn *conn);
/* Forgets what is held. */
void held_end(struct conn *conn);

#endif
