/* SPDX-License-Identifier: MIT */
#include "protocol/peer_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

static const uint8_t magic[4] = {0x4d, 0x53, 0x47, 0x00};         /* MSG\0 */
static const uint8_t refusal_magic[4] = {0x52, 0x45, 0x46, 0x00}; /* REF\0 */

/* The preamble is the Noise prologue too: nobody can change it unseen. */
static void make_preamble(enum peer_suite suite, uint8_t out[static LIM_PREAMBLE])
{
    memcpy(out, magic, sizeof(magic));
    out[4] = PEER_VERSION;
    out[5] = (uint8_t)suite;
    out[6] = out[7] = 0; /* flags */
}

int peer_handshake_begin(struct peer *peer)
{
    uint8_t prologue[LIM_PREAMBLE];

    make_preamble(PEER_SUITE_NOISE, prologue);
    peer->handshake = calloc(1, sizeof(*peer->handshake));
    if (peer->handshake == NULL)
        return -ENOMEM;
    int result = noise_init(peer->handshake, peer->role == PEER_CLIENT, peer->static_keys,
                            &peer->ephemeral, prologue, sizeof(prologue));
    sodium_memzero(&peer->ephemeral, sizeof(peer->ephemeral));
    return result;
}

void peer_handshake_end(struct peer *peer)
{
    if (peer->handshake != NULL)
        noise_wipe(peer->handshake);
    free(peer->handshake);
    peer->handshake = NULL;
}

/* ---- preamble and refusal -------------------------------------------------------------------- */

void peer_refuse(struct peer *peer, enum peer_refusal_code code, uint8_t wait_s,
                 struct peer_output *out)
{
    uint8_t refusal[LIM_REFUSAL] = {[4] = (uint8_t)code, PEER_VERSION, PEER_VERSION, wait_s};

    memcpy(refusal, refusal_magic, sizeof(refusal_magic));
    memcpy(peer_emit_room(peer, out), refusal, sizeof(refusal));
    peer_emit_frame(peer, out, sizeof(refusal));
    peer_finish(peer, out, PEER_END_REFUSED, true);
}

bool peer_is_refusal(struct peer *peer, const uint8_t *frame, size_t len, struct peer_output *out)
{
    if (len != LIM_REFUSAL || memcmp(frame, refusal_magic, sizeof(refusal_magic)) != 0)
        return false;
    peer->refusal = (struct peer_refusal){frame[4], frame[5], frame[6], frame[7]};
    peer_finish(peer, out, PEER_END_REFUSED, false);
    return true;
}

void peer_on_preamble(struct peer *peer, const struct peer_input *input, struct peer_output *out)
{
    uint8_t expected[LIM_PREAMBLE];
    size_t known = input->len < sizeof(magic) ? input->len : sizeof(magic);

    make_preamble(peer->suite, expected);
    if (memcmp(input->bytes, magic, known) != 0) {
        peer_finish(peer, out, PEER_END_GARBAGE, false);
    } else if (input->len < LIM_PREAMBLE) {
        return;
    } else if (input->bytes[4] != PEER_VERSION) {
        peer_refuse(peer, PEER_REFUSE_VERSION, 0, out);
    } else if (memcmp(input->bytes, expected, sizeof(expected)) != 0) { /* suite or flags */
        peer_refuse(peer, PEER_REFUSE_SUITE, 0, out);
    } else {
        out->consumed = LIM_PREAMBLE;
        peer->state = peer->suite == PEER_SUITE_PLAIN ? STATE_HELLO : STATE_MESSAGE_1;
    }
}

/* ---- our messages ---------------------------------------------------------------------------- */

/* Frames the next handshake message around a payload. */
static int emit_handshake(struct peer *peer, struct peer_output *out, const uint8_t *payload,
                          size_t payload_len)
{
    ssize_t len =
        noise_write(peer->handshake, payload, payload_len, peer_emit_room(peer, out), LIM_FRAME);
    if (len < 0)
        return (int)len;
    peer_emit_frame(peer, out, (size_t)len);
    return 0;
}

void peer_client_start(struct peer *peer, uint64_t now, struct peer_output *out)
{
    uint8_t preamble[LIM_PREAMBLE];

    make_preamble(peer->suite, preamble);
    peer_emit(peer, out, preamble, sizeof(preamble));
    peer->started = peer->heard = now;
    if (peer->suite == PEER_SUITE_PLAIN) {
        struct msg hello = {.type = MSG_HELLO,
                            .u.hello = {.v = PEER_VERSION, .agent = peer->agent}};
        peer->state = STATE_OPEN;
        peer->opened = now;
        if (peer_emit_message(peer, out, &hello) < 0)
            peer_finish(peer, out, PEER_END_BAD_MESSAGE, false);
        return;
    }
    peer->state = STATE_MESSAGE_2;
    if (emit_handshake(peer, out, NULL, 0) < 0)
        peer_finish(peer, out, PEER_END_AUTH, false);
}

