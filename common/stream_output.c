/* SPDX-License-Identifier: MIT */
#include "common/stream_inside.h"

#include <errno.h>
#include <stdlib.h>

struct write {
    uv_write_t request;
    uint8_t *bytes;
};

size_t stream_unsent(const struct stream *stream)
{
    return stream->out_len + uv_stream_get_write_queue_size(&stream->u.stream);
}

/* Notes whether the kernel has taken anything since the last look. */
void stream_watch_queue(struct stream *stream)
{
    size_t queue = uv_stream_get_write_queue_size(&stream->u.stream);

    if (queue < stream->queue_mark || stream->queue_mark == 0)
        stream->moved_at = stream_now(stream);
    stream->queue_mark = queue;
}

/* What a `drained` owed writes is to be flushed: true if it was told. */
bool stream_tell_drained(struct stream *stream)
{
    if (!stream->over_unsent || stream->stage != STAGE_LIVE || stream_unsent(stream) >= LIM_UNSENT)
        return false;
    stream->over_unsent = false;
    stream->busy = true;
    if (stream->owner->drained != NULL)
        stream->owner->drained(stream->context, stream);
    stream->busy = false;
    return true;
}

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct stream *stream = request->handle->data;

    free(write->bytes);
    free(write);
    if (stream->stage == STAGE_CLOSING)
        return;
    if (status < 0) {
        stream_finish(stream, PEER_END_LOST, status, false);
        return;
    }
    stream_watch_queue(stream);
    stream_leave(stream);
}

/* Hands the rest to libuv, which then owns the buffer until on_written(). */
static int queue_write(struct stream *stream, uint8_t *bytes, size_t skip, size_t len)
{
    struct write *write = malloc(sizeof(*write));
    uv_buf_t buffer = uv_buf_init((char *)bytes + skip, (unsigned)(len - skip));

    if (write == NULL)
        return -ENOMEM;
    write->bytes = bytes;
    int result = uv_write(&write->request, &stream->u.stream, &buffer, 1, on_written);
    if (result < 0)
        free(write);
    return result;
}

void stream_flush(struct stream *stream)
{
    if (stream->out_len == 0 || stream->stage == STAGE_CLOSING)
        return;

    uint8_t *bytes = stream->out;
    size_t len = stream->out_len;
    uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)len);
    stream->out_len = 0;
    int sent = uv_try_write(&stream->u.stream, &buffer, 1);
    if (sent == (int)len)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        stream->end.why = stream->end.why ? stream->end.why : PEER_END_LOST;
        stream->end.error = sent;
        stream_close_handles(stream);
        return;
    }
    stream->out = NULL;
    stream->out_capacity = 0;
    int result = queue_write(stream, bytes, sent > 0 ? (size_t)sent : 0, len);
    if (result < 0) {
        free(bytes);
        stream->end.why = PEER_END_LOST;
        stream->end.error = result;
        stream_close_handles(stream);
        return;
    }
    stream_watch_queue(stream);
}

int stream_append(struct stream *stream, const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    if (stream->out_len + len > stream->out_capacity) {
        size_t capacity = stream->out_capacity ? stream->out_capacity : 1024;
        while (capacity < stream->out_len + len)
            capacity *= 2;
        uint8_t *grown = realloc(stream->out, capacity);
        if (grown == NULL)
            return -ENOMEM;
        stream->out = grown;
        stream->out_capacity = capacity;
    }
    memcpy(stream->out + stream->out_len, bytes, len);
    stream->out_len += len;
    if (stream_unsent(stream) >= LIM_UNSENT)
        stream->over_unsent = true;
    return 0;
}
