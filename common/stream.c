/* SPDX-License-Identifier: MIT */
#include "common/stream.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

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
    const struct stream_owner *owner;
    void *context;
    enum stage stage;
    bool is_unix;
    bool busy;        /* inside a callback of ours: writes wait for its end */
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

struct write {
    uv_write_t request;
    uint8_t *bytes;
};

/* All streams of a process live on one thread, so one work space serves them all. */
static struct peer_scratch scratch;
static uint8_t input_buffer[HELD_MAX];

static void on_timer(uv_timer_t *timer);

static uint64_t now_of(const struct stream *stream)
{
    return uv_now(stream->u.handle.loop);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void on_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;

    if (--stream->handles > 0)
        return;
    stream->owner->gone(stream->context, stream, &stream->end);
    peer_wipe(&stream->peer);
    free(stream->held);
    free(stream->out);
    free(stream);
}

static void close_handles(struct stream *stream)
{
    if (stream->stage == STAGE_CLOSING)
        return;
    stream->stage = STAGE_CLOSING;
    uv_close(&stream->u.handle, on_closed);
    uv_close((uv_handle_t *)&stream->timer, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct stream *stream = request->data;

    /* A client has nothing to wait for once its words are out. */
    if (status < 0 || stream->peer.role == PEER_CLIENT)
        close_handles(stream);
}

static void flush(struct stream *stream);

static void set_timer(struct stream *stream)
{
    uint64_t now = now_of(stream), at = stream->wake_at;

    if (stream->stage == STAGE_LINGERING)
        at = stream->linger_until;
    else if (stream->queue_mark > 0 && (at == 0 || stream->moved_at + LIM_STALLED < at))
        at = stream->moved_at + LIM_STALLED;
    if (at == 0)
        uv_timer_stop(&stream->timer);
    else
        uv_timer_start(&stream->timer, on_timer, at > now ? at - now : 0, 0);
}

static void finish(struct stream *stream, enum peer_end why, int error, bool linger)
{
    if (stream->stage != STAGE_LIVE)
        return;
    stream->end.why = why;
    stream->end.error = error;
    stream->end.refusal = stream->peer.refusal;
    flush(stream);
    if (stream->stage != STAGE_LIVE)
        return; /* flushing failed */
    stream->shutdown.data = stream;
    if (!linger || uv_shutdown(&stream->shutdown, &stream->u.stream, on_shutdown) < 0) {
        close_handles(stream);
        return;
    }
    stream->stage = STAGE_LINGERING;
    stream->linger_until = now_of(stream) + LIM_LINGER;
    uv_read_start(&stream->u.stream, stream->u.stream.alloc_cb, stream->u.stream.read_cb);
    set_timer(stream);
}

/* ---- output -----------------------------------------------------------------------------------
 */

size_t stream_unsent(const struct stream *stream)
{
    return stream->out_len + uv_stream_get_write_queue_size(&stream->u.stream);
}

/* Notes whether the kernel has taken anything since the last look. */
static void watch_queue(struct stream *stream)
{
    size_t queue = uv_stream_get_write_queue_size(&stream->u.stream);

    if (queue < stream->queue_mark || stream->queue_mark == 0)
        stream->moved_at = now_of(stream);
    stream->queue_mark = queue;
}

/* What a `drained` owed writes is to be flushed: true if it was told. */
static bool tell_drained(struct stream *stream)
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

static void leave(struct stream *stream);

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct stream *stream = request->handle->data;

    free(write->bytes);
    free(write);
    if (stream->stage == STAGE_CLOSING)
        return;
    if (status < 0) {
        finish(stream, PEER_END_LOST, status, false);
        return;
    }
    watch_queue(stream);
    leave(stream);
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

static void flush(struct stream *stream)
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
        close_handles(stream);
        return;
    }
    stream->out = NULL;
    stream->out_capacity = 0;
    int result = queue_write(stream, bytes, sent > 0 ? (size_t)sent : 0, len);
    if (result < 0) {
        free(bytes);
        stream->end.why = PEER_END_LOST;
        stream->end.error = result;
        close_handles(stream);
        return;
    }
    watch_queue(stream);
}

static int append(struct stream *stream, const uint8_t *bytes, size_t len)
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

