/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets, TCP and Unix, that make server streams. Whether a connection is wanted is the
 * owner's decision, and so is when: until it accepts, nothing further is taken from the kernel.
 */
#ifndef MSG_COMMON_LISTENER_H
#define MSG_COMMON_LISTENER_H

#include "common/stream.h"

struct listener;

struct listener_owner {
    /*
     * Somebody connects. Answer with listener_accept(), at once or, to pause accepting, later:
     * until then no further call comes.
     */
    void (*incoming)(void *owner, struct listener *listener);
    /* The last call: the listener is no more. */
    void (*closed)(void *owner, struct listener *listener);
};

/*
 * Binds and listens (TCP: SO_REUSEADDR; IPv6 addresses take IPv6 only; Unix: mode 0666, a socket
 * nobody listens on is replaced, -EADDRINUSE if somebody does), or takes a listening descriptor.
 * 0 or negative errno.
 */
int listener_open(struct listener **ret_listener, uv_loop_t *loop, const struct sockaddr *address,
                  const struct listener_owner *owner, void *context);
int listener_open_fd(struct listener **ret_listener, uv_loop_t *loop, int fd,
                     const struct listener_owner *owner, void *context);
bool listener_is_unix(const struct listener *listener);
/* What a TCP listener is bound to, with the port the kernel chose; -ENOTSUP on a Unix socket. */
int listener_address(const struct listener *listener, struct sockaddr_storage *ret_address);

/*
 * Takes the connection that waits. 0 and a server stream, whose first bytes are read in the next
 * turn of the loop: its address can be judged, and stream_refuse() or stream_drop() called, before.
 * Or a negative errno: the connection waits on; call again later.
 */
int listener_accept(struct stream **ret_stream, struct listener *listener,
                    const struct stream_config *config);
/* Closes it; a path that was bound here is removed. */
void listener_close(struct listener *listener);

#endif