static struct slice_list our_endorsements(const struct peer *peer)
{
    return peer->end ? *peer->end : (struct slice_list){NULL, 0};
}

static int emit_message_2(struct peer *peer, struct peer_output *out)
{
    uint8_t payload[LIM_HANDSHAKE_2];
    struct msg_hello2 hello = {.v = PEER_VERSION, .end = our_endorsements(peer)};

    ssize_t len = msg_encode_hello2(&hello, payload, sizeof(payload));
    return len < 0 ? (int)len : emit_handshake(peer, out, payload, (size_t)len);
}

static int emit_message_3(struct peer *peer, struct peer_output *out)
{
    uint8_t payload[LIM_HANDSHAKE_3];
    struct msg_hello3 hello = {
        .v = PEER_VERSION, .agent = peer->agent, .end = our_endorsements(peer)};

    ssize_t len = msg_encode_hello3(&hello, payload, sizeof(payload));
    return len < 0 ? (int)len : emit_handshake(peer, out, payload, (size_t)len);
}

/* ---- their messages -------------------------------------------------------------------------- */

/* Message 1: the payload may hold up to 256 bytes of a later extension; they are ignored. */
static enum peer_end on_message_1(struct peer *peer, const uint8_t *frame, size_t len,
                                  struct peer_output *out)
{
    if (peer_handshake_begin(peer) < 0)
        return PEER_END_LOST;
    ssize_t payload = noise_read(peer->handshake, frame, len, peer->scratch->plain, LIM_FRAME);
    if (payload < 0)
        return PEER_END_AUTH;
    if (emit_message_2(peer, out) < 0)
        return PEER_END_AUTH;
    peer->state = STATE_MESSAGE_3;
    return PEER_END_NONE;
}

static bool is_hello(struct peer *peer, size_t len, struct slice_list *ret_end)
{
    struct msg_hello2 hello2;
    struct msg_hello3 hello3;

    int result = peer->role == PEER_CLIENT
                     ? msg_decode_hello2(&hello2, &peer->doc, peer->scratch->plain, len)
                     : msg_decode_hello3(&hello3, &peer->doc, peer->scratch->plain, len);
    peer->has_doc = result == 0;
    if (result == 0)
        *ret_end = peer->role == PEER_CLIENT ? hello2.end : hello3.end;
    return result == 0;
}

/* Messages 2 and 3: then the owner judges the key. */
static enum peer_end on_message_with_key(struct peer *peer, const uint8_t *frame, size_t len,
                                         struct peer_output *out)
{
    ssize_t payload = noise_read(peer->handshake, frame, len, peer->scratch->plain, LIM_FRAME);
    if (payload < 0)
        return PEER_END_AUTH;
    if (!is_hello(peer, (size_t)payload, &out->endorsements))
        return PEER_END_BAD_MESSAGE;
    peer->state = STATE_VERDICT;
    out->action = PEER_ASK_KEY;
    out->key = &peer->handshake->remote_static;
    return PEER_END_NONE;
}

void peer_on_handshake(struct peer *peer, const uint8_t *frame, size_t len, struct peer_output *out)
{
    enum peer_end end;

    if (peer->state == STATE_MESSAGE_2 && peer_is_refusal(peer, frame, len, out))
        return;
    if (peer->state == STATE_MESSAGE_1)
        end = on_message_1(peer, frame, len, out);
    else
        end = on_message_with_key(peer, frame, len, out);
    if (end != PEER_END_NONE)
        peer_finish(peer, out, end, false);
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static bool open_transport(struct peer *peer)
{
    memcpy(peer->handshake_hash, peer->handshake->hash, sizeof(peer->handshake_hash));
    int result = noise_split(peer->handshake, &peer->send, &peer->receive);
    peer_handshake_end(peer);
    return result == 0;
}

void peer_on_verdict(struct peer *peer, const struct peer_input *input, uint64_t now,
                     struct peer_output *out)
{
    if (peer->role == PEER_CLIENT) {
        if (input->reject != NULL) {
            peer_finish(peer, out, PEER_END_UNAUTHORIZED, false);
            return;
        }
        if (emit_message_3(peer, out) < 0) {
            peer_finish(peer, out, PEER_END_AUTH, false);
            return;
        }
    }
    if (!open_transport(peer)) {
        peer_finish(peer, out, PEER_END_AUTH, false);
        return;
    }
    peer->reject = input->reject;
    peer->may_enrol = input->may_enrol;
    peer->state = input->reject == NULL ? STATE_OPEN : STATE_REJECTED;
    peer->opened = peer->idle_since = now;
}
