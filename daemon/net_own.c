/* SPDX-License-Identifier: MIT */
#include "daemon/net_own.h"

#include "daemon/net_conn.h"

#include <stdlib.h>

/* ---- who it is now --------------------------------------------------------------------------- */

/* The uid must still have the name: it may have been given to somebody else. */
static bool is_still_he(const struct conn *conn, const struct user_facts *facts)
{
    struct trust_grant grant;
    const char *code;

    return facts->exists && conn_grant(conn, &grant, &code) && grant.own &&
           grant.own->uid == conn->uid && strcmp(grant.own->name, facts->name) == 0;
}

/* Without an answer it stays as it was, for what hangs on no rights. */
static void take_facts(struct conn *conn, const struct user_facts *facts)
{
    size_t n = facts->n_groups;

    conn->held.answered = facts->answered;
    if (!facts->answered)
        return;
    gid_t *groups = n > 0 ? calloc(n, sizeof(*groups)) : NULL;
    if (groups)
        memcpy(groups, facts->groups, n * sizeof(*groups));
    free(conn->groups);
    conn->groups = groups;
    conn->n_groups = groups ? n : 0;
    conn->own.vouched = is_still_he(conn, facts);
}

/* WELCOME goes before the answer to what waits behind the handshake, be it a PING. */
static void let_in(struct conn *conn)
{
    struct stream *stream = conn->stream;

    if (conn->held.answered && !conn->own.vouched) {
        conn_log_refusal(conn, &conn->server->refusals, "key", "its user is not of this host now");
        stream_verdict(stream, "unauthorized");
        return;
    }
    bool corks = stream_cork(stream);
    stream_verdict(stream, NULL);
    if (conn->held.answered)
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
        held_serve(conn);
    else
        let_in(conn);
}

void own_ask(struct conn *conn, const struct granted_key *own)
{
    conn->uid = own->uid;
    conn->query = users_ask(conn->server->users, own->uid, USERS_GROUPS, on_facts, conn);
}

void own_admit(struct conn *conn, const struct granted_key *own)
{
    conn->own.admitted = true;
    own_ask(conn, own);
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
