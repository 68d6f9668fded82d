/* SPDX-License-Identifier: MIT */
/* GRANT: what a user of this host authorizes for himself, and takes back. */
#include "common/keys.h"
#include "daemon/net_audit.h"
#include "daemon/net_requests.h"

#include <errno.h>
#include <netinet/in.h>

#define USUAL_PORT 6743

struct refusal {
    const char *code; /* NULL: none */
    const char *text; /* for people */
    uint64_t retry_ms;
};

static const struct refusal fine = {.code = NULL};

static struct refusal because(const char *code, const char *text)
{
    return (struct refusal){.code = code, .text = text};
}

/* Nothing to refuse, if a bucket has not to be waited for. */
static struct refusal unless_waiting(int64_t wait_us)
{
    return (struct refusal){.code = wait_us > 0 ? "rate-limited" : NULL,
                            .retry_ms = (uint64_t)(wait_us + 999) / 1000};
}

static void refuse(const struct call *call, const struct refusal *refusal)
{
    struct msg msg = {.type = MSG_ERROR,
                      .id = call->msg->id,
                      .u.error = {.code = slice_of(refusal->code),
                                  .msg = slice_of(refusal->text),
                                  .retry_ms = refusal->retry_ms}};

    audit_refused(call, refusal->code, NULL);
    stream_send(call->conn->stream, &msg);
}

/* ---- what can be done ------------------------------------------------------------------------ */

static struct noise_public key_of(struct slice bytes)
{
    struct noise_public key;

    memcpy(key.bytes, bytes.ptr, sizeof(key.bytes)); /* the decoder has looked at its size */
    return key;
}

/* Whom nothing can be granted. */
static struct refusal judge_user(const struct call *call)
{
    const struct conn *conn = call->conn;

    if (call->server->config.own_keys == 0)
        return because("forbidden", "own keys are switched off on this host");
    if (conn->uid == 0)
        return because("forbidden", "keys do not count as root");
    if (!conn->named || !granted_is_sound(conn->uid, slice_of(conn->name)))
        return because("forbidden", "this uid has no name on this host");
    if (!call->rights.any)
        return because("forbidden", "this account may not send messages to others");
    return fine;
}

static struct refusal judge_key(const struct call *call, const struct noise_public *key)
{
    const struct granted *granted = trust_granted(call->server->trust);
    const struct granted_key *entry = granted_find(granted, key);
    const char *fault = trust_own_fault(call->server->trust, key);

    if (fault && strcmp(fault, "broken") == 0)
        return because("internal", "revoked_keys cannot be read");
    if (fault && strcmp(fault, "revoked") == 0)
        return because("revoked", "that key is revoked on this host");
    if (entry && entry->uid != call->conn->uid)
        return because("conflict", "another user of this host has authorized that key");
    if (!entry && granted_count(granted, call->conn->uid) >= call->server->config.own_keys)
        return because("too-many", "you have as many keys of your own as you may");
    return fine;
}

/* Others are to be told the host's key, whether it listens for them yet or not. */
static int make_host_key(struct server *server)
{
    struct diag diag;
    int r = server->host_key
                ? 0
                : key_load_or_make(server->config.host_key, &server->host_key, NULL, &diag);

    if (r < 0)
        log_error("host key: %s", diag.text);
    return r;
}

/* ---- doing it -------------------------------------------------------------------------------- */

/* What is written is waited for by everybody: it has a rate of its own. */
static struct refusal charge(const struct call *call)
{
    return unless_waiting(account_grant(call->conn->account,
                                        (uint32_t)call->server->config.grants_a_minute,
                                        server_now().ms * 1000));
}

static struct refusal written(const struct call *call, int r, const struct diag *diag,
                              const struct noise_public *key, const char *what)
{
    char text[KEY_TEXT_LEN + 1];

    server_check_trust(call->server, true);
    key_format(key, text);
    if (r == 0)
        log_notice("%s (uid %u) %s a key of his own: %s", call->conn->name, call->conn->uid, what,
                   text);
    else
        log_error("own key %s: %s", text, diag->text);
    return r == 0 ? fine : because("internal", "it could not be written down");
}

/* A key that was added under a name that the uid had before is added anew. */
static struct refusal record(const struct call *call, const struct noise_public *key)
{
    const char *file = call->server->config.granted;
    const struct granted_key *entry = granted_find(trust_granted(call->server->trust), key);
    struct granted_key new = {.key = *key, .uid = call->conn->uid};
    struct diag diag;
    int r = 0;

