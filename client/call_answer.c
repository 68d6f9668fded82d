/* SPDX-License-Identifier: MIT */
/* A call: what the server says, and what becomes of the call by it. */
#include "client/call_inside.h"

/* Our key is out: no other connection would do better. */
static bool sends_us_away(struct slice code)
{
    return slice_eq(code, SLICE("unauthorized")) || slice_eq(code, SLICE("revoked")) ||
           slice_eq(code, SLICE("expired"));
}

/*
 * Whether this ERROR says nothing of a message that was accepted, or may have been on a connection
 * that was lost. `moved` speaks for itself.
 */
static bool leaves_open(const struct call *call, const struct ask *ask, struct slice code)
{
    if (slice_eq(code, SLICE("outcome-unknown")))
        return true;
    if (!call_survives_loss(call))
        return false;
    if (ask->accepted)
        return !slice_eq(code, SLICE("moved"));
    return call->unsure && (sends_us_away(code) || slice_eq(code, SLICE("busy")) ||
                            slice_eq(code, SLICE("internal")));
}

static void on_error(struct call *call, struct ask *ask, const struct msg_error *error)
{
    struct call_result result = call->result;
    bool unknown = leaves_open(call, ask, error->code);

    if (unknown && error->retry_ms > 0) {
        call->retry_ms = error->retry_ms;
        stream_drop(call->stream); /* `gone` follows, and then another try */
        return;
    }
    slice_copy(result.code, sizeof(result.code), error->code);
    slice_copy(result.message, sizeof(result.message), error->msg);
    slice_copy(result.at, sizeof(result.at), error->at);
    result.retry_ms = error->retry_ms;
    result.outcome = unknown ? CALL_UNKNOWN : CALL_ERROR;
    call_end_ask(call, ask, &result);
}

static void on_result(struct call *call, struct ask *ask, const struct msg_result *msg)
{
    struct call_result result = call->result;

    slice_copy(result.state, sizeof(result.state), msg->st);
    result.counts = msg->n;
    result.outcome = CALL_RESULT;
    call_end_ask(call, ask, &result);
}

/* The two ends do not understand each other, and would not on another connection either. */
static bool is_misunderstanding(struct slice code)
{
    return slice_eq(code, SLICE("bad-message")) || slice_eq(code, SLICE("unsupported"));
}

static bool goes_on_elsewhere(const struct call *call, const struct ask *ask, struct slice code)
{
    bool resumes =
        ask->accepted ? !is_misunderstanding(code) : slice_eq(code, SLICE("shutting-down"));

    return resumes && call_survives_loss(call) && !sends_us_away(code);
}

/* The server ends the connection. Where any goes on, `gone` follows, and then another try. */
static void on_goaway(struct call *call, const struct msg_goaway *goaway)
{
    struct call_result *result = &call->result;

    slice_copy(result->code, sizeof(result->code), goaway->code);
    slice_copy(result->message, sizeof(result->message), goaway->msg);
    result->retry_ms = call->retry_ms = goaway->retry_ms;
    for (size_t i = 0; i < call->n; i++) {
        struct ask *ask = &call->asks[i];
        result->outcome = ask->accepted || call->unsure ? CALL_UNKNOWN : CALL_ERROR;
        if (!goes_on_elsewhere(call, ask, goaway->code))
            call_end_ask(call, ask, result);
    }
}

static void on_event(struct call *call, struct ask *ask, const struct msg *msg)
{
    const struct msg_events *events = &msg->u.events;

    call->tries = 0;
    ask->accepted |= events->ev.n > 0; /* misses may stand before ERROR too */
    if (events->ev.n > 0 && events->ev.items[events->ev.n - 1].q > ask->last_q)
        ask->last_q = (uint32_t)events->ev.items[events->ev.n - 1].q;
    call->config.owner->message(ask->owner, msg);
}

static void on_welcome(struct call *call, const struct msg *msg)
{
    uv_timer_stop(&call->timer);
    call->lost_at = 0; /* the server is back */
    call_set_give_up(call);
    call->config.owner->message(call->asks[0].owner, msg);
    if (call->asks[0].request.type == MSG_PING)
        call_finish(call, CALL_RESULT);
    else if (call->step == STEP_CONNECT)
        call_ask(call);
}

/* Whoever does not know the invitation is left without a word. */
static void on_enrolled(struct call *call, struct ask *ask, const struct msg *msg)
{
    if (!enrol_verify(call->config.invited, ENROL_SERVER, stream_handshake_hash(call->stream),
                      (const uint8_t *)msg->u.enrolled.mac.ptr)) {
        call_finish(call, CALL_NOT_INVITER);
        return;
    }
    call->config.owner->message(ask->owner, msg);
    call_finish(call, CALL_RESULT);
}

static void on_answer(struct call *call, struct ask *ask, const struct msg *msg)
{
    if (msg->type == MSG_EVENT) {
        on_event(call, ask, msg);
    } else if (msg->type == MSG_RESULT) {
        on_result(call, ask, &msg->u.result);
    } else if (msg->type == MSG_ERROR) {
        on_error(call, ask, &msg->u.error);
    } else if (msg->type == MSG_ENROLLED && ask->request.type == MSG_ENROL) {
        on_enrolled(call, ask, msg);
    } else if (msg->type == MSG_GRANTED && ask->request.type == MSG_GRANT) {
        call->config.owner->message(ask->owner, msg);
        call_finish(call, CALL_RESULT);
    }
}

/* NULL: the answer to a CANCEL, or to nothing. */
static struct ask *asked(struct call *call, uint32_t id)
{
    for (size_t i = 0; call->step == STEP_ANSWER && i < call->n; i++)
        if (!call->asks[i].over && call->asks[i].id == id)
            return &call->asks[i];
    return NULL;
}

void call_on_message(void *owner, struct stream *stream, const struct msg *msg)
{
    struct call *call = owner;
    struct ask *ask = asked(call, msg->id);

    (void)stream;
    if (call->step == STEP_END)
        return;
    if (msg->type == MSG_GOAWAY)
        on_goaway(call, &msg->u.goaway);
    else if (msg->type == MSG_WELCOME)
        on_welcome(call, msg);
    else if (msg->type == MSG_NOTE)
        call->config.owner->message(ask != NULL ? ask->owner : call->asks[0].owner, msg);
    else if (ask != NULL)
        on_answer(call, ask, msg);
}
