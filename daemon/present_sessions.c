/* SPDX-License-Identifier: MIT */
#include "daemon/present_sessions.h"

#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_place.h"

#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

struct session {
    uint64_t handle;
    struct session_fact fact;
    struct boundary_session record; /* as last compared */
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
    int descriptors; /* the limit of open ones: each session has one */
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

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

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
    if (pidfd >= sessions->descriptors - SESSIONS_SPARED)
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

static void to_tell(struct sessions *sessions, struct session *session, enum session_change change)
{
    if (!session->pending || change == SESSION_LISTED)
        session->change = change;
    session->pending = true;
    sessions->scan = 0;
}

static int grow(void **list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
    void *grown = reallocarray(*list, wanted, size);
    if (!grown)
        return -ENOMEM;
    *list = grown;
    *capacity = wanted;
    return 0;
}

/* Out of memory, msgd is not told, and learns of it when it presents something. */
static void remember_gone(struct sessions *sessions, uint64_t handle)
{
    if (grow((void **)&sessions->gone, sessions->gone_count, &sessions->gone_capacity,
             sizeof(*sessions->gone)) == 0)
        sessions->gone[sessions->gone_count++] = handle;
}

static void update(struct sessions *sessions, struct session *session,
                   const struct session_fact *fact, int64_t now_s)
{
    struct boundary_session record;
    /* One source more knows of it, and of a leader of its own; without a descriptor the old one does. */
    if (fact->leader != session->fact.leader)
        (void)watch_leader(sessions, session, fact->leader);
    session->fact = *fact;
    fact_record(fact, now_s, &record);
    record.handle = session->handle;
    if (fact_record_differs(&session->record, &record) && session->record.handle != 0)
        to_tell(sessions, session, session->told ? SESSION_CHANGED : SESSION_ADDED);
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
            remember_gone(sessions, gone[i]->handle);
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
        r = grow((void **)&sessions->list, sessions->count, &sessions->capacity,
                 sizeof(*sessions->list));
        if (r == 0)
            r = session_new(sessions, &facts->facts[i], &session);
        if (r < 0)
            continue; /* no memory or descriptor, or its leader has just ended: looked at again */
        session->handle = ++sessions->last_handle;
        update(sessions, session, &facts->facts[i], now_s);
        sessions->list[sessions->count++] = session;
        to_tell(sessions, session, SESSION_ADDED);
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

/* ---- telling --------------------------------------------------------------------------------- */

int sessions_ask(struct sessions *sessions)
{
    if (sessions->asked >= SESSIONS_ASKED)
        return -ENOBUFS;
    sessions_refresh(sessions);
    sessions->watched = true;
    sessions->patience_ms = now_ms() + LIM_LOOKUP;
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
        (sessions->names_pending && now_ms() < sessions->patience_ms))
        return;
    for (size_t i = 0; i < sessions->count; i++)
        to_tell(sessions, sessions->list[i], SESSION_LISTED);
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

/* As many as sessions and the rest need, or as are allowed: the limit then. */
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
    return limit.rlim_cur < wanted ? (int)limit.rlim_cur : (int)wanted;
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
