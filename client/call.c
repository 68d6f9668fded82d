/* SPDX-License-Identifier: MIT */
#include "client/call.h"

#include "common/stream.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long to wait before the connection is made again: at once first, then slower. */
static const uint64_t pauses[] = {0, 100, 300, 1000, 2000};

enum step {
    STEP_RESOLVE,
    STEP_CONNECT, /* up to the handshake's end */
    STEP_ANSWER,  /* the request is sent */
    STEP_PAUSE,   /* the connection is lost; another try follows */
    STEP_END,     /* waits for its handles to close */
};

/* A look-up has memory of its own: a resolver that hangs outlives the call that gave it up. */
struct lookup {
    uv_getaddrinfo_t request;
    struct call *call; /* NULL: given up */
};

struct call {
    struct call_server server;
    struct call_config config;
    struct msg request;
    enum step step;
    struct lookup *lookup;                /* under way */
    struct addrinfo *addresses, *address; /* found, and the one being tried */
    struct sockaddr_storage literal;      /* where the host is an address itself */
    struct stream *stream;
    uv_timer_t timer;   /* the step's deadline, or the pause's end */
    uv_timer_t give_up; /* of the whole call, or of a lost connection */
    unsigned handles;
    uint32_t last_id; /* on this connection */
    uint32_t id;      /* of the request on this connection */
    bool sent;        /* the request left at least once */
    bool accepted;    /* an event came: from now on only ATTACH */
    bool withdrawing;
    uint32_t last_q;
    unsigned tries;
    uint64_t sent_at, lost_at;
    struct call_result result;
};

static void connect_to(struct call *call, const struct sockaddr *address);
static void lost_before_open(struct call *call, int error);
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

static void forget_addresses(struct call *call)
{
    if (call->addresses != NULL)
        uv_freeaddrinfo(call->addresses);
    call->addresses = call->address = NULL;
}

static void finish(struct call *call, enum call_outcome outcome)
{
    if (call->step == STEP_END)
        return;
    call->step = STEP_END;
    call->result.outcome = outcome;
    forget_addresses(call);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
    uv_close((uv_handle_t *)&call->give_up, on_timer_closed);
    if (call->lookup != NULL) {
        call->lookup->call = NULL;
        uv_cancel((uv_req_t *)&call->lookup->request);
        call->lookup = NULL;
    }
    if (call->stream != NULL)
        stream_close(call->stream);
}

/* Nothing was sent yet: why not. */
static enum call_outcome connect_outcome(const struct stream_end *end)
{
    if (end->why == PEER_END_REFUSED)
        return CALL_REFUSED;
    if (end->why == PEER_END_LOST)
        return CALL_UNREACHABLE;
    return CALL_NOT_MSGD;
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
    finish(timer->data, CALL_UNKNOWN);
}

/* When the call is given up: with its time, or when the connection was lost for too long. */
static void set_give_up(struct call *call)
{
    uint64_t now = uv_now(call->config.loop), at = 0;

    if (call->config.give_up_ms > 0)
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
            call->config.owner->reconnecting(call->config.context);
    }
    set_give_up(call);
    uint64_t pause = pauses[call->tries < last ? call->tries : last];
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

/* The server ends the connection. Unless it sends us away for good, the call goes on elsewhere. */
static void on_goaway(struct call *call, const struct msg_goaway *goaway)
{
    copy(call->result.code, sizeof(call->result.code), goaway->code);
    copy(call->result.message, sizeof(call->result.message), goaway->msg);
    call->result.retry_ms = goaway->retry_ms;
    if (slice_eq(goaway->code, SLICE("shutting-down")) && survives_loss(call))
        return; /* gone follows */
    finish(call, CALL_ERROR);
}

static void on_event(struct call *call, const struct msg *msg)
{
    const struct msg_events *events = &msg->u.events;

    call->accepted = true;
    if (events->ev.n > 0 && events->ev.items[events->ev.n - 1].q > call->last_q)
        call->last_q = (uint32_t)events->ev.items[events->ev.n - 1].q;
    call->config.owner->message(call->config.context, msg);
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
        call->config.owner->message(call->config.context, msg);
        if (call->request.type == MSG_PING)
            finish(call, CALL_RESULT);
    } else if (msg->type == MSG_NOTE) {
        call->config.owner->message(call->config.context, msg);
    } else if (msg->id != call->id) {
        return; /* the answer to a CANCEL */
    } else if (msg->type == MSG_EVENT) {
        on_event(call, msg);
    } else if (msg->type == MSG_RESULT) {
        on_result(call, &msg->u.result);
    } else if (msg->type == MSG_ERROR) {
        on_error(call, &msg->u.error);
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

    if (call->request.type == MSG_SEND && call->accepted)
        msg = (struct msg){.type = MSG_ATTACH,
                           .u.attach = {.uid = call->request.u.send.uid, .after = call->last_q}};
    else if (call->request.type == MSG_ATTACH && call->accepted)
        msg.u.attach.after = call->last_q;
    uv_timer_stop(&call->timer);
    call->step = STEP_ANSWER;
    call->tries = 0;
    if (msg.type == MSG_PING)
        return;
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
    call->lost_at = 0;
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
    } else {
        ask(call);
    }
}

