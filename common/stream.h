/* SPDX-License-Identifier: MIT */
/*
 * Framed connections on a libuv loop: the adapter between sockets and protocol/peer.c, and the only
 * file, with listener.c, that knows uv_stream_t. A stream belongs to itself: it frees its memory in
 * its close callback. The owner gets `gone` exactly once, as the last call, also after
 * stream_close(). Writes made during one callback leave in one write().
 */
#ifndef MSG_COMMON_STREAM_H
#define MSG_COMMON_STREAM_H

#include "protocol/peer.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

struct stream;

struct stream_end {
    enum peer_end why;
    int error;                   /* PEER_END_LOST: negative errno */
    bool connected;              /* the transport was there */
    bool open;                   /* messages could be exchanged */
    struct peer_refusal refusal; /* client, PEER_END_REFUSED */
};

struct stream_owner {
    /* A client: the transport is there, and nothing was sent yet. May be NULL. */
    void (*connected)(void *owner, struct stream *stream);
    /*
     * Judge the other side's static key: answer with stream_verdict(), now or later. A client on a
     * Unix socket is asked with key NULL once it is connected: it judges stream_peer_credentials(),
     * and sends or drops. What is sent before the return leaves in one write() with the handshake.
     */
    void (*key)(void *owner, struct stream *stream, const struct noise_public *key);
    /* A message; its strings are valid during the call. */
    void (*message)(void *owner, struct stream *stream, const struct msg *msg);
    /* Less than LIM_UNSENT is unsent again, after it was not. May be NULL. */
    void (*drained)(void *owner, struct stream *stream);
    /* The last call: the stream is no more. */
    void (*gone)(void *owner, struct stream *stream, const struct stream_end *end);
};

struct stream_config {
    uv_loop_t *loop;
    const struct stream_owner *owner;
    void *context;                           /* handed back as `owner` */
    const struct noise_keypair *static_keys; /* TCP; borrowed until gone */
    struct slice agent;                      /* client */
    const struct slice_list *end;            /* TCP: our endorsements, or NULL; likewise */
};

/*
 * Starts connecting. 0 or negative errno (then no stream and no call). A failed connect comes as
 * gone(PEER_END_LOST, connected false). Connecting has no deadline here: that is the caller's.
 */
int stream_connect(struct stream **ret_stream, const struct stream_config *config,
                   const struct sockaddr *address);

/* Another owner takes it over: no callback comes to the earlier one any more. */
void stream_set_owner(struct stream *stream, const struct stream_owner *owner, void *context);
/* Queues a message. 0, or -EMSGSIZE, -EINVAL (msg_encode), -ENOTCONN (not open yet, or closing). */
int stream_send(struct stream *stream, const struct msg *msg);
/*
 * Outside of the owner's calls: what is sent from here on leaves in one write at stream_uncork(),
 * which the caller owes if this is true. Inside of them it is false: they are corked already. What
 * waits for a verdict that is given meanwhile is read at stream_uncork(), too.
 */
bool stream_cork(struct stream *stream);
void stream_uncork(struct stream *stream);
/* NULL accepts. A server's code is sent as ERROR on the first request, then the stream closes. */
void stream_verdict(struct stream *stream, const char *reject);
/* A server: rejects, but ENROL comes as a message, which a second stream_verdict() answers. */
void stream_verdict_but_enrol(struct stream *stream, const char *reject);
void stream_set_requests(struct stream *stream, unsigned open);
/* Bytes not yet taken by the kernel. */
size_t stream_unsent(const struct stream *stream);
/* Reads nothing more until it is resumed. Deadlines go on. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
/* Ends it: what was sent is still written (at most LIM_LINGER), then gone(PEER_END_CLOSED). */
void stream_close(struct stream *stream);
/* Server, before any byte was read: answers with the refusal frame `busy` and closes. */
void stream_refuse(struct stream *stream, uint8_t wait_s);
/* Closes without a word. */
void stream_drop(struct stream *stream);

/* SO_PEERCRED of a Unix stream; -ENOTSUP on TCP. */
int stream_peer_credentials(const struct stream *stream, struct ucred *ret_credentials);
/*
 * Its supplementary groups, as the kernel had them when it connected: at most *inout_n, and how
 * many there are comes back. 0, -ENOTSUP on TCP, or another negative errno (-ERANGE: there are
 * more).
 */
int stream_peer_groups(const struct stream *stream, gid_t *groups, size_t *inout_n);
/* The other end's address, an IPv4 one as such on any socket; -ENOTSUP on a Unix socket. */
int stream_peer_address(const struct stream *stream, struct sockaddr_storage *ret_address);
/* During the owner's `key`: what the other side shows to endorse it. Empty at any other time. */
struct slice_list stream_endorsements(const struct stream *stream);
/* The handshake hash, NOISE_HASH bytes, once the key was asked. */
const uint8_t *stream_handshake_hash(const struct stream *stream);

/* For common/listener.c: takes the connection that waits at a libuv server. */
int stream_accept(struct stream **ret_stream, uv_stream_t *server, bool is_unix,
                  const struct stream_config *config);

#endif
