/* SPDX-License-Identifier: MIT */
/*
 * By what sessions can be named, hashed once for a request: 512 names are looked for among 4,096
 * sessions, and a sender must not be able to make that slow. Pure.
 */
#ifndef MSG_DAEMON_NET_NAMES_H
#define MSG_DAEMON_NET_NAMES_H

#include "daemon/net_sessions.h"
#include "protocol/slice.h"

enum name_field {
    NAME_USER,
    NAME_SESSION, /* as it is printed */
    NAME_DISPLAY,
    NAME_TERMINAL,
    NAME_SEAT,    /* of the active session of seat0 alone */
    NAME_CONSOLE, /* likewise: "console" */
    NAME_ID,
    NAME_FIELDS
};

struct names {
    const struct net_sessions *sessions; /* borrowed; not to change meanwhile */
    unsigned (*hashes)[NAME_FIELDS];     /* without case */
};

/* 0 or -ENOMEM. */
int names_make(const struct net_sessions *sessions, struct names *ret_names);
void names_release(struct names *names);

/* A name that is looked for; borrows it. */
struct wanted {
    struct slice name;
    unsigned hash;
    bool exactly; /* in its very case */
};
struct wanted names_want(struct slice name);

/* Whether it is this field of this session (an index). */
bool names_equal(const struct names *names, const struct wanted *wanted, size_t session,
                 enum name_field field);
static inline bool names_fit(const struct names *names, const struct wanted *wanted, size_t session,
                             enum name_field field)
{
    return names->hashes[session][field] == wanted->hash &&
           names_equal(names, wanted, session, field);
}

#endif
