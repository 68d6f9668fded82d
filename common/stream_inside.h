/* SPDX-License-Identifier: MIT */
/*
 * What the files of stream share and nobody else includes: stream.c holds its life and what its
 * owner asks for, stream_open.c how one begins, stream_input.c and stream_output.c its two ways.
 */
#ifndef MSG_COMMON_STREAM_INSIDE_H
#define MSG_COMMON_STREAM_INSIDE_H

#include "common/stream.h"

/* One frame and a preamble: what may have to wait for its rest. */
#define HELD_MAX (LIM_PREAMBLE + 2 + LIM_FRAME)

enum stage {
    STAGE_LIVE,
    STAGE_LINGERING, /* said everything; reads on, so that closing does not destroy the answer */
    STAGE_CLOSING,   /* uv_close was called */
};

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } u;
    uv_timer_t timer;
    uv_connect_t connecting;
    uv_shutdown_t shutdown;
    struct peer peer;
    const struct slice_list *endorsements; /* while the key is judged */
    const struct stream_owner *owner;
    void *context;
    enum stage stage;
    bool is_unix;
    bool busy;        /* inside a callback of ours: writes wait for its end */
    bool judged;      /* a verdict was given while corked: go on behind it */
    bool over_unsent; /* LIM_UNSENT was reached: `drained` is owed */
    unsigned handles; /* open ones; at 0 the memory goes */
    struct stream_end end;
    uint8_t *held; /* input that is not a whole frame yet */
    size_t held_len;
    uint8_t *out; /* written in this callback, not yet given to libuv */
    size_t out_len, out_capacity;
    size_t queue_mark;     /* libuv's queue when it last moved */
    uint64_t moved_at;     /* and when that was */
    uint64_t wake_at;      /* the peer's deadline */
    uint64_t linger_until; /* LINGERING */
    size_t discarded;
};

static inline uint64_t stream_now(const struct stream *stream)
{
    return uv_now(stream->u.handle.loop);
}

/* ---- stream.c -------------------------------------------------------------------------------- */

/*
 * Runs one step and does what it says, but for questions and messages, which the input passes on.
 */
void stream_step(struct stream *stream, const struct peer_input *input,
                 struct peer_output *ret_output);
/* At the end of each callback: what was written leaves, the next deadline stands. */
void stream_leave(struct stream *stream);
/* The first reason counts. linger: see LIM_LINGER. */
void stream_finish(struct stream *stream, enum peer_end why, int error, bool linger);
void stream_close_handles(struct stream *stream);
void stream_set_timer(struct stream *stream);

/* ---- stream_output.c ------------------------------------------------------------------------- */

/* Gathers bytes until stream_flush(); 0 or -ENOMEM. */
int stream_append(struct stream *stream, const uint8_t *bytes, size_t len);
/* Hands what was gathered to the kernel, and the rest to libuv. A failure closes the handles. */
void stream_flush(struct stream *stream);
/* Notes whether the kernel has taken anything since the last look. */
void stream_watch_queue(struct stream *stream);
/* True if the owner was told that it may write again: then there may be more to flush. */
bool stream_tell_drained(struct stream *stream);

/* ---- stream_input.c -------------------------------------------------------------------------- */

void stream_read_start(struct stream *stream);
/* What waits since the owner was asked about the key. */
void stream_take_held(struct stream *stream);

#endif
