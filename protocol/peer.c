/* SPDX-License-Identifier: MIT */
#include "protocol/peer.h"

#include "protocol/peer_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

int peer_begin(struct peer *peer, const struct peer_config *config, uint64_t now)
{
    *peer = (struct peer){
        .role = config->role,
        .suite = config->suite,
        .state = config->role == PEER_SERVER ? STATE_PREAMBLE : STATE_START,
        .scratch = config->scratch,
        .agent = config->agent,
        .end = config->end,
        .static_keys = config->static_keys,
        .started = now,
        .heard = now,
    };
    if (config->suite == PEER_SUITE_PLAIN)
        return 0;
    peer->ephemeral = *config->ephemeral;
    /* A client has time for its scalar multiplication while it connects; a server's begins with
     * message 1, so that a mere connection costs nothing. */
    return config->role == PEER_CLIENT ? peer_handshake_begin(peer) : 0;
}

static void release_message(struct peer *peer)
{
    if (peer->has_doc)
        wire_release(&peer->doc);
    peer->has_doc = false;
}

void peer_wipe(struct peer *peer)
{
    release_message(peer);
    peer_handshake_end(peer);
    noise_cipher_wipe(&peer->send);
    noise_cipher_wipe(&peer->receive);
    sodium_memzero(&peer->ephemeral, sizeof(peer->ephemeral));
    peer->state = STATE_OVER;
}

/* ---- what a step puts out -------------------------------------------------------------------- */

void peer_emit(struct peer *peer, struct peer_output *out, const void *bytes, size_t len)
{
    memcpy(peer->scratch->out + out->write_len, bytes, len);
    out->write = peer->scratch->out;
    out->write_len += len;
}

uint8_t *peer_emit_room(struct peer *peer, const struct peer_output *out)
{
    return peer->scratch->out + out->write_len + 2;
}

void peer_emit_frame(struct peer *peer, struct peer_output *out, size_t len)
{
    wire_put_length(peer->scratch->out + out->write_len, len);
    out->write = peer->scratch->out;
    out->write_len += 2 + len;
}

int peer_emit_message(struct peer *peer, struct peer_output *out, const struct msg *msg)
{
    uint8_t *room = peer_emit_room(peer, out);

    ssize_t len = msg_encode(msg, room, LIM_PLAINTEXT);
    if (len > 0 && peer->suite == PEER_SUITE_NOISE)
        len = noise_encrypt(&peer->send, room, (size_t)len, room, LIM_FRAME);
    if (len < 0)
        return (int)len;
    peer_emit_frame(peer, out, (size_t)len);
    peer->sent++;
    return 0;
}

void peer_finish(struct peer *peer, struct peer_output *out, enum peer_end end, bool linger)
{
    peer->state = STATE_OVER;
    out->action = PEER_CLOSE;
    out->end = end;
    out->linger = linger;
}

