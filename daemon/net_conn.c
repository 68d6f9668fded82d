/* SPDX-License-Identifier: MIT */
#include "daemon/net_conn.h"

#include "common/keys.h"

#include "daemon/net_audit.h"
#include "daemon/net_enrol.h"
#include "daemon/net_follow.h"
#include "daemon/net_groups.h"
#include "daemon/net_requests.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#define OVERFLOW_UID 65534 /* whom a user namespace does not map */

static int64_t now_us(void)
{
    return server_now().ms * 1000;
}

/* ---- what is said ---------------------------------------------------------------------------- */

void conn_error(struct conn *conn, uint32_t id, const char *code, const char *at, uint64_t retry_ms)
{
    struct msg msg = {
        .type = MSG_ERROR,
        .id = id,
        .u.error = {.code = slice_of(code), .at = slice_of(at), .retry_ms = retry_ms}};

    stream_send(conn->stream, &msg);
}

void conn_result(struct conn *conn, uint32_t id, const char *state)
{
    struct msg msg = {.type = MSG_RESULT, .id = id, .u.result.st = slice_of(state)};

    stream_send(conn->stream, &msg);
}

void conn_goaway(struct conn *conn, const char *code, const char *text, uint32_t retry_ms)
{
    struct msg msg = {
        .type = MSG_GOAWAY,
        .u.goaway = {.code = slice_of(code), .msg = slice_of(text), .retry_ms = retry_ms}};

    if (conn->closing)
        return;
    conn->closing = true;
    stream_send(conn->stream, &msg);
    stream_close(conn->stream);
}

static void welcome(struct conn *conn)
{
    struct server *server = conn->server;
    struct msg msg = {
        .type = MSG_WELCOME,
        .u.welcome = {.v = PEER_VERSION,
                      .inst = {(const char *)server->instance, sizeof(server->instance)},
                      .name = slice_of(server->config.name),
                      .you = slice_of(conn->name),
                      .lim = {.text = LIM_TEXT,
                              .requests = LIM_OPEN_REQUESTS,
                              .deliveries = LIM_DELIVERIES,
                              .max_time_ms = server->config.max_time}},
    };

    conn->open = true;
    stream_send(conn->stream, &msg);
}

void conn_label(const struct conn *conn, char *label, size_t size)
{
    if (conn->is_unix)
        snprintf(label, size, "%s (this host)", conn->name);
    else
        snprintf(label, size, "%s (network, %s)", conn->name, conn->host);
}

/* ---- who it is ------------------------------------------------------------------------------- */

static const char *const verdict_codes[] = {
    [TRUST_UNAUTHORIZED] = "unauthorized",
    [TRUST_EXPIRED] = "expired",
    [TRUST_REVOKED] = "revoked",
    [TRUST_BROKEN] = "internal",
};

static enum trust_verdict judge(const struct conn *conn, struct trust_grant *ret_grant)
{
    return trust_judge(conn->server->trust, &conn->key, &conn->claim,
                       (const struct sockaddr *)&conn->source, (int64_t)time(NULL), ret_grant);
}

bool conn_grant(const struct conn *conn, struct trust_grant *ret_grant, const char **ret_code)
{
    enum trust_verdict verdict = judge(conn, ret_grant);

    if (verdict != TRUST_ACCEPTED)
        *ret_code = verdict_codes[verdict];
    return verdict == TRUST_ACCEPTED;
}

bool conn_rights(const struct conn *conn, struct rights *ret_rights, uint32_t *ret_rate,
                 const char **ret_code)
{
    const struct config *config = &conn->server->config;
    struct trust_grant grant;

    *ret_rate = (uint32_t)config->messages_a_minute;
    if (conn->is_unix) {
        *ret_rights = rights_of_uid(&conn->server->policy, conn->uid, conn->groups, conn->n_groups);
        return true;
    }
    if (!conn_grant(conn, &grant, ret_code))
        return false;
    if (grant.own)
        return own_rights(conn, grant.own, ret_rights, ret_code);
    *ret_rights = rights_of_key(grant.line, grant.perm, &conn->within.groups);
    if (grant.line->rate)
        *ret_rate = grant.line->rate;
    return true;
}

/*
 * While revoked_keys cannot be read each request is refused, but who waits for an answer is left
 * to: what is wrong is the file, and no other connection would be let in to follow his message.
 */
