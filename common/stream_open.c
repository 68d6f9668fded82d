/* SPDX-License-Identifier: MIT */
#include "common/stream_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

/* All streams of a process live on one thread, so one work space serves them all. */
static struct peer_scratch scratch;

static int begin_peer(struct stream *stream, const struct stream_config *config,
                      enum peer_role role)
{
    struct noise_secret ephemeral;
    struct peer_config peer = {
        .role = role,
        .suite = stream->is_unix ? PEER_SUITE_PLAIN : PEER_SUITE_NOISE,
        .static_keys = config->static_keys,
        .ephemeral = &ephemeral,
        .agent = config->agent,
        .end = config->end,
        .scratch = &scratch,
    };

    randombytes_buf(&ephemeral, sizeof(ephemeral));
    int result = peer_begin(&stream->peer, &peer, stream_now(stream));
    sodium_memzero(&ephemeral, sizeof(ephemeral));
    return result;
}

static void ignore_end(void *owner, struct stream *stream, const struct stream_end *end)
{
    (void)owner;
    (void)stream;
    (void)end;
}

/* For a stream that never became one: nobody knows it, so nobody is told of its end. */
static void abort_stream(struct stream *stream)
{
    static const struct stream_owner nobody = {.gone = ignore_end};

    stream->owner = &nobody;
    stream_close_handles(stream);
}

/* The handles are open from here on: whatever fails later ends in abort_stream(). */
static int new_stream(struct stream **ret_stream, const struct stream_config *config,
                      enum peer_role role, bool is_unix)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return -ENOMEM;
    stream->is_unix = is_unix;
    stream->owner = config->owner;
    stream->context = config->context;
    int result = is_unix ? uv_pipe_init(config->loop, &stream->u.pipe, 0)
                         : uv_tcp_init(config->loop, &stream->u.tcp);
    if (result < 0) {
        free(stream);
        return result;
    }
    uv_timer_init(config->loop, &stream->timer);
    stream->u.handle.data = stream->timer.data = stream;
    stream->handles = 2;
    result = begin_peer(stream, config, role);
    if (result < 0) {
        abort_stream(stream);
        return result;
    }
    *ret_stream = stream;
    return 0;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct stream *stream = request->handle->data;
    struct peer_output output;

    if (stream->stage != STAGE_LIVE)
        return;
    if (status < 0) {
        stream_finish(stream, PEER_END_LOST, status, false);
        return;
    }
    stream->end.connected = true;
    if (!stream->is_unix)
        uv_tcp_nodelay(&stream->u.tcp, 1);
    if (stream->owner->connected != NULL)
        stream->owner->connected(stream->context, stream);
    stream->busy = true;
    stream_step(stream, &(struct peer_input){.kind = PEER_START}, &output);
    if (stream->stage == STAGE_LIVE)
        stream_read_start(stream);
    if (stream->stage == STAGE_LIVE && peer_is_open(&stream->peer))
        stream->owner->key(stream->context, stream, NULL);
    stream_leave(stream);
}

int stream_connect(struct stream **ret_stream, const struct stream_config *config,
                   const struct sockaddr *address)
{
    struct stream *stream;
    bool is_unix = address->sa_family == AF_UNIX;

    int result = new_stream(&stream, config, PEER_CLIENT, is_unix);
    if (result < 0)
        return result;
    if (is_unix)
        uv_pipe_connect(&stream->connecting, &stream->u.pipe,
                        ((const struct sockaddr_un *)(const void *)address)->sun_path,
                        on_connected);
    else
        result = uv_tcp_connect(&stream->connecting, &stream->u.tcp, address, on_connected);
    if (result < 0) {
        abort_stream(stream);
        return result;
    }
    *ret_stream = stream;
    return 0;
}

int stream_accept(struct stream **ret_stream, uv_stream_t *listener, bool is_unix,
                  const struct stream_config *config)
{
    struct stream *stream;

    int result = new_stream(&stream, config, PEER_SERVER, is_unix);
    if (result < 0)
        return result;
    result = uv_accept(listener, &stream->u.stream);
    if (result < 0) {
        abort_stream(stream);
        return result;
    }
    stream->end.connected = true;
    if (!is_unix)
        uv_tcp_nodelay(&stream->u.tcp, 1);
    stream->wake_at = stream_now(stream) + LIM_FIRST_BYTES;
    stream_read_start(stream);
    stream_set_timer(stream);
    *ret_stream = stream;
    return 0;
}