void peer_goaway(struct peer *peer, struct peer_output *out, const char *code, enum peer_end end)
{
    struct msg msg = {.type = MSG_GOAWAY, .u.goaway.code = slice_of(code)};

    if (end == PEER_END_AGE)
        msg.u.goaway.retry_ms = 1; /* nothing is wrong: connect again at once */
    peer_emit_message(peer, out, &msg);
    peer_finish(peer, out, end, true);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* The longest frame that may come now; more is refused on its length alone. */
static size_t longest_frame(const struct peer *peer)
{
    switch (peer->state) {
    case STATE_MESSAGE_1:
        return LIM_HANDSHAKE_1;
    case STATE_MESSAGE_2:
        return LIM_HANDSHAKE_2;
    case STATE_MESSAGE_3:
        return LIM_HANDSHAKE_3;
    default:
        return peer->suite == PEER_SUITE_NOISE ? LIM_FRAME : LIM_PLAINTEXT;
    }
}

static bool in_handshake(const struct peer *peer)
{
    return peer->state == STATE_MESSAGE_1 || peer->state == STATE_MESSAGE_2 ||
           peer->state == STATE_MESSAGE_3;
}

static void on_frame_bytes(struct peer *peer, const struct peer_input *input, uint64_t now,
                           struct peer_output *out)
{
    if (input->len < 2)
        return;
    size_t len = wire_length(input->bytes);
    if (len == 0 || len > longest_frame(peer)) {
        peer_finish(peer, out, PEER_END_GARBAGE, false);
        return;
    }
    if (input->len - 2 < len)
        return;
    out->consumed = 2 + len;
    if (in_handshake(peer))
        peer_on_handshake(peer, input->bytes + 2, len, out);
    else
        peer_on_frame(peer, input->bytes + 2, len, now, out);
}

static void on_bytes(struct peer *peer, const struct peer_input *input, uint64_t now,
                     struct peer_output *out)
{
    release_message(peer);
    peer->heard = now;
    peer->pings = 0;
    if (peer->state == STATE_OVER)
        out->consumed = input->len;
    else if (peer->state == STATE_PREAMBLE)
        peer_on_preamble(peer, input, out);
    else if (peer->state != STATE_VERDICT && peer->state != STATE_ENROLLING &&
             peer->state != STATE_START)
        on_frame_bytes(peer, input, now, out);
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a == 0 || b < a ? b : a;
}

/* When an open connection without a request ends; 0: it does not. The client's owner decides for
 * it. */
static uint64_t idle_at(const struct peer *peer)
{
    if (peer->role == PEER_CLIENT || peer->open_requests > 0)
        return 0;
    return peer->last_id == 0 ? peer->opened + LIM_FIRST_REQUEST : peer->idle_since + LIM_IDLE;
}

static uint64_t silent_at(const struct peer *peer)
{
    return peer->heard + (uint64_t)LIM_SILENCE * (peer->pings + 1);
}

static uint64_t deadline(const struct peer *peer)
{
    switch (peer->state) {
    case STATE_START:
    case STATE_OVER:
        return 0;
    case STATE_PREAMBLE: /* absolute: one byte now and then does not move it */
        return peer->started + LIM_FIRST_BYTES;
    case STATE_REJECTED:
    case STATE_ENROLLING:
        return peer->opened + LIM_FIRST_REQUEST;
    case STATE_OPEN:
        break;
    default:
        return peer->started + LIM_HANDSHAKE;
    }
    uint64_t at = sooner(peer->opened + LIM_AGE, silent_at(peer));
    uint64_t idle = idle_at(peer);
    return idle ? sooner(at, idle) : at;
}

static void on_tick(struct peer *peer, uint64_t now, struct peer_output *out)
{
    uint64_t at = deadline(peer);

    if (at == 0 || now < at)
        return;
    if (peer->state != STATE_OPEN) {
        peer_finish(peer, out, PEER_END_DEADLINE, false);
    } else if (now >= peer->opened + LIM_AGE) {
        peer_goaway(peer, out, "shutting-down", PEER_END_AGE);
    } else if (idle_at(peer) && now >= idle_at(peer)) {
        peer_finish(peer, out, PEER_END_IDLE, true);
    } else if (peer->pings == LIM_PINGS) {
        peer_finish(peer, out, PEER_END_SILENT, false);
    } else {
        struct msg ping = {.type = MSG_PING, .u.ping.t = now};
        peer->pings++;
        peer_emit_message(peer, out, &ping);
    }
}

/* ---- the step -------------------------------------------------------------------------------- */

static void on_send(struct peer *peer, const struct msg *msg, struct peer_output *out)
{
    out->error = peer->state == STATE_OPEN ? peer_emit_message(peer, out, msg) : -ENOTCONN;
    if (out->error == 0 && peer->sent >= LIM_MESSAGES)
        peer_goaway(peer, out, "shutting-down", PEER_END_AGE);
}

void peer_step(struct peer *peer, const struct peer_input *input, uint64_t now,
               struct peer_output *ret_output)
{
    struct peer_output out = {.action = PEER_NOTHING};

    switch (input->kind) {
    case PEER_START:
        if (peer->state == STATE_START)
            peer_client_start(peer, now, &out);
        break;
    case PEER_BYTES:
        on_bytes(peer, input, now, &out);
        break;
    case PEER_SEND:
        on_send(peer, input->msg, &out);
        break;
    case PEER_VERDICT:
        if (peer->state == STATE_VERDICT)
            peer_on_verdict(peer, input, now, &out);
        else if (peer->state == STATE_ENROLLING)
            peer_on_enrol_verdict(peer, input->reject, now, &out);
        break;
    case PEER_REFUSE:
        if (peer->state == STATE_PREAMBLE)
            peer_refuse(peer, PEER_REFUSE_BUSY, input->wait_s, &out);
        break;
    case PEER_TICK:
        on_tick(peer, now, &out);
        break;
    case PEER_EOF:
        if (peer->state != STATE_OVER)
            peer_finish(peer, &out, PEER_END_EOF, false);
        break;
    }
    out.wake_at = deadline(peer);
    *ret_output = out;
}

void peer_set_requests(struct peer *peer, unsigned open, uint64_t now)
{
    if (open == 0 && peer->open_requests > 0)
        peer->idle_since = now;
    peer->open_requests = open;
}

bool peer_is_open(const struct peer *peer)
{
    return peer->state == STATE_OPEN;
}

const char *peer_end_name(enum peer_end end)
{
    static const char *const names[PEER_ENDS] = {
        [PEER_END_NONE] = "none",
        [PEER_END_CLOSED] = "closed",
        [PEER_END_IDLE] = "idle",
        [PEER_END_AGE] = "age",
        [PEER_END_EOF] = "closed by the peer",
        [PEER_END_LOST] = "connection lost",
        [PEER_END_SILENT] = "peer silent",
        [PEER_END_STALLED] = "peer takes nothing",
        [PEER_END_DEADLINE] = "handshake too slow",
        [PEER_END_GARBAGE] = "not this protocol",
        [PEER_END_AUTH] = "does not authenticate",
        [PEER_END_REFUSED] = "refused",
        [PEER_END_BAD_MESSAGE] = "bad message",
        [PEER_END_UNAUTHORIZED] = "key rejected",
    };
    return end < PEER_ENDS ? names[end] : "unknown";
}
