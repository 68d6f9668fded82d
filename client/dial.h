/* SPDX-License-Identifier: MIT */
/*
 * From a server's name to a connection whose other end has shown who it is: resolves, and races for
 * the first address that takes a connection (client/race.h); the others are closed. From there on
 * that host is the one that was called: what it does wrong is not mended by another address. Sets
 * no deadline for the whole and judges nobody: that is call.c's. A dial belongs to itself and ends
 * with exactly one of its two callbacks, or silently after dial_cancel().
 */
#ifndef MSG_CLIENT_DIAL_H
#define MSG_CLIENT_DIAL_H

#include "client/call.h"
#include "common/stream.h"

struct dial;

struct dial_owner {
    /* The stream is the owner's: call stream_set_owner() at once. key: as stream_owner.key. */
    void (*reached)(void *owner, struct stream *stream, const struct noise_public *key);
    /*
     * Nobody was reached, or not as the protocol wants it. end->error is a negative errno or
     * UV_EAI_*, if nothing answered: UV_ETIMEDOUT is silence.
     */
    void (*failed)(void *owner, const struct stream_end *end);
};

/*
 * Starts; *ret_dial is set before anything can fail, and `failed` may come before the return.
 * False: out of memory, and no callback comes. config is borrowed until the end, and so is result,
 * whose `address` and `others` are written.
 */
bool dial_start(struct dial **ret_dial, const struct call_config *config,
                struct call_result *result, const struct dial_owner *owner, void *context);
/* The time is over: `failed` comes before the return, and who has not answered is silent. */
void dial_give_up(struct dial *dial);
/* No callback comes any more. A resolver that hangs keeps the loop alive, and nothing else. */
void dial_cancel(struct dial *dial);

#endif
