/* SPDX-License-Identifier: MIT */
/*
 * What a client may ask: one row for each message in net_requests.c, off unless it stands there for
 * the transport. Handlers answer on the message's id, at once or by a follow.
 */
#ifndef MSG_DAEMON_NET_REQUESTS_H
#define MSG_DAEMON_NET_REQUESTS_H

#include "daemon/net_conn.h"

/*
 * What a handler is given: fresh rights, and the message, whose strings live as long as the call.
 */
struct call {
    struct server *server;
    struct conn *conn;
    const struct msg *msg;
    struct rights rights;
    uint32_t rate; /* messages a minute */
};

typedef void request_fn(const struct call *call);
request_fn request_send, request_cancel, request_attach, request_who, request_ack, request_list,
    request_grant;

/* Whether what a SEND asks for was asked for before: then it is answered as it was. */
bool send_is_known(const struct call *call);

/* A request on an open connection. */
void requests_take(struct conn *conn, const struct msg *msg);
/* The same, once it is known who asks: not before net_own knows of whom it is. */
void requests_serve(struct conn *conn, const struct msg *msg);
/* It cannot be looked at now: busy. */
void requests_put_off(struct conn *conn, const struct msg *msg);

/* Answers with ERROR on the call's id. retry_ms 0: it may not be tried again. */
void call_error(const struct call *call, const char *code, const char *at, uint64_t retry_ms);
void call_ok(const struct call *call);

/* The key of a message's uid for this caller. */
struct book_key call_key(const struct call *call, struct slice uid);

#define RETRY_BUSY_MS 1000 /* what was full may have room again */

#endif
