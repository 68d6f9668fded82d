/* SPDX-License-Identifier: MIT */
/*
 * What the files of peer share and nobody else includes: peer.c holds the step and the deadlines,
 * peer_handshake.c everything up to the open connection, peer_open.c the messages after it.
 */
#ifndef MSG_PROTOCOL_PEER_INSIDE_H
#define MSG_PROTOCOL_PEER_INSIDE_H

#include "protocol/peer.h"

enum peer_state {
    STATE_START,     /* client: nothing sent; server: nothing heard */
    STATE_PREAMBLE,  /* server: waits for the preamble */
    STATE_MESSAGE_1, /* server: waits for handshake message 1 */
    STATE_MESSAGE_2, /* client */
    STATE_MESSAGE_3, /* server */
    STATE_VERDICT,   /* the owner judges the other side's key */
    STATE_REJECTED,  /* server: the key is rejected, the first request will be told so */
    STATE_ENROLLING, /* server: the owner judges a rejected key's ENROL */
    STATE_HELLO,     /* server on a Unix socket: waits for HELLO */
    STATE_OPEN,
    STATE_OVER, /* whatever comes is thrown away */
};

/* ---- peer.c: what a step puts out ------------------------------------------------------------ */

void peer_emit(struct peer *peer, struct peer_output *out, const void *bytes, size_t len);
/* Encodes, encrypts and frames one message; 0, or what msg_encode returns. */
int peer_emit_message(struct peer *peer, struct peer_output *out, const struct msg *msg);
/* Frames bytes that stand already at peer_emit_room(): `len` of them. */
uint8_t *peer_emit_room(struct peer *peer, const struct peer_output *out);
void peer_emit_frame(struct peer *peer, struct peer_output *out, size_t len);
/* The connection is over: nothing is read any more; linger where an answer must not be lost. */
void peer_finish(struct peer *peer, struct peer_output *out, enum peer_end end, bool linger);
/* GOAWAY with a code, then the end. */
void peer_goaway(struct peer *peer, struct peer_output *out, const char *code, enum peer_end end);

/* ---- peer_handshake.c ------------------------------------------------------------------------ */

/* Makes and ends the handshake's state; 0, -ENOMEM or -EINVAL. */
int peer_handshake_begin(struct peer *peer);
void peer_handshake_end(struct peer *peer);
void peer_client_start(struct peer *peer, uint64_t now, struct peer_output *out);
/* The server's preamble: `consumed` stays 0 while it is incomplete. */
void peer_on_preamble(struct peer *peer, const struct peer_input *input, struct peer_output *out);
/* A whole frame in one of the handshake's states. */
void peer_on_handshake(struct peer *peer, const uint8_t *frame, size_t len,
                       struct peer_output *out);
void peer_on_verdict(struct peer *peer, const struct peer_input *input, uint64_t now,
                     struct peer_output *out);
void peer_refuse(struct peer *peer, enum peer_refusal_code code, uint8_t wait_s,
                 struct peer_output *out);
/* Client: true if the frame is a refusal; then the connection is over. */
bool peer_is_refusal(struct peer *peer, const uint8_t *frame, size_t len, struct peer_output *out);

/* ---- peer_open.c ----------------------------------------------------------------------------- */

/* The owner's word on ENROL: the connection opens, or the request ends with the code. */
void peer_on_enrol_verdict(struct peer *peer, const char *reject, uint64_t now,
                           struct peer_output *out);
/* A whole frame on an open connection, or the first one in HELLO and REJECTED. */
void peer_on_frame(struct peer *peer, const uint8_t *frame, size_t len, uint64_t now,
                   struct peer_output *out);

#endif
