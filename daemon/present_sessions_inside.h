/* SPDX-License-Identifier: MIT */
/*
 * What the files of the session list share. present_sessions.c keeps the list: who is there, whose
 * leader lives; present_sessions_tell.c tells msgd of it.
 */
#ifndef MSG_DAEMON_PRESENT_SESSIONS_INSIDE_H
#define MSG_DAEMON_PRESENT_SESSIONS_INSIDE_H

#include "daemon/present_sessions.h"

struct session {
    uint64_t handle;
    struct session_fact fact;
    struct boundary_session record; /* as it was or will be told */
    int pidfd;                      /* of the leader */
    sd_event_source *leader;
    bool told;    /* msgd knows the handle */
    bool pending; /* something is to be told */
    enum session_change change;
};

struct sessions {
    sd_event *event; /* borrowed */
    const struct session_source *sources;
    size_t source_count;
    struct session_watcher watcher;
    sd_event_source *poll;
    bool soon; /* it is set to the next moment */

    struct session **list; /* by handle, rising */
    size_t count, capacity;
    uint64_t last_handle;
    int descriptors; /* below that a session's must be: others are kept for what is shown */
    bool full;       /* it is reached */

    uint64_t *gone; /* handles that msgd knows and that are no more */
    size_t gone_count, gone_capacity;

    bool watched;         /* msgd has asked once */
    unsigned asked;       /* lists to be told, the present one included */
    bool listing;         /* one is being told */
    uint32_t listed;      /* sessions of it so far */
    size_t scan;          /* none before it has anything to tell */
    bool names_pending;   /* a source waits for an answer */
    uint64_t patience_ms; /* until when a list waits for that */
};

/* msgd is to be told: of a session, or that one which it knows is no more. */
void sessions_tell(struct sessions *sessions, struct session *session, enum session_change change);
void sessions_tell_gone(struct sessions *sessions, uint64_t handle);

#endif
