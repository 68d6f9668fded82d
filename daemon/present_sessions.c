/* SPDX-License-Identifier: MIT */
#include "daemon/present_sessions_inside.h"

#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_place.h"

#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- one session ----------------------------------------------------------------------------- */

static void session_free(struct session *session)
{
    sd_event_source_disable_unref(session->leader);
    mem_close_fd(&session->pidfd);
    free(session);
}

/* A pidfd is readable when its process has ended. */
static bool has_ended(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    return poll(&ended, 1, 0) != 0;
}

static bool leader_lives(const struct session *session)
{
    return !has_ended(session->pidfd);
}

static int on_leader(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)fd;
    (void)events;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    sessions_refresh(userdata);
    return 0;
}

/* Watches the leader that the fact names. 0, -ESRCH: it has ended; or another errno. */
static int watch_leader(struct sessions *sessions, struct session *session, pid_t leader)
{
    sd_event_source *source;
    CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, leader, 0);
    if (pidfd < 0)
        return mem_errno();
    if (pidfd >= sessions->descriptors)
        return -EMFILE;
    if (has_ended(pidfd))
        return -ESRCH;
    int r = sd_event_add_io(sessions->event, &source, pidfd, EPOLLIN, on_leader, sessions);
    if (r < 0)
        return r;
    sd_event_source_disable_unref(session->leader);
    mem_close_fd(&session->pidfd);
    session->leader = source;
    session->pidfd = TAKE_FD(pidfd);
    return 0;
}

static int session_new(struct sessions *sessions, const struct session_fact *fact,
                       struct session **ret_session)
{
    CLEANUP_FREE struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return -ENOMEM;
    *session = (struct session){.fact = *fact, .pidfd = -1, .change = SESSION_ADDED};
    int r = watch_leader(sessions, session, fact->leader);
    if (r < 0)
        return r;
    *ret_session = TAKE(session);
    return 0;
}

