/* SPDX-License-Identifier: MIT */
#include "client/call.h"

#include "client/dial.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long to wait before the connection is made again. */
static const uint64_t pauses[] = {100, 300, 1000, 2000};

enum step {
    STEP_CONNECT, /* up to the key's judgement; of a SEND to the Unix socket up to WELCOME */
    STEP_ANSWER,  /* the request is sent */
    STEP_PAUSE,   /* the connection is lost; another try follows */
    STEP_END,     /* waits for its handles to close */
};

struct call {
    struct call_server server;
    struct call_config config;
    struct msg request;
    enum step step;
    struct dial *dial; /* CONNECT */
    struct stream *stream;
    uv_timer_t timer;   /* the step's deadline, or the pause's end */
    uv_timer_t give_up; /* of the whole call, or of a lost connection */
    unsigned handles;
    uint32_t last_id; /* on this connection */
    uint32_t id;      /* of the request on this connection */
    bool sent;        /* the request left at least once */
    bool accepted;    /* an event came: from now on only ATTACH */
    bool withdrawing;
    bool queueing; /* turned away as busy: nothing of what was sent was acted on */
    bool unsure;   /* it may have been, on a connection that was lost */
    uint32_t last_q;
    unsigned tries;    /* since a connection last brought the request on */
    uint64_t retry_ms; /* the next try not before */
    uint64_t sent_at, lost_at;
    struct call_result result;
};

static void begin_try(struct call *call);

/* ---- the end ----------------------------------------------------------------------------------
 */

static void maybe_done(struct call *call)
{
    if (call->handles > 0 || call->stream != NULL)
        return;
    call->config.owner->done(call->config.context, &call->result);
    free(call);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;

    call->handles--;
    maybe_done(call);
}

static void finish(struct call *call, enum call_outcome outcome)
{
    if (call->step == STEP_END)
        return;
    call->step = STEP_END;
    call->result.outcome = outcome;
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
    uv_close((uv_handle_t *)&call->give_up, on_timer_closed);
    if (call->dial != NULL)
        dial_cancel(call->dial);
    call->dial = NULL;
    if (call->stream != NULL)
        stream_close(call->stream);
}

/* Nothing was sent yet: why not. */
static enum call_outcome connect_outcome(const struct stream_end *end)
{
    return end->why == PEER_END_LOST ? CALL_UNREACHABLE : CALL_NOT_MSGD;
}

/* ---- a lost connection --------------------------------------------------------------------------
 */

static bool survives_loss(const struct call *call)
{
    return call->request.type == MSG_SEND || call->request.type == MSG_ATTACH;
}

static void on_pause_over(uv_timer_t *timer)
{
    begin_try(timer->data);
}

static void on_give_up(uv_timer_t *timer)
{
    const struct call *call = timer->data;

    finish(timer->data, call->queueing ? CALL_ERROR : CALL_UNKNOWN);
}

/* When the call is given up: with its time, or when the connection was lost for too long. */
static void set_give_up(struct call *call)
{
    uint64_t now = uv_now(call->config.loop), at = 0;

    if (call->config.give_up_ms > 0 && call->sent)
        at = call->sent_at + call->config.give_up_ms;
    if (call->lost_at > 0 && (at == 0 || call->lost_at + call->config.lost_ms < at))
        at = call->lost_at + call->config.lost_ms;
    if (at > 0)
        uv_timer_start(&call->give_up, on_give_up, at > now ? at - now : 0, 0);
    else
        uv_timer_stop(&call->give_up);
}

