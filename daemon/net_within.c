/* SPDX-License-Identifier: MIT */
#include "daemon/net_within.h"

#include "daemon/net_conn.h"

/* The next group to ask for, of the line as it is now. */
static bool next_group(const struct conn *conn, struct slice *ret_group)
{
    struct trust_grant grant;
    const char *code;

    if (!conn->held.answered || !conn_grant(conn, &grant, &code) || !grant.line)
        return false;
    for (size_t i = 0; authorized_key_group(grant.line, i, ret_group); i++)
        if (!members_find(&conn->within.groups, *ret_group))
            return conn->within.groups.n < AUTHORIZED_GROUPS;
    return false;
}

static void on_members(void *context, const struct user_facts *facts);

/* Until one does not come at once, or all have. */
static void ask_rest(struct conn *conn)
{
    struct slice group;

    conn->within.asking = true;
    while (!conn->query && next_group(conn, &group))
        conn->query = users_ask_group(conn->server->users, group, on_members, conn);
    conn->within.asking = false;
}

static void on_members(void *context, const struct user_facts *facts)
{
    struct conn *conn = context;

    conn->query = NULL;
    conn->held.answered = facts->answered;
    if (facts->answered)
        members_add(&conn->within.groups, facts->members);
    if (conn->within.asking || conn->closing)
        return;
    ask_rest(conn);
    if (!conn->query)
        held_serve(conn);
}

bool within_ask(struct conn *conn, const struct authorized_key *line)
{
    struct slice group;

    if (!authorized_key_group(line, 0, &group))
        return false;
    within_end(conn);
    conn->held.answered = true;
    ask_rest(conn);
    return true;
}

void within_end(struct conn *conn)
{
    members_end(&conn->within.groups);
}
