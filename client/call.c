/* SPDX-License-Identifier: MIT */
#include "client/call_inside.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long to wait before the connection is made again. */
static const uint64_t pauses[] = {100, 300, 1000, 2000};

static void begin_try(struct call *call);

/* ---- the end --------------------------------------------------------------------------------- */

static void maybe_done(struct call *call)
{
    if (call->handles > 0 || call->stream != NULL)
        return;
    for (size_t i = 0; i < call->n; i++)
        call->config.owner->done(call->asks[i].owner, &call->asks[i].result);
    free(call);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;

    call->handles--;
    maybe_done(call);
}

static void end(struct call *call)
{
    call->step = STEP_END;
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
    uv_close((uv_handle_t *)&call->give_up, on_timer_closed);
    if (call->dial != NULL)
        dial_cancel(call->dial);
    call->dial = NULL;
    if (call->stream != NULL)
        stream_close(call->stream);
}

void call_end_ask(struct call *call, struct ask *ask, const struct call_result *result)
{
    if (ask->over)
        return;
    ask->over = true;
    ask->result = *result;
    if (--call->n_open == 0)
        end(call);
}

void call_finish(struct call *call, enum call_outcome outcome)
{
    call->result.outcome = outcome;
    for (size_t i = 0; i < call->n; i++)
        call_end_ask(call, &call->asks[i], &call->result);
}

/* Nothing was sent yet: why not. */
static enum call_outcome connect_outcome(const struct stream_end *end)
{
    if (end->why != PEER_END_LOST)
        return CALL_NOT_MSGD;
    return end->error == UV_ETIMEDOUT ? CALL_TIMED_OUT : CALL_UNREACHABLE;
}

/* ---- a lost connection ----------------------------------------------------------------------- */

bool call_survives_loss(const struct call *call)
{
    enum msg_type type = call->asks[0].request.type;

    return type == MSG_SEND || type == MSG_ATTACH;
}

static void on_pause_over(uv_timer_t *timer)
{
    begin_try(timer->data);
}

static void on_give_up(uv_timer_t *timer)
{
    call_finish(timer->data, CALL_UNKNOWN);
}

void call_set_give_up(struct call *call)
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
        if (call->config.owner->reconnecting != NULL)
            call->config.owner->reconnecting(call->asks[0].owner);
    }
    call_set_give_up(call);
    uint64_t pause = pauses[call->tries < last ? call->tries : last];
    if (pause < call->retry_ms)
        pause = call->retry_ms;
    call->retry_ms = 0;
    call->result.code[0] = '\0'; /* why this connection ended is not why the call does */
    call->tries++;
    uv_timer_start(&call->timer, on_pause_over, pause, 0);
}

/* ---- the question ---------------------------------------------------------------------------- */

static void send_cancels(struct call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const struct msg *request = &call->asks[i].request;
        struct msg cancel = {.type = MSG_CANCEL};
        if (call->asks[i].over)
            continue;
        cancel.id = ++call->last_id;
        cancel.u.cancel.uid =
            request->type == MSG_SEND ? request->u.send.uid : request->u.attach.uid;
        stream_send(call->stream, &cancel);
    }
}

/* What to say for it now. mac: where an ENROL's is made. */
static struct msg words_of(const struct call *call, const struct ask *ask,
                           uint8_t mac[static ENROL_MAC])
{
    struct msg msg = ask->request;

    if (msg.type == MSG_ENROL) {
        enrol_mac(call->config.invited, ENROL_CLIENT, stream_handshake_hash(call->stream), mac);
        msg.u.enrol.mac = (struct slice){(const char *)mac, ENROL_MAC};
    } else if (msg.type == MSG_SEND && ask->accepted) {
        msg = (struct msg){.type = MSG_ATTACH,
                           .u.attach = {.uid = ask->request.u.send.uid, .after = ask->last_q}};
    } else if (msg.type == MSG_ATTACH && ask->accepted) {
        msg.u.attach.after = ask->last_q;
    }
    return msg;
}

static int ask_one(struct call *call, struct ask *ask)
{
    uint8_t mac[ENROL_MAC];
    struct msg msg = words_of(call, ask, mac);

    /* WELCOME is the answer to PING, but whom the server does not know must say something first. */
    if (msg.type != MSG_PING)
        ask->id = msg.id = ++call->last_id;
    return stream_send(call->stream, &msg);
}

