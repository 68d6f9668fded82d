/* SPDX-License-Identifier: MIT */
/*
 * Clients whose line names groups in to=: who is in these is asked for each request (net_held), one
 * group after the other.
 */
#ifndef MSG_DAEMON_NET_WITHIN_H
#define MSG_DAEMON_NET_WITHIN_H

#include "daemon/net_members.h"

struct conn;

/* A connection's part of it. */
struct within {
    struct members_list groups; /* for the request at hand */
    bool asking;
};

/* False: the line names no group. */
bool within_ask(struct conn *conn, const struct authorized_key *line);
void within_end(struct conn *conn);

#endif