static void try_again(struct call *call)
{
    size_t last = sizeof(pauses) / sizeof(pauses[0]) - 1;

    call->step = STEP_PAUSE;
    if (call->lost_at == 0) {
        call->lost_at = uv_now(call->config.loop);
        if (call->config.owner->reconnecting != NULL && !call->queueing)
            call->config.owner->reconnecting(call->config.context);
    }
    set_give_up(call);
    uint64_t pause = pauses[call->tries < last ? call->tries : last];
    if (pause < call->retry_ms)
        pause = call->retry_ms;
    call->retry_ms = 0;
    call->tries++;
    uv_timer_start(&call->timer, on_pause_over, pause, 0);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void copy(char *out, size_t size, struct slice in)
{
    snprintf(out, size, "%.*s", (int)in.len, in.ptr ? in.ptr : "");
}

static void on_error(struct call *call, const struct msg_error *error)
{
    copy(call->result.code, sizeof(call->result.code), error->code);
    copy(call->result.message, sizeof(call->result.message), error->msg);
    copy(call->result.at, sizeof(call->result.at), error->at);
    call->result.retry_ms = error->retry_ms;
    bool unknown = slice_eq(error->code, SLICE("outcome-unknown")) ||
                   (call->sent && call->accepted && slice_eq(error->code, SLICE("unknown-uid")));
    finish(call, unknown ? CALL_UNKNOWN : CALL_ERROR);
}

static void on_result(struct call *call, const struct msg_result *result)
{
    copy(call->result.state, sizeof(call->result.state), result->st);
    call->result.counts = result->n;
    finish(call, CALL_RESULT);
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
    copy(call->result.code, sizeof(call->result.code), goaway->code);
    copy(call->result.message, sizeof(call->result.message), goaway->msg);
    call->result.retry_ms = goaway->retry_ms;
    call->queueing = call->config.queues && !call->accepted && !call->unsure &&
                     slice_eq(goaway->code, SLICE("busy"));
    bool resumes =
        call->accepted || call->queueing || slice_eq(goaway->code, SLICE("shutting-down"));
    if (call->accepted && is_misunderstanding(goaway->code))
        finish(call, CALL_UNKNOWN);
    else if (resumes && survives_loss(call) && !sends_us_away(goaway->code))
        call->retry_ms = goaway->retry_ms; /* gone follows, and then another try */
    else
        finish(call, call->unsure && !call->accepted ? CALL_UNKNOWN : CALL_ERROR);
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

static void ask(struct call *call);

static void on_welcome(struct call *call, const struct msg *msg)
{
    uv_timer_stop(&call->timer);
    call->lost_at = 0; /* the server is back */
    set_give_up(call);
    call->config.owner->message(call->config.context, msg);
    if (call->request.type == MSG_PING)
        finish(call, CALL_RESULT);
    else if (call->step == STEP_CONNECT)
        ask(call);
}

/* Whoever does not know the invitation is left without a word. */
static void on_enrolled(struct call *call, const struct msg *msg)
{
    if (!enrol_verify(call->config.invited, ENROL_SERVER, stream_handshake_hash(call->stream),
                      (const uint8_t *)msg->u.enrolled.mac.ptr)) {
        finish(call, CALL_NOT_INVITER);
        return;
    }
    call->config.owner->message(call->config.context, msg);
    finish(call, CALL_RESULT);
}

static void on_message(void *owner, struct stream *stream, const struct msg *msg)
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
        finish(call, CALL_RESULT);
    }
}

/* ---- the question ---------------------------------------------------------------------------- */

static void send_cancel(struct call *call)
{
    struct msg cancel = {.type = MSG_CANCEL, .id = ++call->last_id};

    cancel.u.cancel.uid =
        call->request.type == MSG_SEND ? call->request.u.send.uid : call->request.u.attach.uid;
    stream_send(call->stream, &cancel);
}

/* The request, or after its acceptance an ATTACH that takes its stream up where it broke off. */
static void ask(struct call *call)
{
    struct msg msg = call->request;
    uint8_t mac[ENROL_MAC];

    if (msg.type == MSG_ENROL) {
        enrol_mac(call->config.invited, ENROL_CLIENT, stream_handshake_hash(call->stream), mac);
        msg.u.enrol.mac = (struct slice){(const char *)mac, sizeof(mac)};
    }
    if (call->request.type == MSG_SEND && call->accepted)
        msg = (struct msg){.type = MSG_ATTACH,
                           .u.attach = {.uid = call->request.u.send.uid, .after = call->last_q}};
    else if (call->request.type == MSG_ATTACH && call->accepted)
        msg.u.attach.after = call->last_q;
    call->step = STEP_ANSWER; /* the deadline stays until the server has said WELCOME */
    /* WELCOME is the answer to PING, but whom the server does not know must say something first. */
    if (msg.type != MSG_PING)
        call->id = msg.id = ++call->last_id;
    int result = stream_send(call->stream, &msg);
    if (result < 0) {
        call->result.error = result;
        finish(call, CALL_UNREACHABLE);
        return;
    }
    if (!call->sent)
        call->sent_at = uv_now(call->config.loop);
    call->sent = true;
    call->queueing = false;
    set_give_up(call);
    if (call->withdrawing)
        send_cancel(call);
}

/* ---- who answers ----------------------------------------------------------------------------- */

/* Root, the daemon's user, or, on a socket the caller named, the caller himself. */
static bool believes(const struct call *call, uid_t uid)
{
    const struct passwd *daemon;

    if (uid == 0 || (call->server.own_uid_too && uid == geteuid() && uid != 65534))
        return true;
    daemon = getpwnam("_msgd");
    return daemon != NULL && daemon->pw_uid == uid;
}