void conn_judge(struct conn *conn)
{
    struct trust_grant grant;
    enum trust_verdict verdict;

    if (conn->is_unix || !conn->account || conn->closing)
        return;
    verdict = judge(conn, &grant);
    if (verdict == TRUST_ACCEPTED || verdict == TRUST_BROKEN)
        return;
    const char *code = verdict_codes[verdict];
    log_notice("%s from %s is %s now: closed", conn->name, conn->host, code);
    conn_goaway(conn, code, NULL, 0);
}

/*
 * When an account counts it, or at its end: to make a key and shake hands costs a stranger nothing.
 */
static void leave_gate(struct conn *conn)
{
    if (conn->gated)
        gate_leave(&conn->server->gate, conn->prefix, now_us());
    conn->gated = false;
}

/* It is known who it is: its account counts the connection, unless it has too many. */
static bool enter_account(struct conn *conn, const struct principal *who, uint64_t limit)
{
    struct account *account = account_of(&conn->server->accounts, who);

    if (!account || account->connections >= limit)
        return false;
    account->connections++;
    conn->account = account;
    leave_gate(conn);
    return true;
}

void conn_log_refusal(struct conn *conn, struct log_limit *limit, const char *step,
                      const char *reason)
{
    uint64_t held = 0;

    if (log_enabled(LOG_DEBUG))
        log_debug("refused %s, %s: %s", conn->host, step, reason);
    if (log_limit_pass(limit, conn->host, uv_now(conn->server->loop) + 1, &held))
        audit_turned_away(conn, step, reason, held > 0);
}

static void log_unknown_key(struct conn *conn, const char *code)
{
    char text[KEY_TEXT_LEN + 1], reason[KEY_TEXT_LEN + 64];

    key_format(&conn->key, text);
    snprintf(reason, sizeof(reason), "%s, %s", text, code);
    conn_log_refusal(conn, &conn->server->refusals, "key", reason);
}

/* Whom nothing is known of, good or bad, may have an invitation. */
static void reject(struct conn *conn, enum trust_verdict verdict)
{
    log_unknown_key(conn, verdict_codes[verdict]);
    if (verdict == TRUST_UNAUTHORIZED && !trust_knows(conn->server->trust, &conn->key))
        stream_verdict_but_enrol(conn->stream, verdict_codes[verdict]);
    else
        stream_verdict(conn->stream, verdict_codes[verdict]);
}

/* Judges the key and what endorses it: lets it in, or tells it why not. */
static void admit(struct conn *conn)
{
    struct slice_list end = stream_endorsements(conn->stream);
    struct trust_grant grant;
    enum trust_verdict verdict =
        trust_admit(conn->server->trust, &conn->key, &end, (const struct sockaddr *)&conn->source,
                    (int64_t)time(NULL), &conn->claim, &grant);

    if (verdict != TRUST_ACCEPTED) {
        reject(conn, verdict);
        return;
    }
    snprintf(conn->name, sizeof(conn->name), "%s", trust_name(&grant, &conn->claim));
    if (grant.own) {
        own_admit(conn, grant.own);
        return;
    }
    stream_verdict(conn->stream, NULL);
    conn_enter(conn);
}

void conn_put_off(struct conn *conn, const char *reason)
{
    conn_log_refusal(conn, &conn->server->refusals, "account", reason);
    conn_goaway(conn, "busy", reason, RETRY_BUSY_MS);
}

void conn_enter(struct conn *conn)
{
    struct principal who = conn->claim.endorsed
                               ? principal_of_endorsed(&conn->claim.signer, conn->name)
                           : conn->own.admitted ? principal_of_uid(conn->uid)
                                                : conn->principal;

    if (enter_account(conn, &who, conn->server->config.account_connections))
        welcome(conn);
    else
        conn_put_off(conn, "too many connections of this key");
}

static void on_key(void *owner, struct stream *stream, const struct noise_public *key)
{
    struct conn *conn = owner;

    (void)stream;
    conn->key = *key;
    conn->principal = principal_of_key(key);
    server_check_trust(conn->server, false);
    admit(conn);
}

/* ---- the Unix socket ------------------------------------------------------------------------- */

static void on_name(void *context, const struct user_facts *facts)
{
    struct conn *conn = context;

    conn->query = NULL;
    conn->named = facts->exists;
    snprintf(conn->name, sizeof(conn->name), "%s", facts->name);
    stream_resume(conn->stream);
}