    if (entry && strcmp(entry->name, call->conn->name) == 0)
        return fine;
    struct refusal refusal = charge(call);
    if (refusal.code)
        return refusal;
    snprintf(new.name, sizeof(new.name), "%.*s", LIM_NAME, call->conn->name);
    if (entry)
        r = granted_take(file, new.uid, key, &diag);
    r = r < 0 ? r : granted_add(file, &new, &diag);
    return written(call, r, &diag, key, "authorized");
}

static struct refusal add(const struct call *call, const char **ret_did)
{
    const struct noise_public key = key_of(call->msg->u.grant.add);
    const char *fault;
    struct refusal refusal = judge_user(call);

    if (!refusal.code)
        refusal = judge_key(call, &key);
    if (!refusal.code && make_host_key(call->server) < 0)
        return because("internal", "the host's key cannot be made");
    if (refusal.code)
        return refusal;
    fault = trust_own_fault(call->server->trust, &key);
    *ret_did = fault ? fault : "added"; /* listed: nothing is to be added */
    return fault ? fine : record(call, &key);
}

static struct refusal take(const struct call *call, const char **ret_did)
{
    const struct noise_public key = key_of(call->msg->u.grant.take);
    const struct granted_key *entry = granted_find(trust_granted(call->server->trust), &key);
    struct diag diag;

    if (!entry || entry->uid != call->conn->uid)
        return because("no-target", "you have no such key of your own here");
    struct refusal refusal = charge(call);
    if (refusal.code)
        return refusal;
    *ret_did = "taken";
    int r = granted_take(call->server->config.granted, call->conn->uid, &key, &diag);
    return written(call, r, &diag, &key, "took back");
}

/* ---- what is told ---------------------------------------------------------------------------- */

static unsigned port_of(const struct listener *listener)
{
    struct sockaddr_storage address;

    if (listener_address(listener, &address) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

/* The usual one, else the first that there is. */
static unsigned tcp_port(const struct server *server)
{
    unsigned found = 0;

    for (unsigned i = 0; i < server->n_listeners && found != USUAL_PORT; i++) {
        unsigned port = port_of(server->listeners[i]);
        found = found == 0 || port == USUAL_PORT ? port : found;
    }
    return found;
}

static size_t list_keys(const struct call *call, struct msg_own keys[static LIM_OWN_KEYS])
{
    const struct trust *trust = call->server->trust;
    const struct granted *granted = trust_granted(trust);
    size_t n = 0;

    for (size_t i = 0; i < granted->count && n < LIM_OWN_KEYS; i++) {
        const struct granted_key *entry = &granted->keys[i];
        const char *why = trust_own_fault(trust, &entry->key);
        if (entry->uid != call->conn->uid)
            continue;
        if (!why && strcmp(entry->name, call->conn->name) != 0)
            why = "renamed";
        keys[n++] = (struct msg_own){.key = {(const char *)entry->key.bytes, NOISE_KEY},
                                     .why = slice_of(why)};
    }
    return n;
}

static void answer(const struct call *call, const char *did)
{
    const struct server *server = call->server;
    const struct rights *rights = &call->rights;
    struct msg_own keys[LIM_OWN_KEYS];
    char perm[32];
    struct msg msg = {.type = MSG_GRANTED,
                      .id = call->msg->id,
                      .u.granted = {.did = slice_of(did),
                                    .user = slice_of(call->conn->name),
                                    .most = server->config.own_keys,
                                    .port = tcp_port(server),
                                    .keys = {keys, list_keys(call, keys)}}};

    snprintf(perm, sizeof(perm), "%s%s%s", rights->all ? " all" : "", rights->who ? " who" : "",
             rights->override ? " override" : "");
    msg.u.granted.perm = slice_of(perm[0] ? perm + 1 : perm);
    if (server->host_key)
        msg.u.granted.host =
            (struct slice){(const char *)server->host_key->public.bytes, NOISE_KEY};
    audit_answered(call, did);
    stream_send(call->conn->stream, &msg);
}

void request_grant(const struct call *call)
{
    const struct msg_grant *grant = &call->msg->u.grant;
    const char *did = "nothing";
    struct refusal refusal =
        unless_waiting(account_ask(call->conn->account, call->rate, server_now().ms * 1000));

    if (!refusal.code && grant->add.len > 0)
        refusal = add(call, &did);
    else if (!refusal.code && grant->take.len > 0)
        refusal = take(call, &did);
    if (refusal.code)
        refuse(call, &refusal);
    else
        answer(call, did);
}