static void on_local_server(struct call *call)
{
    struct ucred credentials;

    int result = stream_peer_credentials(call->stream, &credentials);
    if (result < 0) {
        call->result.error = result;
        finish(call, CALL_UNREACHABLE);
    } else if (!believes(call, credentials.uid)) {
        call->result.uid = credentials.uid;
        finish(call, CALL_BAD_SERVER);
    } else if (!survives_loss(call)) {
        ask(call);
    } /* else at WELCOME: what a msgd that stands still may read later would be shown later */
}

/* The refusal was the only word: what was written behind the preamble has not been read. */
static void on_refusal(struct call *call, const struct peer_refusal *refusal)
{
    if (!call->accepted && call->lost_at == 0) {
        finish(call, CALL_REFUSED);
    } else if (refusal->code == PEER_REFUSE_BUSY) {
        call->retry_ms = refusal->wait_s > 0 ? refusal->wait_s * 1000u : 1000;
        try_again(call);
    } else {
        finish(call, CALL_UNKNOWN);
    }
}

static void on_gone(void *owner, struct stream *stream, const struct stream_end *end)
{
    struct call *call = owner;

    (void)stream;
    call->stream = NULL;
    if (call->step == STEP_END) {
        maybe_done(call);
        return;
    }
    call->unsure |= call->sent && !call->queueing;
    call->result.error = end->error;
    call->result.end = end->why;
    call->result.refusal = end->refusal;
    if (end->why == PEER_END_REFUSED)
        on_refusal(call, &end->refusal);
    else if (call->sent && survives_loss(call) && end->why == PEER_END_BAD_MESSAGE)
        finish(call, CALL_UNKNOWN); /* we left: what it says is not of this protocol */
    else if (call->sent && survives_loss(call))
        try_again(call);
    else
        finish(call, call->step == STEP_ANSWER ? CALL_UNREACHABLE : connect_outcome(end));
}

static const struct stream_owner stream_owner = {.message = on_message, .gone = on_gone};

/* Somebody answers and has shown a key, or, on the Unix socket, credentials. */
static void on_reached(void *owner, struct stream *stream, const struct noise_public *key)
{
    struct call *call = owner;

    call->dial = NULL;
    call->stream = stream;
    stream_set_owner(stream, &stream_owner, call);
    if (key == NULL) {
        on_local_server(call);
        return;
    }
    call->result.key = *key;
    struct slice_list end = stream_endorsements(stream);
    enum call_judgement judgement = call->config.owner->judge(call->config.context, key, &end);
    if (judgement != CALL_TRUSTED) {
        finish(call, judgement == CALL_ASK ? CALL_KEY_UNKNOWN : CALL_KEY_REFUSED);
        return;
    }
    stream_verdict(stream, NULL);
    ask(call);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void on_unreached(void *owner, const struct stream_end *end)
{
    struct call *call = owner;

    call->dial = NULL;
    on_gone(call, NULL, end);
}

static const struct dial_owner dial_owner = {.reached = on_reached, .failed = on_unreached};

static void on_connect_deadline(uv_timer_t *timer)
{
    struct call *call = timer->data;

    if (!call->sent || !survives_loss(call)) {
        finish(call, CALL_TIMED_OUT);
    } else if (call->stream != NULL) {
        stream_drop(call->stream); /* gone follows: what it was sent it may still read */
    } else {
        dial_cancel(call->dial);
        call->dial = NULL;
        try_again(call);
    }
}

/* One try, from the name to WELCOME within connect_ms. */
static void begin_try(struct call *call)
{
    call->step = STEP_CONNECT;
    call->last_id = 0;
    uv_timer_start(&call->timer, on_connect_deadline, call->config.connect_ms, 0);
    if (!dial_start(&call->dial, &call->config, call->result.address, &dial_owner, call))
        on_unreached(call, &(struct stream_end){.why = PEER_END_LOST, .error = -ENOMEM});
}

/* ---- what the caller asks for ---------------------------------------------------------------- */

int call_start(struct call **ret_call, const struct call_config *config, const struct msg *request)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return -ENOMEM;
    call->server = *config->server;
    call->config = *config;
    call->config.server = &call->server;
    call->request = *request;
    uv_timer_init(config->loop, &call->timer);
    uv_timer_init(config->loop, &call->give_up);
    call->timer.data = call->give_up.data = call;
    call->handles = 2;
    *ret_call = call;
    uv_update_time(config->loop); /* the caller may have asked a person before */
    begin_try(call);
    return 0;
}

void call_withdraw(struct call *call)
{
    if (!call->sent) {
        call_abandon(call);
        return;
    }
    call->withdrawing = true;
    if (call->step == STEP_ANSWER)
        send_cancel(call);
}

void call_abandon(struct call *call)
{
    finish(call, CALL_INTERRUPTED);
}