static const char *why_gone(const struct session *session)
{
    struct device device;
    if (!leader_lives(session) || session->fact.device.rdev == 0)
        return "logout";
    return device_look(session->fact.device.line, &device) < 0 ? "hangup" : "logout";
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void update(struct sessions *sessions, struct session *session,
                   const struct session_fact *fact, int64_t now_s)
{
    struct boundary_session record;
    /*
     * One source more knows of it, and of a leader of its own; without a descriptor the old one
     * does.
     */
    if (fact->leader != session->fact.leader)
        (void)watch_leader(sessions, session, fact->leader);
    session->fact = *fact;
    fact_record(fact, now_s, &record);
    record.handle = session->handle;
    if (!fact_record_differs(&session->record, &record))
        return;
    if (session->record.handle != 0)
        sessions_tell(sessions, session, session->told ? SESSION_CHANGED : SESSION_ADDED);
    session->record = record;
}

/* Those that are no more are taken out first and told afterwards: the list is whole by then. */
static void drop_ended(struct sessions *sessions, const struct fact_list *facts, int64_t now_s)
{
    size_t kept = 0, ended = 0, count = sessions->count;
    struct session *gone[LIM_SESSIONS];
    for (size_t i = 0; i < count; i++) {
        struct session *session = sessions->list[i];
        struct session_fact *fact = fact_find(facts, &session->fact);
        bool same = fact ? fact_same_login(fact, &session->fact) : facts->incomplete;
        if (same && leader_lives(session)) {
            if (fact) {
                fact->known = true;
                update(sessions, session, fact, now_s);
            }
            sessions->list[kept++] = session;
        } else {
            gone[ended++] = session;
        }
    }
    sessions->count = kept;
    sessions->scan = 0;
    for (size_t i = 0; i < ended; i++) {
        if (gone[i]->told)
            sessions_tell_gone(sessions, gone[i]->handle);
        sessions->watcher.on_gone(sessions->watcher.userdata, gone[i]->handle, why_gone(gone[i]));
        session_free(gone[i]);
    }
}

/* Without root's help only one's own terminals can be written to: others are not promised. */
static bool is_served(const struct session_fact *fact)
{
    return geteuid() == 0 || fact->uid == geteuid();
}

static void add_new(struct sessions *sessions, const struct fact_list *facts, int64_t now_s)
{
    int r = 0;
    for (size_t i = 0; i < facts->count && sessions->count < LIM_SESSIONS && r != -EMFILE; i++) {
        struct session *session;
        if (facts->facts[i].known || !is_served(&facts->facts[i]))
            continue;
        r = mem_grow((void **)&sessions->list, sessions->count, &sessions->capacity,
                     sizeof(*sessions->list));
        if (r == 0)
            r = session_new(sessions, &facts->facts[i], &session);
        if (r < 0)
            continue; /* no memory or descriptor, or its leader has just ended: looked at again */
        session->handle = ++sessions->last_handle;
        update(sessions, session, &facts->facts[i], now_s);
        sessions->list[sessions->count++] = session;
        sessions_tell(sessions, session, SESSION_ADDED);
    }
    if (r == -EMFILE && !sessions->full)
        log_warning("there are more sessions than the limit of %d descriptors allows",
                    sessions->descriptors);
    sessions->full = r == -EMFILE;
}

void sessions_refresh(struct sessions *sessions)
{
    struct fact_list facts = {0};
    int64_t now_s = time(NULL);
    for (size_t i = 0; i < sessions->source_count; i++)
        sessions->sources[i].look(sessions->sources[i].userdata, &facts);
    sessions->names_pending = facts.pending;
    fact_sort(&facts);
    place_choose(&facts);
    drop_ended(sessions, &facts, now_s);
    add_new(sessions, &facts, now_s);
    fact_list_free(&facts);
}

/* ---- the list -------------------------------------------------------------------------------- */

static void fill_where(const struct session_fact *fact, struct session_where *ret_where)
{
    *ret_where = (struct session_where){
        .reach = fact->reach,
        .target = {.uid = fact->uid, .gid = fact->gid},
        .locked = fact->locked,
        .disabled = fact_is_disabled(fact),
    };
    memcpy(ret_where->user, fact->user, sizeof(fact->user));
    if (fact->reach == REACH_TERMINAL || fact->reach == REACH_TMUX) {
        ret_where->target.rdev = fact->device.rdev;
        memcpy(ret_where->target.line, fact->device.line, sizeof(fact->device.line));
    }
}

bool sessions_where(const struct sessions *sessions, uint64_t handle,
                    struct session_where *ret_where)
{
    for (size_t i = 0; i < sessions->count; i++) {
        const struct session_fact *fact = &sessions->list[i]->fact;
        if (sessions->list[i]->handle != handle || !leader_lives(sessions->list[i]))
            continue;
        fill_where(fact, ret_where);
        return true;
    }
    return false;
}

void sessions_refresh_soon(struct sessions *sessions)
{
    if (sessions->soon)
        return;
    sessions->soon = true;
    sd_event_source_set_time_relative(sessions->poll, SESSIONS_SOON_MS * 1000);
    sd_event_source_set_enabled(sessions->poll, SD_EVENT_ONESHOT);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct sessions *sessions = userdata;
    (void)usec;
    sessions->soon = false;
    sessions_refresh(sessions);
    sd_event_source_set_time_relative(source, SESSIONS_POLL_MS * 1000);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/*
 * As many as sessions and the rest need, or as are allowed. How many of them are the sessions':
 * where there are few, not so many that nothing could be shown.
 */
static int raise_descriptors(void)
{
    const rlim_t wanted = LIM_SESSIONS + SESSIONS_SPARED;
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return LIM_SESSIONS;
    return limit.rlim_cur < 2 * SESSIONS_SPARED ? (int)limit.rlim_cur / 2
                                                : (int)limit.rlim_cur - SESSIONS_SPARED;
}

int sessions_new(sd_event *event, const struct session_source *sources, size_t count,
                 const struct session_watcher *watcher, struct sessions **ret_sessions)
{
    CLEANUP_FREE struct sessions *sessions = calloc(1, sizeof(*sessions));
    if (!sessions)
        return -ENOMEM;
    sessions->event = event;
    sessions->sources = sources;
    sessions->source_count = count;
    sessions->watcher = *watcher;
    sessions->descriptors = raise_descriptors();
    int r = sd_event_add_time_relative(event, &sessions->poll, CLOCK_MONOTONIC, 0, 5000, on_poll,
                                       sessions);
    if (r < 0)
        return r;
    *ret_sessions = TAKE(sessions);
    return 0;
}

void sessions_free(struct sessions *sessions)
{
    if (!sessions)
        return;
    for (size_t i = 0; i < sessions->count; i++)
        session_free(sessions->list[i]);
    sd_event_source_disable_unref(sessions->poll);
    free(sessions->list);
    free(sessions->gone);
    free(sessions);
}
