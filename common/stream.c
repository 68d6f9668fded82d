/* SPDX-License-Identifier: MIT */
#include "common/stream_inside.h"

#include <errno.h>
#include <stdlib.h>

static void on_timer(uv_timer_t *timer);

/* ---- the end --------------------------------------------------------------------------------- */

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

void stream_close_handles(struct stream *stream)
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
        stream_close_handles(stream);
}

void stream_set_timer(struct stream *stream)
{
    uint64_t now = stream_now(stream), at = stream->wake_at;

    if (stream->stage == STAGE_LINGERING)
        at = stream->linger_until;
    else if (stream->queue_mark > 0 && (at == 0 || stream->moved_at + LIM_STALLED < at))
        at = stream->moved_at + LIM_STALLED;
    if (at == 0)
        uv_timer_stop(&stream->timer);
    else
        uv_timer_start(&stream->timer, on_timer, at > now ? at - now : 0, 0);
}

void stream_finish(struct stream *stream, enum peer_end why, int error, bool linger)
{
    if (stream->stage != STAGE_LIVE)
        return;
    stream->end.why = why;
    stream->end.error = error;
    stream->end.refusal = stream->peer.refusal;
    stream_flush(stream);
    if (stream->stage != STAGE_LIVE)
        return; /* flushing failed */
    stream->shutdown.data = stream;
    if (!linger || uv_shutdown(&stream->shutdown, &stream->u.stream, on_shutdown) < 0) {
        stream_close_handles(stream);
        return;
    }
    stream->stage = STAGE_LINGERING;
    stream->linger_until = stream_now(stream) + LIM_LINGER;
    stream_read_start(stream);
    stream_set_timer(stream);
}

/* ---- the peer's steps ------------------------------------------------------------------------ */

/* Runs one step and does what it says, but for questions and messages, which feed() passes on. */
void stream_step(struct stream *stream, const struct peer_input *input,
                 struct peer_output *ret_output)
{
    peer_step(&stream->peer, input, stream_now(stream), ret_output);
    stream->wake_at = ret_output->wake_at;
    if (stream_append(stream, ret_output->write, ret_output->write_len) < 0)
        stream_finish(stream, PEER_END_LOST, -ENOMEM, false);
    else if (ret_output->action == PEER_CLOSE)
        stream_finish(stream, ret_output->end, 0, ret_output->linger);
}

/* At the end of each callback: what was written leaves, the next deadline stands. */
void stream_leave(struct stream *stream)
{
    stream->busy = false;
    if (stream->stage != STAGE_LIVE)
        return;
    stream->end.open |= peer_is_open(&stream->peer);
    do
        stream_flush(stream);
    while (stream_tell_drained(stream));
    if (stream->stage == STAGE_LIVE)
        stream_set_timer(stream);
}

static void on_timer(uv_timer_t *timer)
{
    struct stream *stream = timer->data;
    struct peer_output output;

    if (stream->stage == STAGE_LINGERING) {
        stream_close_handles(stream);
        return;
    }
    if (stream->stage != STAGE_LIVE)
        return;
    stream->busy = true;
    size_t before = stream->queue_mark;
    stream_watch_queue(stream);
    if (before > 0 && stream->queue_mark > 0 &&
        stream_now(stream) >= stream->moved_at + LIM_STALLED)
        stream_finish(stream, PEER_END_STALLED, 0, false);
    else
        stream_step(stream, &(struct peer_input){.kind = PEER_TICK}, &output);
    stream_leave(stream);
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
    stream_step(stream, &(struct peer_input){.kind = PEER_SEND, .msg = msg}, &output);
    if (!stream->busy)
        stream_leave(stream);
    return output.error;
}

/* What came behind the handshake's last message waits for the verdict. */
static void go_on(struct stream *stream)
{
    stream->judged = false;
    stream_take_held(stream);
    if (stream->stage == STAGE_LIVE)
        stream_read_start(stream);
}

static void give_verdict(struct stream *stream, const struct peer_input *verdict)
{
    struct peer_output output;

    if (stream->stage != STAGE_LIVE)
        return;
    stream_step(stream, verdict, &output);
    stream->judged = true;
    if (stream->busy || stream->stage != STAGE_LIVE)
        return;
    stream->busy = true;
    go_on(stream);
    stream_leave(stream);
}

void stream_verdict(struct stream *stream, const char *reject)
{
    give_verdict(stream, &(struct peer_input){.kind = PEER_VERDICT, .reject = reject});
}

void stream_verdict_but_enrol(struct stream *stream, const char *reject)
{
    give_verdict(stream,
                 &(struct peer_input){.kind = PEER_VERDICT, .reject = reject, .may_enrol = true});
}

void stream_set_requests(struct stream *stream, unsigned open)
{
    struct peer_output output;

    peer_set_requests(&stream->peer, open, stream_now(stream));
    if (stream->stage != STAGE_LIVE)
        return;
    /* In a callback too: the deadline that its end sets is another now. */
    stream_step(stream, &(struct peer_input){.kind = PEER_TICK}, &output);
    if (!stream->busy)
        stream_leave(stream);
}

bool stream_cork(struct stream *stream)
{
    bool corks = !stream->busy && stream->stage == STAGE_LIVE;

    stream->busy |= corks;
    return corks;
}

void stream_uncork(struct stream *stream)
{
    if (stream->judged && stream->stage == STAGE_LIVE)
        go_on(stream);
    stream_leave(stream);
}

void stream_pause(struct stream *stream)
{
    if (stream->stage == STAGE_LIVE)
        uv_read_stop(&stream->u.stream);
}

void stream_resume(struct stream *stream)
{
    if (stream->stage == STAGE_LIVE)
        stream_read_start(stream);
}

void stream_close(struct stream *stream)
{
    bool linger = stream->peer.role == PEER_SERVER || stream_unsent(stream) > 0;

    stream_finish(stream, PEER_END_CLOSED, 0, linger && stream->end.connected);
}

void stream_refuse(struct stream *stream, uint8_t wait_s)
{
    struct peer_output output;

    if (stream->stage == STAGE_LIVE)
        stream_step(stream, &(struct peer_input){.kind = PEER_REFUSE, .wait_s = wait_s}, &output);
}

void stream_drop(struct stream *stream)
{
    stream->out_len = 0;
    stream_finish(stream, PEER_END_CLOSED, 0, false);
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

/* On a socket for both families, as systemd makes them, an IPv4 peer is ::ffff:192.0.2.5. */
static void unmap(struct sockaddr_storage *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    memcpy(&v6, address, sizeof(v6));
    if (v6.sin6_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return;
    v4.sin_port = v6.sin6_port;
    memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
    memset(address, 0, sizeof(*address));
    memcpy(address, &v4, sizeof(v4));
}

int stream_peer_address(const struct stream *stream, struct sockaddr_storage *ret_address)
{
    struct sockaddr_storage address = {0};
    int len = sizeof(address);

    if (stream->is_unix)
        return -ENOTSUP;
    int r = uv_tcp_getpeername(&stream->u.tcp, (struct sockaddr *)&address, &len);
    if (r < 0)
        return r;
    unmap(&address);
    *ret_address = address;
    return 0;
}

struct slice_list stream_endorsements(const struct stream *stream)
{
    return stream->endorsements ? *stream->endorsements : (struct slice_list){NULL, 0};
}

const uint8_t *stream_handshake_hash(const struct stream *stream)
{
    return stream->peer.handshake_hash;
}
