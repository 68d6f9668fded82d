/* SPDX-License-Identifier: MIT */
#include "protocol/peer_inside.h"

#include <errno.h>

/* Types of the connection itself: their id is 0. All others begin or end a request. */
static bool is_of_connection(uint32_t type)
{
    return type == MSG_NOOP || type == MSG_PING || type == MSG_PONG || type == MSG_GOAWAY ||
           type == MSG_WELCOME || type == MSG_HELLO;
}

static void answer_error(struct peer *peer, struct peer_output *out, uint32_t id, const char *code,
                         const char *at)
{
    struct msg error = {.type = MSG_ERROR, .id = id, .u.error.code = slice_of(code)};
    char cut[LIM_NAME + 1];

    /* An unknown key is the client's own string; only one that may stand in a message goes back. */
    snprintf(cut, sizeof(cut), "%s", at);
    error.u.error.at = slice_of(cut);
    size_t before = out->write_len;
    if (peer_emit_message(peer, out, &error) == 0)
        return;
    out->write_len = before;
    error.u.error.at = (struct slice){0};
    peer_emit_message(peer, out, &error);
}

/* ---- the server ------------------------------------------------------------------------------ */

/* Ids rise from 1, so that one can never mean two requests. */
static bool takes_id(struct peer *peer, uint32_t id, uint64_t now)
{
    if (id <= peer->last_id)
        return false;
    peer->last_id = id;
    peer->idle_since = now;
    return true;
}

/* What needs no owner on an open connection; true if it was dealt with. */
static bool on_housekeeping(struct peer *peer, const struct msg *msg, struct peer_output *out)
{
    struct msg pong = {.type = MSG_PONG, .u.pong.t = msg->u.ping.t};

    switch (msg->type) {
    case MSG_NOOP:
    case MSG_PONG:
        return true;
    case MSG_PING:
        peer_emit_message(peer, out, &pong);
        return true;
    default:
        return false;
    }
}

static void pass_on(struct peer_output *out, const struct msg *msg)
{
    out->action = PEER_MESSAGE;
    out->msg = *msg;
}

/* An unknown type: odd ones may be ignored, even ones are answered. */
static void server_on_unknown(struct peer *peer, const struct msg *msg, uint64_t now,
                              struct peer_output *out)
{
    if (msg->type % 2 == 1)
        return;
    if (msg->id == 0)
        peer_goaway(peer, out, "unsupported", PEER_END_BAD_MESSAGE);
    else if (takes_id(peer, msg->id, now))
        answer_error(peer, out, msg->id, "unsupported", "");
    else
        peer_goaway(peer, out, "bad-message", PEER_END_BAD_MESSAGE);
}

/* fault: NULL, or why the fields of a known type were refused. */
static void server_on_message(struct peer *peer, const struct msg *msg,
                              const struct msg_fault *fault, uint64_t now, struct peer_output *out)
{
    int from = msg_sender(msg->type);
    bool hello = msg->type == MSG_HELLO && peer->state == STATE_HELLO;

    if (from == 0)
        server_on_unknown(peer, msg, now, out);
    else if (!(from & MSG_FROM_CLIENT) || (msg->type == MSG_HELLO) != hello ||
             (peer->state == STATE_HELLO && !hello) ||
             (is_of_connection(msg->type) ? msg->id != 0 : !takes_id(peer, msg->id, now)))
        peer_goaway(peer, out, "bad-message", PEER_END_BAD_MESSAGE);
    else if (fault != NULL && msg->id == 0)
        peer_goaway(peer, out, fault->code, PEER_END_BAD_MESSAGE);
    else if (fault != NULL)
        answer_error(peer, out, msg->id, fault->code, fault->at);
    else if (!on_housekeeping(peer, msg, out))
        pass_on(out, msg);
    if (hello && peer->state == STATE_HELLO) {
        peer->state = STATE_OPEN;
        peer->opened = peer->idle_since = now;
    }
}

/* A sound ENROL, where it is offered. */
static bool is_enrolment(const struct peer *peer, const struct msg *msg,
                         const struct msg_fault *fault)
{
    return peer->may_enrol && fault == NULL && msg->type == MSG_ENROL && msg->id != 0;
}

