/* SPDX-License-Identifier: MIT */
/* A call: what the server says, and what becomes of the call by it. */
#include "client/call_inside.h"

static void on_error(struct call *call, const struct msg_error *error)
{
    slice_copy(call->result.code, sizeof(call->result.code), error->code);
    slice_copy(call->result.message, sizeof(call->result.message), error->msg);
    slice_copy(call->result.at, sizeof(call->result.at), error->at);
    call->result.retry_ms = error->retry_ms;
    bool unknown = slice_eq(error->code, SLICE("outcome-unknown")) ||
                   (call->sent && call->accepted && slice_eq(error->code, SLICE("unknown-uid")));
    call_finish(call, unknown ? CALL_UNKNOWN : CALL_ERROR);
}

static void on_result(struct call *call, const struct msg_result *result)
{
    slice_copy(call->result.state, sizeof(call->result.state), result->st);
    call->result.counts = result->n;
    call_finish(call, CALL_RESULT);
}

/* Our key is out: no other connection would do better. */
static bool sends_us_away(struct slice code)
{
    return slice_eq(code, SLICE("unauthorized")) || slice_eq(code, SLICE("revoked")) ||
           slice_eq(code, SLICE("expired"));
}

/* The two ends do not understand each other, and would not on another connection either. */
static bool is_misunderstanding(struct slice code)
{
    return slice_eq(code, SLICE("bad-message")) || slice_eq(code, SLICE("unsupported"));
}

/* The server ends the connection. Unless it sends us away for good, the call goes on elsewhere. */
static void on_goaway(struct call *call, const struct msg_goaway *goaway)
{
    slice_copy(call->result.code, sizeof(call->result.code), goaway->code);
    slice_copy(call->result.message, sizeof(call->result.message), goaway->msg);
    call->result.retry_ms = goaway->retry_ms;
    call->queueing = call->config.queues && !call->accepted && !call->unsure &&
                     slice_eq(goaway->code, SLICE("busy"));
    bool resumes =
        call->accepted || call->queueing || slice_eq(goaway->code, SLICE("shutting-down"));
    if (call->accepted && is_misunderstanding(goaway->code))
        call_finish(call, CALL_UNKNOWN);
    else if (resumes && call_survives_loss(call) && !sends_us_away(goaway->code))
        call->retry_ms = goaway->retry_ms; /* gone follows, and then another try */
    else
        call_finish(call, call->unsure && !call->accepted ? CALL_UNKNOWN : CALL_ERROR);
}

static void on_event(struct call *call, const struct msg *msg)
{
    const struct msg_events *events = &msg->u.events;

    call->tries = 0;
    call->accepted |= events->ev.n > 0; /* misses may stand before ERROR too */
    if (events->ev.n > 0 && events->ev.items[events->ev.n - 1].q > call->last_q)
        call->last_q = (uint32_t)events->ev.items[events->ev.n - 1].q;
    call->config.owner->message(call->config.context, msg);
}

static void on_welcome(struct call *call, const struct msg *msg)
{
    uv_timer_stop(&call->timer);
    call->lost_at = 0; /* the server is back */
    call_set_give_up(call);
    call->config.owner->message(call->config.context, msg);
    if (call->request.type == MSG_PING)
        call_finish(call, CALL_RESULT);
    else if (call->step == STEP_CONNECT)
        call_ask(call);
}

/* Whoever does not know the invitation is left without a word. */
static void on_enrolled(struct call *call, const struct msg *msg)
{
    if (!enrol_verify(call->config.invited, ENROL_SERVER, stream_handshake_hash(call->stream),
                      (const uint8_t *)msg->u.enrolled.mac.ptr)) {
        call_finish(call, CALL_NOT_INVITER);
        return;
    }
    call->config.owner->message(call->config.context, msg);
    call_finish(call, CALL_RESULT);
}

void call_on_message(void *owner, struct stream *stream, const struct msg *msg)
{
    struct call *call = owner;

    (void)stream;
    if (call->step == STEP_END)
        return;
    if (msg->type == MSG_GOAWAY) {
        on_goaway(call, &msg->u.goaway);
    } else if (msg->type == MSG_WELCOME) {
        on_welcome(call, msg);
    } else if (msg->type == MSG_NOTE) {
        call->config.owner->message(call->config.context, msg);
    } else if (call->step != STEP_ANSWER || msg->id != call->id) {
        return; /* the answer to a CANCEL, or to nothing */
    } else if (msg->type == MSG_EVENT) {
        on_event(call, msg);
    } else if (msg->type == MSG_RESULT) {
        on_result(call, &msg->u.result);
    } else if (msg->type == MSG_ERROR) {
        on_error(call, &msg->u.error);
    } else if (msg->type == MSG_ENROLLED && call->request.type == MSG_ENROL) {
        on_enrolled(call, msg);
    } else if (msg->type == MSG_GRANTED && call->request.type == MSG_GRANT) {
        call->config.owner->message(call->config.context, msg);
        call_finish(call, CALL_RESULT);
    }
}
