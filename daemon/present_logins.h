/* SPDX-License-Identifier: MIT */
/*
 * The sessions that logind listed, by the paths of their objects, each with what it told of it
 * last. Memory only; owns its items, and the call of each that is under way.
 */
#ifndef MSG_DAEMON_PRESENT_LOGINS_H
#define MSG_DAEMON_PRESENT_LOGINS_H

#include "daemon/present_logind_message.h"

struct logind;

/* One session: its record holds once all of it is known, and until all of it is known anew. */
struct login {
    struct logind *owner; /* borrowed */
    char path[LOGIND_PATH];
    uid_t uid;                  /* as the list says: it counts for his bound alone */
    struct login_record record; /* what was told last */
    struct login_record next;   /* what is being told */
    sd_bus_slot *call;
    bool known;  /* `record` holds */
    bool stale;  /* it is to be asked for anew */
    bool listed; /* a mark of the list at hand */
};

struct logins {
    struct login **items;
    size_t count, capacity;
    size_t found; /* where one was found last: the next one is behind it, mostly */
};

/* The session of that path, or NULL. */
struct login *logins_find(struct logins *logins, const char *path);

/* One more, listed, of which nothing is known: 0, or -ENOMEM. Beyond LIM_SESSIONS, and
   LIM_USER_SESSIONS of that user, it is left out. */
int logins_add(struct logins *logins, const char *path, uid_t uid, struct logind *owner);

/* Frees those that are not marked as listed and have no call under way; true if there was one. */
bool logins_forget_unlisted(struct logins *logins);

void logins_free(struct logins *logins);

#endif