void call_ask(struct call *call)
{
    call->step = STEP_ANSWER; /* the deadline stays until the server has said WELCOME */
    for (size_t i = 0; i < call->n; i++) {
        int result = call->asks[i].over ? 0 : ask_one(call, &call->asks[i]);
        if (result < 0) {
            call->result.error = result;
            call_finish(call, call->sent || i > 0 ? CALL_UNKNOWN : CALL_UNREACHABLE);
            return;
        }
    }
    if (!call->sent)
        call->sent_at = uv_now(call->config.loop);
    call->sent = true;
    call_set_give_up(call);
    if (call->withdrawing)
        send_cancels(call);
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
        call_finish(call, CALL_UNREACHABLE);
    } else if (!believes(call, credentials.uid)) {
        call->result.uid = credentials.uid;
        call_finish(call, CALL_BAD_SERVER);
    } else if (!call_survives_loss(call)) {
        call_ask(call);
    } /* else at WELCOME: what a msgd that stands still may read later would be shown later */
}

/* The refusal was the only word: what was written behind the preamble has not been read. */
static void on_refusal(struct call *call, const struct peer_refusal *refusal)
{
    if (call->lost_at == 0) {
        call_finish(call, CALL_REFUSED);
    } else if (refusal->code == PEER_REFUSE_BUSY) {
        call->retry_ms = refusal->wait_s > 0 ? refusal->wait_s * 1000u : 1000;
        try_again(call);
    } else {
        call_finish(call, CALL_UNKNOWN);
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
    call->unsure |= call->sent;
    call->result.error = end->error;
    call->result.end = end->why;
    call->result.refusal = end->refusal;
    if (end->why == PEER_END_REFUSED)
        on_refusal(call, &end->refusal);
    else if (call->sent && call_survives_loss(call) && end->why == PEER_END_BAD_MESSAGE)
        call_finish(call, CALL_UNKNOWN); /* we left: what it says is not of this protocol */
    else if (call->sent && call_survives_loss(call))
        try_again(call);
    else
        call_finish(call, call->step == STEP_ANSWER ? CALL_UNREACHABLE : connect_outcome(end));
}

static const struct stream_owner stream_owner = {.message = call_on_message, .gone = on_gone};

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
    enum call_judgement judgement = call->config.owner->judge(call->asks[0].owner, key, &end);
    if (judgement != CALL_TRUSTED) {
        call_finish(call, judgement == CALL_ASK ? CALL_KEY_UNKNOWN : CALL_KEY_REFUSED);
        return;
    }
    stream_verdict(stream, NULL);
    call_ask(call);
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

    if (call->dial != NULL)
        dial_give_up(call->dial);
    else if (!call->sent || !call_survives_loss(call))
        call_finish(call, CALL_TIMED_OUT);
    else
        stream_drop(call->stream); /* gone follows: what it was sent it may still read */
}

/* One try, from the name to WELCOME within connect_ms. */
static void begin_try(struct call *call)
{
    call->step = STEP_CONNECT;
    call->last_id = 0;
    uv_timer_start(&call->timer, on_connect_deadline, call->config.connect_ms, 0);
    if (!dial_start(&call->dial, &call->config, &call->result, &dial_owner, call))
        on_unreached(call, &(struct stream_end){.why = PEER_END_LOST, .error = -ENOMEM});
}

/* ---- what the caller asks for ---------------------------------------------------------------- */

int call_start(struct call **ret_call, const struct call_config *config,
               const struct call_ask *asks, size_t n)
{
    struct call *call = calloc(1, sizeof(*call) + n * sizeof(call->asks[0]));

    if (call == NULL)
        return -ENOMEM;
    call->server = *config->server;
    call->config = *config;
    call->config.server = &call->server;
    call->n = call->n_open = n;
    for (size_t i = 0; i < n; i++)
        call->asks[i] = (struct ask){.request = *asks[i].request, .owner = asks[i].owner};
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
    if (call->withdrawing)
        return;
    if (!call->sent) {
        call_abandon(call);
        return;
    }
    call->withdrawing = true;
    if (call->step == STEP_ANSWER)
        send_cancels(call);
}

void call_abandon(struct call *call)
{
    call_finish(call, CALL_INTERRUPTED);
}