static void on_key(void *owner, struct stream *stream, const struct noise_public *key)
{
    struct call *call = owner;

    if (call->step == STEP_END)
        return;
    if (key == NULL) {
        on_local_server(call);
        return;
    }
    call->result.key = *key;
    enum call_judgement judgement = call->config.owner->judge(call->config.context, key);
    if (judgement != CALL_TRUSTED) {
        finish(call, judgement == CALL_ASK ? CALL_KEY_UNKNOWN : CALL_KEY_REFUSED);
        return;
    }
    stream_verdict(stream, NULL);
    ask(call);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void on_gone(void *owner, struct stream *stream, const struct stream_end *end)
{
    struct call *call = owner;

    (void)stream;
    call->stream = NULL;
    if (call->step == STEP_END) {
        maybe_done(call);
        return;
    }
    call->result.error = end->error;
    call->result.end = end->why;
    call->result.refusal = end->refusal;
    if (call->step == STEP_CONNECT && call->address != NULL && call->address->ai_next != NULL) {
        call->address = call->address->ai_next;
        connect_to(call, call->address->ai_addr);
    } else if (call->sent && survives_loss(call)) {
        try_again(call);
    } else {
        finish(call, call->step == STEP_ANSWER ? CALL_UNREACHABLE : connect_outcome(end));
    }
}

static const struct stream_owner stream_owner = {
    .key = on_key,
    .message = on_message,
    .gone = on_gone,
};

static void note_address(struct call *call, const struct sockaddr *address)
{
    char host[64] = "?";

    if (address->sa_family == AF_UNIX) {
        snprintf(call->result.address, sizeof(call->result.address), "%s", call->server.socket);
        return;
    }
    if (address->sa_family == AF_INET6)
        uv_ip6_name((const struct sockaddr_in6 *)(const void *)address, host, sizeof(host));
    else
        uv_ip4_name((const struct sockaddr_in *)(const void *)address, host, sizeof(host));
    snprintf(call->result.address, sizeof(call->result.address), "%s port %u", host,
             (unsigned)call->server.port);
}

static void connect_to(struct call *call, const struct sockaddr *address)
{
    struct stream_config config = {
        .loop = call->config.loop,
        .owner = &stream_owner,
        .context = call,
        .static_keys = call->config.identity,
        .agent = SLICE("msg " PACKAGE_VERSION),
    };

    call->step = STEP_CONNECT;
    call->last_id = 0;
    note_address(call, address);
    int result = stream_connect(&call->stream, &config, address);
    if (result < 0)
        lost_before_open(call, result);
}

static void lost_before_open(struct call *call, int error)
{
    struct stream_end end = {.why = PEER_END_LOST, .error = error};

    on_gone(call, NULL, &end);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct lookup *lookup = (struct lookup *)request;
    struct call *call = lookup->call;

    free(lookup);
    if (call == NULL || status < 0)
        uv_freeaddrinfo(found);
    if (call == NULL)
        return;
    call->lookup = NULL;
    if (status < 0) {
        lost_before_open(call, status);
        return;
    }
    call->addresses = call->address = found;
    connect_to(call, found->ai_addr);
}

static void resolve(struct call *call)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    char port[8];

    if (lookup == NULL) {
        lost_before_open(call, -ENOMEM);
        return;
    }
    snprintf(port, sizeof(port), "%u", (unsigned)call->server.port);
    call->step = STEP_RESOLVE;
    lookup->call = call;
    int result = uv_getaddrinfo(call->config.loop, &lookup->request, on_resolved, call->server.host,
                                port, &hints);
    if (result < 0) {
        free(lookup);
        lost_before_open(call, result);
        return;
    }
    call->lookup = lookup;
}

/* An address needs no resolver; true if the host is one. */
static bool is_literal(struct call *call)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&call->literal;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&call->literal;

    return uv_ip4_addr(call->server.host, call->server.port, v4) == 0 ||
           uv_ip6_addr(call->server.host, call->server.port, v6) == 0;
}

static void on_connect_deadline(uv_timer_t *timer)
{
    struct call *call = timer->data;

    if (!call->sent || !survives_loss(call))
        finish(call, CALL_TIMED_OUT);
    else if (call->stream != NULL)
        stream_drop(call->stream); /* gone leads on */
    else
        try_again(call);
}

/* One try, from the name to the handshake's end within connect_ms. */
static void begin_try(struct call *call)
{
    uv_timer_start(&call->timer, on_connect_deadline, call->config.connect_ms, 0);
    forget_addresses(call);
    if (call->server.local) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, call->server.socket, sizeof(address.sun_path));
        connect_to(call, (struct sockaddr *)&address);
    } else if (is_literal(call)) {
        connect_to(call, (struct sockaddr *)&call->literal);
    } else {
        resolve(call);
    }
}

/* ---- what the caller asks for ---------------------------------------------------------------- */

int call_start(struct call **ret_call, const struct call_config *config, const struct msg *request)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return -ENOMEM;
    call->server = *config->server;
    call->config = *config;
    call->request = *request;
    uv_timer_init(config->loop, &call->timer);
    uv_timer_init(config->loop, &call->give_up);
    call->timer.data = call->give_up.data = call;
    call->handles = 2;
    *ret_call = call;
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