/* Its name is asked for before it is listened to. */
static int begin_unix(struct conn *conn)
{
    struct ucred peer;
    int r = stream_peer_credentials(conn->stream, &peer);

    if (r == 0)
        r = groups_of_peer(conn->stream, peer.gid, &conn->groups, &conn->n_groups);
    if (r < 0)
        return r;
    conn->uid = peer.uid;
    conn->principal = principal_of_uid(peer.uid);
    snprintf(conn->host, sizeof(conn->host), "uid %u", peer.uid);
    if (!enter_account(conn, &conn->principal, conn->server->config.unix_connections))
        return -EBUSY;
    stream_pause(conn->stream);
    conn->query = users_ask(conn->server->users, conn->uid, USERS_NAME, on_name, conn);
    return 0;
}

static void on_hello(struct conn *conn)
{
    if (conn->uid == OVERFLOW_UID)
        conn_goaway(conn, "unauthorized",
                    "uid 65534: this process is in a user namespace that does not map it", 0);
    else
        welcome(conn);
}

/* ---- the stream's word ----------------------------------------------------------------------- */

static void on_message(void *owner, struct stream *stream, const struct msg *msg)
{
    struct conn *conn = owner;

    if (conn->closing)
        return;
    if (msg->type == MSG_GOAWAY) {
        conn->closing = true;
        stream_close(stream);
    } else if (msg->type == MSG_HELLO) {
        on_hello(conn);
    } else if (msg->type == MSG_ENROL && !conn->open) {
        enrol_take(conn, msg);
    } else {
        requests_take(conn, msg);
    }
}

static void on_drained(void *owner, struct stream *stream)
{
    (void)stream;
    follow_pump_all(owner);
}

static bool is_fault(enum peer_end why)
{
    return why > PEER_END_LOST && why != PEER_END_REFUSED && why != PEER_END_UNAUTHORIZED;
}

static void on_gone(void *owner, struct stream *stream, const struct stream_end *end)
{
    struct conn *conn = owner;
    struct server *server = conn->server;

    (void)stream;
    if (is_fault(end->why))
        conn_log_refusal(conn, &server->refusals, end->open ? "connection" : "handshake",
                         peer_end_name(end->why));
    else
        log_debug("%s has gone: %s", conn->host, peer_end_name(end->why));
    conn->closing = true;
    follow_lose_all(conn);
    leave_gate(conn);
    if (conn->account)
        conn->account->connections--;
    if (conn->query)
        users_forget(conn->query);
    DL_DELETE(server->conns, conn);
    server->n_conns--;
    held_end(conn);
    within_end(conn);
    free(conn->groups);
    free(conn);
    server_went(server);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int begin_tcp(struct conn *conn)
{
    struct server *server = conn->server;
    const struct sockaddr *source = (const struct sockaddr *)&conn->source;
    int r = stream_peer_address(conn->stream, &conn->source);

    if (r < 0)
        return r;
    getnameinfo(source, sizeof(conn->source), conn->host, sizeof(conn->host), NULL, 0,
                NI_NUMERICHOST);
    if (!gate_prefix(source, conn->prefix))
        return -EAFNOSUPPORT;
    r = gate_enter(&server->gate, conn->prefix, now_us(), (uint32_t)uv_hrtime());
    conn->gated = r == 0;
    return r;
}

static void refuse(struct conn *conn, int error)
{
    conn->closing = true;
    if (error == -EBUSY) {
        conn_log_refusal(conn, &conn->server->refusals, "connect", "too many connections");
        stream_refuse(conn->stream, 1);
    } else {
        stream_drop(conn->stream);
    }
}

static int accept_one(struct server *server, struct listener *listener)
{
    static const struct stream_owner owner = {
        .key = on_key, .message = on_message, .drained = on_drained, .gone = on_gone};
    struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn)
        return -ENOMEM;
    struct stream_config config = {.loop = server->loop,
                                   .owner = &owner,
                                   .context = conn,
                                   .static_keys = server->host_key,
                                   .end = &server->endorsed.shown.list};
    conn->server = server;
    conn->is_unix = listener_is_unix(listener);
    int r = listener_accept(&conn->stream, listener, &config);
    if (r < 0) {
        free(conn);
        return r;
    }
    DL_APPEND(server->conns, conn);
    server->n_conns++;
    r = conn->is_unix ? begin_unix(conn) : begin_tcp(conn);
    if (r < 0)
        refuse(conn, r);
    return 0;
}

static void let_wait(struct server *server, struct listener *listener)
{
    for (unsigned i = 0; i < server->n_listeners; i++) {
        if (server->listeners[i] == listener)
            server->waiting[i] = listener;
    }
}

void conn_incoming(struct server *server, struct listener *listener)
{
    if (server->n_conns >= server->max_conns || accept_one(server, listener) < 0)
        let_wait(server, listener);
}