/* The first frame of a rejected key: whatever else it asks, this is the answer. */
static void answer_rejected(struct peer *peer, const struct msg *msg, const struct msg_fault *fault,
                            struct peer_output *out)
{
    if (is_enrolment(peer, msg, fault)) {
        peer->state = STATE_ENROLLING;
        peer->last_id = msg->id;
        pass_on(out, msg);
        return;
    }
    if (msg->id == 0) {
        peer_goaway(peer, out, peer->reject, PEER_END_UNAUTHORIZED);
        return;
    }
    answer_error(peer, out, msg->id, peer->reject, "");
    peer_finish(peer, out, PEER_END_UNAUTHORIZED, true);
}

void peer_on_enrol_verdict(struct peer *peer, const char *reject, uint64_t now,
                           struct peer_output *out)
{
    if (reject == NULL) {
        peer->state = STATE_OPEN;
        peer->opened = peer->idle_since = now;
        return;
    }
    answer_error(peer, out, peer->last_id, reject, "");
    peer_finish(peer, out, PEER_END_UNAUTHORIZED, true);
}

/* ---- the client ------------------------------------------------------------------------------ */

/* Before WELCOME only a refusal may come, or ENROLLED; WELCOME comes once. */
static bool is_in_turn(struct peer *peer, uint32_t type)
{
    if (type == MSG_WELCOME) {
        bool first = !peer->welcomed;
        peer->welcomed = true;
        return first;
    }
    return peer->welcomed || type == MSG_ERROR || type == MSG_ENROLLED || type == MSG_GOAWAY ||
           type == MSG_NOTE || type == MSG_PING || type == MSG_NOOP || msg_sender(type) == 0;
}

static void client_on_message(struct peer *peer, const struct msg *msg,
                              const struct msg_fault *fault, struct peer_output *out)
{
    int from = msg_sender(msg->type);

    if (from == 0 && msg->type % 2 == 1)
        return;
    if (from == 0)
        peer_goaway(peer, out, "unsupported", PEER_END_BAD_MESSAGE);
    else if (fault != NULL || !(from & MSG_FROM_SERVER) || !is_in_turn(peer, msg->type))
        peer_goaway(peer, out, "bad-message", PEER_END_BAD_MESSAGE);
    else if (!on_housekeeping(peer, msg, out))
        pass_on(out, msg);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* The frame's plaintext, in the scratch unless the transport is plain; NULL if it is forged. */
static const uint8_t *open_frame(struct peer *peer, const uint8_t *frame, size_t len,
                                 size_t *ret_len)
{
    if (peer->suite == PEER_SUITE_PLAIN) {
        *ret_len = len;
        return frame;
    }
    ssize_t plain = noise_decrypt(&peer->receive, frame, len, peer->scratch->plain, LIM_FRAME);
    if (plain < 0)
        return NULL;
    *ret_len = (size_t)plain;
    return peer->scratch->plain;
}

static void on_plaintext(struct peer *peer, const uint8_t *plain, size_t len, uint64_t now,
                         struct peer_output *out)
{
    struct msg msg;
    struct msg_fault fault = {0};

    int result = msg_decode(&msg, &peer->doc, plain, len, &fault);
    peer->has_doc = result == 0;
    if (result == -ENOMEM)
        peer_finish(peer, out, PEER_END_LOST, false);
    else if (result < 0 && fault.fatal)
        peer_goaway(peer, out, "bad-message", PEER_END_BAD_MESSAGE);
    else if (peer->state == STATE_REJECTED)
        answer_rejected(peer, &msg, result < 0 ? &fault : NULL, out);
    else if (peer->role == PEER_SERVER)
        server_on_message(peer, &msg, result < 0 ? &fault : NULL, now, out);
    else
        client_on_message(peer, &msg, result < 0 ? &fault : NULL, out);
}

void peer_on_frame(struct peer *peer, const uint8_t *frame, size_t len, uint64_t now,
                   struct peer_output *out)
{
    size_t plain_len;

    if (peer->role == PEER_CLIENT && !peer->welcomed && peer->suite == PEER_SUITE_PLAIN &&
        peer_is_refusal(peer, frame, len, out))
        return;
    const uint8_t *plain = open_frame(peer, frame, len, &plain_len);
    if (plain == NULL) {
        peer_finish(peer, out, PEER_END_AUTH, false);
        return;
    }
    on_plaintext(peer, plain, plain_len, now, out);
    if (++peer->received >= LIM_MESSAGES && out->action != PEER_CLOSE)
        peer_goaway(peer, out, "shutting-down", PEER_END_AGE);
}
