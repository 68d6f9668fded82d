/* SPDX-License-Identifier: MIT */
/*
 * From what was named to where it goes: selectors, the session list and the sender's rights make
 * deliveries, one for each place, and misses. Pure.
 *
 * {name} is a user, else a session's name, else an id (all digits: the id first); exact case goes
 * before any case. Whoever may not be reached is `forbidden` whether he exists or not.
 */
#ifndef MSG_DAEMON_NET_RESOLVE_H
#define MSG_DAEMON_NET_RESOLVE_H

#include "daemon/net_rights.h"
#include "protocol/messages.h"

/* Why an entry of `to` reached nobody. The first two are ERROR codes too. */
#define MISS_NO_TARGET "no-target"         /* no such user or session is there */
#define MISS_FORBIDDEN "forbidden"         /* may not be reached, or does not exist */
#define MISS_NO_SCREEN "no-screen"         /* there, but without a screen or terminal */
#define MISS_DISABLED  "messages-disabled" /* the person wishes no messages */
#define MISS_LEFT_OUT  "left-out"          /* taken away by `not` */
#define MISS_ELSEWHERE "reached-elsewhere" /* of a session: another of its user is delivered to */

struct resolve_query {
    const struct net_sessions *sessions;
    const struct rights *rights;
    struct msg_selector_list to, except;
    bool list; /* for WHO: every session, also those that cannot be reached or share a place */
};

struct resolved {
    uint32_t *sessions; /* indices into the session list, in the order of `to` */
    size_t n;
    uint32_t *meant;         /* of each session: 1 + the first entry that means it; 0: none */
    struct msg_miss *misses; /* their strings are borrowed from the sessions */
    size_t n_misses;
    uint32_t failures; /* misses that make the request partial */
};

/*
 * 0, -ENOMEM, -EINVAL with *ret_bad (a selector of no or of the wrong kind: its place in `to`, or
 * LIM_SELECTORS + its place in `except`), or -E2BIG (more than LIM_DELIVERIES). On 0
 * resolved_release() frees what it holds.
 */
int resolve(const struct resolve_query *query, struct resolved *ret_resolved, size_t *ret_bad);
void resolved_release(struct resolved *resolved);

/* The ERROR code where nobody is reached: forbidden if that is the reason for every entry. */
const char *resolved_error(const struct resolved *resolved);

#endif
