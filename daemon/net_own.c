/* SPDX-License-Identifier: MIT */
#include "daemon/net_own.h"

#include "daemon/net_conn.h"
#include "daemon/net_requests.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#define HEAD 16 /* more than [type, id, needs */

/* A request that waits: a frame's plaintext. */
struct own_held {
    struct own_held *next, *prev;
    uint32_t id;
    size_t len;
    uint8_t bytes[];
};

/* ---- what is held ---------------------------------------------------------------------------- */

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
    *at++ = 0xce;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(number >> shift);
    return at;
}

static void hold(struct conn *conn, const struct msg *msg)
{
    struct own_held *held =
        conn->own.n_held < LIM_OPEN_REQUESTS ? malloc(sizeof(*held) + HEAD + msg->map.len) : NULL;

    if (!held) {
        requests_put_off(conn, msg);
        return;
    }
    uint8_t *at = held->bytes;
    *at++ = 0x93;
    at = put_u32(put_u32(at, msg->type), msg->id);
    if (msg->map.len > 0)
        memcpy(at, msg->map.ptr, msg->map.len);
    held->len = (size_t)(at - held->bytes) + msg->map.len;
    held->id = msg->id;
    DL_APPEND(conn->own.held, held);
    conn->own.n_held++;
}

static void serve(struct conn *conn, const struct own_held *held)
{
    struct msg_fault fault;
    struct wire_doc doc;
    struct msg msg;

    if (msg_decode(&msg, &doc, held->bytes, held->len, &fault) < 0) { /* no memory */
        conn_error(conn, held->id, "busy", NULL, RETRY_BUSY_MS);
        conn->server->unrecorded++;
        return;
    }
    if (conn->own.answered)
        requests_serve(conn, &msg);
    else
        requests_put_off(conn, &msg);
    wire_release(&doc);
}

static struct own_held *take_first(struct conn *conn)
{
    struct own_held *held = conn->own.held;

    DL_DELETE(conn->own.held, held);
    conn->own.n_held--;
    return held;
}

static void serve_held(struct conn *conn)
{
    while (conn->own.held && !conn->closing) {
        struct own_held *held = take_first(conn);
        serve(conn, held);
        free(held);
    }
}

void own_end(struct conn *conn)
{
    while (conn->own.held)
        free(take_first(conn));
}

/* ---- who it is now --------------------------------------------------------------------------- */

/* The uid must still have the name: it may have been given to somebody else. */
static bool is_still_he(const struct conn *conn, const struct user_facts *facts)
{
    struct trust_grant grant;
    const char *code;

    return facts->exists && conn_grant(conn, &grant, &code) && grant.own &&
           grant.own->uid == conn->uid && strcmp(grant.own->name, facts->name) == 0;
}

static void take_facts(struct conn *conn, const struct user_facts *facts)
{
    size_t n = facts->n_groups;
    gid_t *groups = n > 0 ? calloc(n, sizeof(*groups)) : NULL;

    if (groups)
        memcpy(groups, facts->groups, n * sizeof(*groups));
    free(conn->groups);
    conn->groups = groups;
    conn->n_groups = groups ? n : 0;
    conn->own.answered = facts->answered;
    conn->own.vouched = facts->answered && is_still_he(conn, facts);
}

/* WELCOME goes before the answer to what waits behind the handshake, be it a PING. */
static void let_in(struct conn *conn)
{
    struct stream *stream = conn->stream;

    if (conn->own.answered && !conn->own.vouched) {
        conn_log_refusal(conn, &conn->server->refusals, "key", "its user is not of this host now");
        stream_verdict(stream, "unauthorized");
        return;
    }
    bool corks = stream_cork(stream);
    stream_verdict(stream, NULL);
    if (conn->own.answered)
        conn_enter(conn);
    else
        conn_put_off(conn, "the name service of this host does not answer");
    if (corks)
        stream_uncork(stream);
}

static void on_facts(void *context, const struct user_facts *facts)
{
    struct conn *conn = context;

    conn->query = NULL;
    take_facts(conn, facts);
    if (conn->closing)
        return;
    if (conn->open)
        serve_held(conn);
    else
        let_in(conn);
}

void own_admit(struct conn *conn, const struct granted_key *own)
{
    conn->own.admitted = true;
    conn->uid = own->uid;
    conn->query = users_ask(conn->server->users, own->uid, USERS_GROUPS, on_facts, conn);
}

bool own_holds(struct conn *conn, const struct msg *msg)
{
    struct trust_grant grant;
    const char *code;

    if (!conn->query && !conn->own.held) {
        if (!conn_grant(conn, &grant, &code) || !grant.own)
            return false;
        conn->uid = grant.own->uid;
        conn->query = users_ask(conn->server->users, conn->uid, USERS_GROUPS, on_facts, conn);
        if (!conn->query && conn->own.answered)
            return false;
    }
    if (conn->query)
        hold(conn, msg);
    else
        requests_put_off(conn, msg);
    return true;
}

bool own_rights(const struct conn *conn, const struct granted_key *own, struct rights *ret_rights,
                const char **ret_code)
{
    if (!conn->own.vouched || conn->uid != own->uid) {
        *ret_code = "unauthorized";
        return false;
    }
    *ret_rights = rights_of_uid(&conn->server->policy, conn->uid, conn->groups, conn->n_groups);
    return true;
}