/* ---- the peer's steps ---------------------------------------------------------------------------
 */

/* Runs one step and does what it says, but for questions and messages, which feed() passes on. */
static void step(struct stream *stream, const struct peer_input *input,
                 struct peer_output *ret_output)
{
    peer_step(&stream->peer, input, now_of(stream), ret_output);
    stream->wake_at = ret_output->wake_at;
    if (append(stream, ret_output->write, ret_output->write_len) < 0)
        finish(stream, PEER_END_LOST, -ENOMEM, false);
    else if (ret_output->action == PEER_CLOSE)
        finish(stream, ret_output->end, 0, ret_output->linger);
}

/* At the end of each callback: what was written leaves, the next deadline stands. */
static void leave(struct stream *stream)
{
    stream->busy = false;
    if (stream->stage != STAGE_LIVE)
        return;
    stream->end.open |= peer_is_open(&stream->peer);
    do
        flush(stream);
    while (tell_drained(stream));
    if (stream->stage == STAGE_LIVE)
        set_timer(stream);
}

static void pass_on(struct stream *stream, const struct peer_output *output)
{
    if (output->action == PEER_ASK_KEY)
        stream->owner->key(stream->context, stream, output->key);
    else if (output->action == PEER_MESSAGE)
        stream->owner->message(stream->context, stream, &output->msg);
}

/* Feeds bytes frame by frame; returns how many were consumed. */
static size_t feed(struct stream *stream, const uint8_t *bytes, size_t len)
{
    size_t used = 0;
    struct peer_output output;

    do {
        struct peer_input input = {.kind = PEER_BYTES, .bytes = bytes + used, .len = len - used};
        step(stream, &input, &output);
        used += output.consumed;
        pass_on(stream, &output);
    } while (stream->stage == STAGE_LIVE && used < len && output.consumed > 0);
    return used;
}

/* ---- input --------------------------------------------------------------------------------------
 */

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
        finish(stream, PEER_END_LOST, -ENOMEM, false);
        return;
    } else {
        memmove(stream->held, rest, len);
    }
    stream->held_len = len;
}

static void take_input(struct stream *stream, const uint8_t *bytes, size_t len)
{
    size_t used = feed(stream, bytes, len);

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
        close_handles(stream);
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
        step(stream, &(struct peer_input){.kind = PEER_EOF}, &output);
    } else if (len < 0) {
        finish(stream, PEER_END_LOST, (int)len, false);
    } else if (stream->held != NULL) {
        take_input(stream, stream->held, stream->held_len + (size_t)len);
    } else {
        take_input(stream, (const uint8_t *)buffer->base, (size_t)len);
    }
    leave(stream);
}

static void on_timer(uv_timer_t *timer)
{
    struct stream *stream = timer->data;
    struct peer_output output;

    if (stream->stage == STAGE_LINGERING) {
        close_handles(stream);
        return;
    }
    if (stream->stage != STAGE_LIVE)
        return;
    stream->busy = true;
    size_t before = stream->queue_mark;
    watch_queue(stream);
    if (before > 0 && stream->queue_mark > 0 && now_of(stream) >= stream->moved_at + LIM_STALLED)
        finish(stream, PEER_END_STALLED, 0, false);
    else
        step(stream, &(struct peer_input){.kind = PEER_TICK}, &output);
    leave(stream);
}

/* ---- making one ------------------------------------------------------------------------------ */

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
        .scratch = &scratch,
    };

    randombytes_buf(&ephemeral, sizeof(ephemeral));
    int result = peer_begin(&stream->peer, &peer, now_of(stream));
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
    close_handles(stream);
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
        finish(stream, PEER_END_LOST, status, false);
        return;
    }
    stream->end.connected = true;
    if (!stream->is_unix)
        uv_tcp_nodelay(&stream->u.tcp, 1);
    stream->busy = true;
    step(stream, &(struct peer_input){.kind = PEER_START}, &output);
    if (stream->stage == STAGE_LIVE)
        uv_read_start(&stream->u.stream, on_alloc, on_read);
    if (stream->stage == STAGE_LIVE && peer_is_open(&stream->peer))
        stream->owner->key(stream->context, stream, NULL);
    leave(stream);
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
    stream->wake_at = now_of(stream) + LIM_FIRST_BYTES;
    uv_read_start(&stream->u.stream, on_alloc, on_read);
    set_timer(stream);
    *ret_stream = stream;
    return 0;
}

