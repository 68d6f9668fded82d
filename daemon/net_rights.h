/* SPDX-License-Identifier: MIT */
/*
 * What a principal may do (PROTOCOL.md, "Rights"): pure, from what the kernel or the authorized
 * line says about him. What he may not reach must look the same whether it is there or not, so
 * names are judged before anything is looked up.
 */
#ifndef MSG_DAEMON_NET_RIGHTS_H
#define MSG_DAEMON_NET_RIGHTS_H

#include "common/authorized_keys.h"
#include "common/config.h"
#include "common/endorsement.h"
#include "daemon/net_members.h"
#include "daemon/net_sessions.h"

/* How the host is set up for senders on it. */
struct rights_policy {
    enum config_users users; /* whom people may message; admins: everybody */
    enum config_who who;
    uint32_t uid_min;       /* accounts from here on may message any single user */
    const uint32_t *listed; /* service accounts that may as well */
    size_t n_listed;
    bool has_group; /* whose members have `all` and `override` */
    uint32_t group;
};

struct rights {
    bool any;      /* any single user or session, unless `only` */
    bool all;      /* everybody at once */
    bool who;      /* may ask who is there */
    bool override; /* passes over mesg n */
    bool local;
    uint32_t uid;                      /* local: his own sessions, always */
    const struct authorized_key *only; /* to=: nobody else; borrowed from its table */
    const struct members_list *groups; /* of to=, borrowed */
};

struct rights rights_of_uid(const struct rights_policy *policy, uint32_t uid,
                            const uint32_t *groups, size_t n_groups);
/* perm: what an endorsement leaves of the line's rights (enum endorsement_perm). */
struct rights rights_of_key(const struct authorized_key *key, unsigned perm,
                            const struct members_list *groups);

/* May he reach this session? May he name this user, who may not even exist? */
bool rights_session(const struct rights *rights, const struct boundary_session *session);
bool rights_user(const struct rights *rights, struct slice user);
/* One of his own. */
bool rights_own(const struct rights *rights, const struct boundary_session *session);

#endif
