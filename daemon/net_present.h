/* SPDX-License-Identifier: MIT */
/*
 * msgd's end of the boundary to msgd-present: the connection, its hello, the session list, and the
 * orders that wait until the socket takes them. An order is a delivery's name; its datagram is
 * written when it can be sent, so that what is over by then is not sent at all and nothing but
 * names is queued. The other end is not trusted: what does not fit ends the connection.
 */
#ifndef MSG_DAEMON_NET_PRESENT_H
#define MSG_DAEMON_NET_PRESENT_H

#include "daemon/boundary.h"

#include "protocol/slice.h"

#include <uv.h>

struct presenter;

struct presenter_owner {
    /* One session of the list, or a change of it. 0, or negative: the presenter is at fault. */
    int (*session)(void *owner, const struct boundary_session *session);
    /* The list is complete: orders are taken from now on. */
    void (*ready)(void *owner);
    void (*shown)(void *owner, const struct boundary_shown *shown);
    void (*ended)(void *owner, const struct boundary_ended *ended, struct slice answer);
    /*
     * Writes the datagram of an order into message, whose text must live until the next call;
     * false: it is not wanted any more.
     */
    bool (*present)(void *owner, uint64_t delivery, struct boundary_message *message);
    /*
     * The connection is lost, and with it every order that waits; reason is for the log. A
     * presenter that is connected by path is tried again by itself; with a given descriptor this is
     * the end.
     */
    void (*lost)(void *owner, const char *reason);
    /* After presenter_stop(): the memory is free. */
    void (*stopped)(void *owner);
};

/*
 * Connects to path, again and again; or takes fd, one end of a socket pair, where path is NULL. 0
 * or negative errno: then `stopped` is all that still comes, unless it is -ENOMEM.
 */
int presenter_start(struct presenter **ret_presenter, uv_loop_t *loop, const char *path, int fd,
                    const struct presenter_owner *owner, void *context);
void presenter_stop(struct presenter *presenter);

bool presenter_ready(const struct presenter *presenter);

/*
 * Orders; they leave in their order. 0, -ENOTCONN (not ready), or -ENOMEM. After a failure nothing
 * is queued.
 */
int presenter_present(struct presenter *presenter, uint64_t delivery);
int presenter_withdraw(struct presenter *presenter, uint64_t delivery, enum withdraw_why why);
/* How many orders wait. */
size_t presenter_waiting(const struct presenter *presenter);

#endif