/* ---- what the owner asks for ----------------------------------------------------------------- */

void stream_set_owner(struct stream *stream, const struct stream_owner *owner, void *context)
{
    stream->owner = owner;
    stream->context = context;
}

int stream_send(struct stream *stream, const struct msg *msg)
{
    struct peer_output output;

    if (stream->stage != STAGE_LIVE)
        return -ENOTCONN;
    step(stream, &(struct peer_input){.kind = PEER_SEND, .msg = msg}, &output);
    if (!stream->busy)
        leave(stream);
    return output.error;
}

void stream_verdict(struct stream *stream, const char *reject)
{
    struct peer_output output;

    if (stream->stage != STAGE_LIVE)
        return;
    step(stream, &(struct peer_input){.kind = PEER_VERDICT, .reject = reject}, &output);
    if (stream->busy || stream->stage != STAGE_LIVE)
        return;
    stream->busy = true;
    if (stream->held != NULL)
        take_input(stream, stream->held, stream->held_len);
    if (stream->stage == STAGE_LIVE)
        uv_read_start(&stream->u.stream, on_alloc, on_read);
    leave(stream);
}

void stream_set_requests(struct stream *stream, unsigned open)
{
    struct peer_output output;

    peer_set_requests(&stream->peer, open, now_of(stream));
    if (stream->stage != STAGE_LIVE || stream->busy)
        return;
    step(stream, &(struct peer_input){.kind = PEER_TICK}, &output);
    leave(stream);
}

bool stream_cork(struct stream *stream)
{
    bool corks = !stream->busy && stream->stage == STAGE_LIVE;

    stream->busy |= corks;
    return corks;
}

void stream_uncork(struct stream *stream)
{
    leave(stream);
}

void stream_pause(struct stream *stream)
{
    if (stream->stage == STAGE_LIVE)
        uv_read_stop(&stream->u.stream);
}

void stream_resume(struct stream *stream)
{
    if (stream->stage == STAGE_LIVE)
        uv_read_start(&stream->u.stream, on_alloc, on_read);
}

void stream_close(struct stream *stream)
{
    bool linger = stream->peer.role == PEER_SERVER || stream_unsent(stream) > 0;

    finish(stream, PEER_END_CLOSED, 0, linger && stream->end.connected);
}

void stream_refuse(struct stream *stream, uint8_t wait_s)
{
    struct peer_output output;

    if (stream->stage == STAGE_LIVE)
        step(stream, &(struct peer_input){.kind = PEER_REFUSE, .wait_s = wait_s}, &output);
}

void stream_drop(struct stream *stream)
{
    stream->out_len = 0;
    finish(stream, PEER_END_CLOSED, 0, false);
}

int stream_peer_credentials(const struct stream *stream, struct ucred *ret_credentials)
{
    struct ucred credentials;
    socklen_t len = sizeof(credentials);
    uv_os_fd_t fd;

    if (!stream->is_unix)
        return -ENOTSUP;
    if (uv_fileno(&stream->u.handle, &fd) < 0)
        return -ENOTCONN;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
        return -errno;
    *ret_credentials = credentials;
    return 0;
}

int stream_peer_groups(const struct stream *stream, gid_t *groups, size_t *inout_n)
{
    socklen_t len = (socklen_t)(*inout_n * sizeof(*groups));
    uv_os_fd_t fd;

    if (!stream->is_unix)
        return -ENOTSUP;
    if (uv_fileno(&stream->u.handle, &fd) < 0)
        return -ENOTCONN;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return -errno;
    *inout_n = len / sizeof(*groups);
    return 0;
}

int stream_peer_address(const struct stream *stream, struct sockaddr_storage *ret_address)
{
    int len = sizeof(*ret_address);

    if (stream->is_unix)
        return -ENOTSUP;
    return uv_tcp_getpeername(&stream->u.tcp, (struct sockaddr *)ret_address, &len);
}

const uint8_t *stream_handshake_hash(const struct stream *stream)
{
    return stream->peer.handshake_hash;
}
