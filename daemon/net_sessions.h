/* SPDX-License-Identifier: MIT */
/*
 * The login sessions as the presenter tells them: a table by handle, in the order of their coming.
 * Owned by msgd's loop; emptied when the presenter is lost, since handles die with it. Does no I/O.
 */
#ifndef MSG_DAEMON_NET_SESSIONS_H
#define MSG_DAEMON_NET_SESSIONS_H

#include "daemon/boundary.h"
#include "protocol/wire.h"

struct net_sessions {
    struct boundary_session *items;
    size_t n, capacity;
    bool complete; /* the presenter has ended its list */
};

/* Takes in one record. 0, -ENOMEM, or -E2BIG beyond LIM_SESSIONS: the presenter is at fault. */
int sessions_update(struct net_sessions *sessions, const struct boundary_session *record);
void sessions_clear(struct net_sessions *sessions);

/* Borrowed until the next change; NULL where there is none. */
const struct boundary_session *sessions_find(const struct net_sessions *sessions, uint64_t handle);
/* The session that a lost presenter knew by another handle: same id, user and name. */
const struct boundary_session *sessions_same(const struct net_sessions *sessions, uint32_t uid,
                                             const char *id, const char *name);

/* Whether two sessions are one screen of one person. */
bool sessions_one_place(const struct boundary_session *a, const struct boundary_session *b);
/* False where nobody sits: a greeter, a service manager, a session that begins or ends. */
bool sessions_is_persons(const struct boundary_session *session);

/* Whether a is the better way to a screen that both share: the one that does not stand aside;
 * desktop before tmux before terminal. */
bool sessions_better(const struct boundary_session *a, const struct boundary_session *b);

/* terminal, tmux, desktop, nothing */
const char *sessions_reach_name(uint32_t reach);

#endif
