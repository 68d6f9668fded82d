/* SPDX-License-Identifier: MIT */
#include "common/stream_inside.h"

#include <errno.h>
#include <stdlib.h>

/* All streams of a process live on one thread, so one buffer serves them all. */
static uint8_t input_buffer[HELD_MAX];

static void pass_on(struct stream *stream, const struct peer_output *output)
{
    if (output->action == PEER_ASK_KEY) {
        stream->endorsements = &output->endorsements;
        stream->owner->key(stream->context, stream, output->key);
        stream->endorsements = NULL;
    } else if (output->action == PEER_MESSAGE) {
        stream->owner->message(stream->context, stream, &output->msg);
    }
}

/*
 * Who asks without end and takes no answer is not to fill the memory: two frames for each request
 * that may be open are kept for him.
 */
static void bound_unsent(struct stream *stream)
{
    if (stream->stage != STAGE_LIVE || stream_unsent(stream) < LIM_BACKLOG)
        return;
    stream_flush(stream);
    if (stream_unsent(stream) >= LIM_BACKLOG)
        stream_finish(stream, PEER_END_STALLED, 0, false);
}

/* Feeds bytes frame by frame; returns how many were consumed. */
static size_t feed(struct stream *stream, const uint8_t *bytes, size_t len)
{
    size_t used = 0;
    struct peer_output output;

    do {
        struct peer_input input = {.kind = PEER_BYTES, .bytes = bytes + used, .len = len - used};
        stream_step(stream, &input, &output);
        used += output.consumed;
        pass_on(stream, &output);
        bound_unsent(stream);
    } while (stream->stage == STAGE_LIVE && used < len && output.consumed > 0);
    return used;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct stream *stream = handle->data;

    (void)suggested;
    if (stream->held != NULL && stream->stage == STAGE_LIVE)
        *ret_buffer = uv_buf_init((char *)stream->held + stream->held_len,
                                  (unsigned)(HELD_MAX - stream->held_len));
    else
        *ret_buffer = uv_buf_init((char *)input_buffer, sizeof(input_buffer));
}

/* Keeps what is not a whole frame yet; a buffer that holds nothing goes. */
static void hold(struct stream *stream, const uint8_t *rest, size_t len)
{
    if (len == 0) {
        free(stream->held);
        stream->held = NULL;
    } else if (stream->held == NULL && (stream->held = malloc(HELD_MAX)) == NULL) {
        stream_finish(stream, PEER_END_LOST, -ENOMEM, false);
        return;
    } else {
        memmove(stream->held, rest, len);
    }
    stream->held_len = len;
}

static void take_input(struct stream *stream, const uint8_t *bytes, size_t len)
{
    size_t used = feed(stream, bytes, len);

    stream->judged = false;
    if (stream->stage != STAGE_LIVE)
        return;
    hold(stream, bytes + used, len - used);
    if (stream->stage == STAGE_LIVE && stream->held_len == HELD_MAX)
        uv_read_stop(&stream->u.stream); /* until the owner has judged the key */
}

static void discard(struct stream *stream, ssize_t len)
{
    if (len > 0)
        stream->discarded += (size_t)len;
    if (len < 0 || stream->discarded > LIM_LINGER_BYTES)
        stream_close_handles(stream);
}

static void on_read(uv_stream_t *handle, ssize_t len, const uv_buf_t *buffer)
{
    struct stream *stream = handle->data;

    if (stream->stage == STAGE_LINGERING)
        discard(stream, len);
    if (stream->stage != STAGE_LIVE || len == 0)
        return;
    stream->busy = true;
    if (len == UV_EOF) {
        struct peer_output output;
        stream_step(stream, &(struct peer_input){.kind = PEER_EOF}, &output);
    } else if (len < 0) {
        stream_finish(stream, PEER_END_LOST, (int)len, false);
    } else if (stream->held != NULL) {
        take_input(stream, stream->held, stream->held_len + (size_t)len);
    } else {
        take_input(stream, (const uint8_t *)buffer->base, (size_t)len);
    }
    stream_leave(stream);
}

void stream_read_start(struct stream *stream)
{
    uv_read_start(&stream->u.stream, on_alloc, on_read);
}

void stream_take_held(struct stream *stream)
{
    if (stream->held != NULL)
        take_input(stream, stream->held, stream->held_len);
}
