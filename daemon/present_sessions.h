/* SPDX-License-Identifier: MIT */
/*
 * The one list of login sessions. Sources say what they see (present_fact.h); here it is given its
 * places (present_place.h), compared with what was known, given handles, and told to msgd: all of
 * it when asked, later changes by themselves. What is to be told is drawn from here, one datagram
 * at a time, as there is room for it.
 *
 * A session is its terminal (or logind's id, where it has none), owner, leader and time of login
 * together: where one of these is another, so is the session. It ends with its leader (a pidfd),
 * its record or its terminal. Handles are counted up and never used again. The list owns its
 * sessions; its sources it borrows.
 */
#ifndef MSG_DAEMON_PRESENT_SESSIONS_H
#define MSG_DAEMON_PRESENT_SESSIONS_H

#include "daemon/present_fact.h"

#include <systemd/sd-event.h>

#define SESSIONS_POLL_MS 1000 /* sources without news of their own are looked at this often */
#define SESSIONS_SOON_MS 20
#define SESSIONS_ASKED   64   /* lists asked for and not yet told */
#define SESSIONS_SPARED  1460 /* descriptors for all else: two of each child and popup, and some */

struct session_source {
    /* Adds all it sees now; never waits. */
    void (*look)(void *userdata, struct fact_list *facts);
    void *userdata;
};

struct session_watcher {
    /* Once for each session that ends; why is a literal of PROTOCOL.md. */
    void (*on_gone)(void *userdata, uint64_t handle, const char *why);
    void *userdata;
};

struct sessions;

int sessions_new(sd_event *event, const struct session_source *sources, size_t count,
                 const struct session_watcher *watcher, struct sessions **ret_sessions);
void sessions_free(struct sessions *sessions);

/* Looks at the sources again, now; or in a moment, once for many such calls. */
void sessions_refresh(struct sessions *sessions);
void sessions_refresh_soon(struct sessions *sessions);

/* The whole list is asked for. 0, or -ENOBUFS beyond SESSIONS_ASKED. */
int sessions_ask(struct sessions *sessions);

/* The asker is gone: nothing is told until the next one asks. */
void sessions_forget_asker(struct sessions *sessions);

/* The next thing to be told, if there is one. */
bool sessions_next_report(struct sessions *sessions, struct boundary_message *ret_message);

/* Whose a session is and how it is reached. False: there is no such session (any more). */
struct session_where {
    enum session_reach reach;
    /* Whose it is; and for REACH_TERMINAL and REACH_TMUX its terminal, else rdev is 0. */
    struct device_target target;
    char user[65];
    bool locked;   /* as far as is known */
    bool disabled; /* reached by a terminal whose messages are off: for those who may override */
};
bool sessions_where(const struct sessions *sessions, uint64_t handle,
                    struct session_where *ret_where);

#endif
