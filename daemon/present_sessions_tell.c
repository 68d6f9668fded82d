/* SPDX-License-Identifier: MIT */
#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_sessions_inside.h"

/* ---- what is to be told ---------------------------------------------------------------------- */

void sessions_tell(struct sessions *sessions, struct session *session, enum session_change change)
{
    if (!session->pending || change == SESSION_LISTED)
        session->change = change;
    session->pending = true;
    sessions->scan = 0;
}

/* Out of memory, msgd is not told, and learns of it when it presents something. */
void sessions_tell_gone(struct sessions *sessions, uint64_t handle)
{
    if (mem_grow((void **)&sessions->gone, sessions->gone_count, &sessions->gone_capacity,
                 sizeof(*sessions->gone)) == 0)
        sessions->gone[sessions->gone_count++] = handle;
}

int sessions_ask(struct sessions *sessions)
{
    if (sessions->asked >= SESSIONS_ASKED)
        return -ENOBUFS;
    sessions_refresh(sessions);
    sessions->watched = true;
    sessions->patience_ms = clock_ms(CLOCK_MONOTONIC) + LIM_LOOKUP;
    sessions->asked++;
    return 0;
}

void sessions_forget_asker(struct sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++)
        sessions->list[i]->told = sessions->list[i]->pending = false;
    sessions->watched = sessions->listing = false;
    sessions->asked = 0;
    sessions->gone_count = 0;
}

/* A list begins once no name is being looked up, or that takes too long. */
static void start_listing(struct sessions *sessions)
{
    if (sessions->asked == 0 || sessions->listing ||
        (sessions->names_pending && clock_ms(CLOCK_MONOTONIC) < sessions->patience_ms))
        return;
    for (size_t i = 0; i < sessions->count; i++)
        sessions_tell(sessions, sessions->list[i], SESSION_LISTED);
    sessions->listing = true;
    sessions->listed = 0;
    sessions->scan = 0;
}

static void report_gone(struct sessions *sessions, struct boundary_message *message)
{
    *message = (struct boundary_message){.verb = BOUNDARY_SESSION};
    message->u.session.handle = sessions->gone[--sessions->gone_count];
    message->u.session.change = SESSION_GONE;
}

static void report_session(struct sessions *sessions, struct session *session,
                           struct boundary_message *message)
{
    *message = (struct boundary_message){.verb = BOUNDARY_SESSION, .u.session = session->record};
    message->u.session.change = session->change;
    session->pending = false;
    session->told = true;
    sessions->listed += session->change == SESSION_LISTED;
}

static void report_end(struct sessions *sessions, struct boundary_message *message)
{
    *message = (struct boundary_message){.verb = BOUNDARY_END_OF_LIST};
    message->u.end_of_list.count = sessions->listed;
    sessions->listing = false;
    sessions->asked--;
}

bool sessions_next_report(struct sessions *sessions, struct boundary_message *ret_message)
{
    if (!sessions->watched)
        return false;
    start_listing(sessions);
    if (sessions->gone_count > 0) {
        report_gone(sessions, ret_message);
        return true;
    }
    for (; sessions->scan < sessions->count; sessions->scan++) {
        struct session *session = sessions->list[sessions->scan];
        /* Before the first list, what is new will be part of it. */
        if (session->pending && (sessions->listing || session->told || sessions->asked == 0)) {
            report_session(sessions, session, ret_message);
            return true;
        }
    }
    if (!sessions->listing)
        return false;
    report_end(sessions, ret_message);
    return true;
}
