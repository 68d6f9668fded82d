/* SPDX-License-Identifier: MIT */
/*
 * Clients by a key that a user of this host authorized for himself: they count as that user, with
 * what he may do now. Who he is and his groups are asked for outside the loop, when the client
 * comes and for each of its requests (net_held).
 */
#ifndef MSG_DAEMON_NET_OWN_H
#define MSG_DAEMON_NET_OWN_H

#include "common/granted.h"
#include "daemon/net_rights.h"

struct conn;

/* A connection's part of it. */
struct own {
    bool admitted; /* let in by such a key: the account is the user's */
    bool vouched; /* the name service knows the uid by the name that the key was authorized under */
};

/* Answers the question about the key, at once or later. */
void own_admit(struct conn *conn, const struct granted_key *own);
/* Asks for a request, at once or later: net_held serves it then. */
void own_ask(struct conn *conn, const struct granted_key *own);
/* The user's rights, as asked for just now; false: he is none of this host's any more. */
bool own_rights(const struct conn *conn, const struct granted_key *own, struct rights *ret_rights,
                const char **ret_code);
#endif
