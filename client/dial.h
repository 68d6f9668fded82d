/* SPDX-License-Identifier: MIT */
/*
 * From a server's name to a connection whose other end has shown who it is: resolves, connects,
 * tries the next address where one does not answer. Sets no deadline and judges nobody: that is
 * call.c's. A dial belongs to itself and ends with exactly one of its two callbacks, or silently
 * after dial_cancel().
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
     * No address was left to try. end->error is a negative errno or UV_EAI_*, if nothing answered.
     */
    void (*failed)(void *owner, const struct stream_end *end);
};

/*
 * Starts; *ret_dial is set before anything can fail, and `failed` may come before the return.
 * False: out of memory, and no callback comes. server and address_text (of
 * sizeof(call_result.address) bytes: the address being tried) are borrowed until the end.
 */
bool dial_start(struct dial **ret_dial, const struct call_config *config, char *address_text,
                const struct dial_owner *owner, void *context);
/* No callback comes any more. A resolver that hangs keeps the loop alive, and nothing else. */
void dial_cancel(struct dial *dial);

#endif
