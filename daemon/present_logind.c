/* SPDX-License-Identifier: MIT */
#include "daemon/present_logind.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_bus.h"
#include "daemon/present_logins.h"
#include "daemon/present_proc.h"

#include <stdio.h>

#define SERVICE    "org.freedesktop.login1"
#define MANAGER    "/org/freedesktop/login1", SERVICE ".Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct logind {
    sd_event *event; /* borrowed */
    struct logind_config config;
    sd_bus *bus;
    sd_event_source *next;     /* the next thing to do, at next_ms */
    sd_event_source *deadline; /* of an answer */
    uint64_t next_ms, list_ms;
    int late; /* what it means when the deadline has come */
    struct logins logins;
    sd_bus_slot *list_call;
    size_t calls; /* under way, of logins */
    bool list_wanted;
    bool answered; /* it is known what there is, or that nobody tells */
    bool changed, anew;
    bool lost; /* and the log says so */
};

static void work(struct logind *logind);

/* ---- time ------------------------------------------------------------------------------------ */

/* There is something to do in so much time, or before. */
static void do_within(struct logind *logind, uint64_t ms)
{
    uint64_t at = clock_ms(CLOCK_MONOTONIC) + ms;
    if (logind->next_ms != 0 && logind->next_ms <= at)
        return;
    logind->next_ms = at;
    sd_event_source_set_time_relative(logind->next, ms * 1000);
    sd_event_source_set_enabled(logind->next, SD_EVENT_ONESHOT);
}

static void expect_answer(struct logind *logind, bool due)
{
    logind->late = -ETIMEDOUT;
    sd_event_source_set_time_relative(logind->deadline, logind->config.deadline_ms * 1000);
    sd_event_source_set_enabled(logind->deadline, due ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void end_call(struct login *login)
{
    struct logind *logind = login->owner;
    if (login->call)
        logind->calls--;
    login->call = sd_bus_slot_unref(login->call);
}

static void disconnect(struct logind *logind)
{
    expect_answer(logind, false);
    for (size_t i = 0; i < logind->logins.count; i++) {
        end_call(logind->logins.items[i]);
        logind->logins.items[i]->stale = true;
    }
    logind->list_call = sd_bus_slot_unref(logind->list_call);
    bus_drop(TAKE(logind->bus));
}

static void tell(struct logind *logind)
{
    bool changed = logind->changed || logind->anew || !logind->answered, anew = logind->anew;
    logind->answered = true;
    logind->changed = logind->anew = false;
    if (changed)
        logind->config.on_change(logind->config.userdata, anew);
}

/* Nobody answers as he should: what is known stays known, and it is tried again. */
static void lose(struct logind *logind, const char *step, int error)
{
    if (!logind->lost)
        log_warning("logind: %s: %s; sessions that are known stay so", step,
                    error == -EHOSTUNREACH ? "nobody is there" : strerror(-error));
    logind->lost = true;
    disconnect(logind);
    logind->next_ms = 0;
    do_within(logind, logind->config.pause_ms);
    tell(logind);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Any other error is one session's own: it is no more, or cannot be believed. */
static bool is_loss(int error)
{
    return error == -ETIMEDOUT || error == -ECONNRESET || error == -ENOTCONN || error == -EPIPE ||
           error == -EHOSTUNREACH || error == -ENOBUFS || error == -ENOMEM;
}

static void login_answered(struct login *login, int r)
{
    struct logind *logind = login->owner;
    end_call(login);
    if (is_loss(r)) {
        lose(logind, "the properties of a session", r);
        return;
    }
    login->next.leader_start = r < 0 ? 0 : proc_start_of(login->next.leader);
    logind->anew = logind->anew || login->known != (r == 0);
    logind->changed =
        logind->changed || memcmp(&login->record, &login->next, sizeof(login->record)) != 0;
    login->record = login->next;
    login->known = r == 0;
    work(logind);
}

static int on_gid(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct login *login = userdata;
    int r = -sd_bus_message_get_errno(message);
    (void)error;
    if (r == 0)
        r = logind_read_gid(message, &login->next.gid);
    login_answered(login, r);
    return 0;
}

static int ask_gid(struct login *login, const char *user_path)
{
    end_call(login);
    int r =
        sd_bus_call_method_async(login->owner->bus, &login->call, SERVICE, user_path, PROPERTIES,
                                 "Get", on_gid, login, "ss", SERVICE ".User", "GID");
    login->owner->calls += r >= 0;
    return r;
}

static int on_properties(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct login *login = userdata;
    char user_path[LOGIND_PATH];
    int r = -sd_bus_message_get_errno(message);
    (void)error;
    expect_answer(login->owner, true);
    memset(&login->next, 0, sizeof(login->next));
    if (r == 0)
        r = logind_read_session(message, &login->next, user_path);
    bool asks = r == 0 && !(login->known && login->record.uid == login->next.uid);
    if (asks)
        r = ask_gid(login, user_path);
    else if (r == 0)
        login->next.gid = login->record.gid;
    if (!asks || r < 0)
        login_answered(login, r);
    return 0;
}

static int ask_properties(struct login *login)
{
    login->stale = false;
    int r =
        sd_bus_call_method_async(login->owner->bus, &login->call, SERVICE, login->path, PROPERTIES,
                                 "GetAll", on_properties, login, "s", SERVICE ".Session");
    login->owner->calls += r >= 0;
    return r;
}

static int see_listed(void *userdata, uid_t uid, const char *path)
{
    struct logind *logind = userdata;
    struct login *login = logins_find(&logind->logins, path);
    if (!login)
        return logins_add(&logind->logins, path, uid, logind);
    login->listed = login->stale = true;
    return 0;
}

static int on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct logind *logind = userdata;
    int r = -sd_bus_message_get_errno(message);
    (void)error;
    logind->list_call = sd_bus_slot_unref(logind->list_call);
    for (size_t i = 0; i < logind->logins.count; i++)
        logind->logins.items[i]->listed = false;
    if (r == 0)
        r = logind_read_list(message, see_listed, logind);
    if (r < 0) {
        lose(logind, "the list of sessions", r);
        return 0;
    }
    logind->anew = logins_forget_unlisted(&logind->logins) || logind->anew;
    if (logind->lost)
        log_info("logind: it answers again");
    logind->lost = false;
    work(logind);
    return 0;
}

static int ask_list(struct logind *logind)
{
    logind->list_wanted = false;
    logind->list_ms = clock_ms(CLOCK_MONOTONIC) + LOGIND_RELIST_MS;
    return sd_bus_call_method_async(logind->bus, &logind->list_call, SERVICE, MANAGER,
                                    "ListSessions", on_list, logind, NULL);
}

/* ---- news: a hint, whoever it comes from ----------------------------------------------------- */

static int on_sessions_news(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct logind *logind = userdata;
    (void)message;
    (void)error;
    logind->list_wanted = true;
    do_within(logind, LOGIND_SOON_MS);
    return 0;
}

static int on_session_change(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct logind *logind = userdata;
    const char *path = sd_bus_message_get_path(message);
    struct login *login = path ? logins_find(&logind->logins, path) : NULL;
    (void)error;
    if (login) {
        login->stale = true;
        do_within(logind, LOGIND_SOON_MS);
    }
    return 0;
}

/* Not from within the connection's own callback. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct logind *logind = userdata;
    (void)message;
    (void)error;
    logind->late = -ECONNRESET;
    sd_event_source_set_time_relative(logind->deadline, 0);
    sd_event_source_set_enabled(logind->deadline, SD_EVENT_ONESHOT);
    return 0;
}

static const struct bus_match matches[] = {
    {"type='signal',sender='" SERVICE "',interface='" SERVICE ".Manager',member='SessionNew'",
     on_sessions_news},
    {"type='signal',sender='" SERVICE "',interface='" SERVICE ".Manager',member='SessionRemoved'",
     on_sessions_news},
    {"type='signal',sender='" SERVICE "',interface='" PROPERTIES
     "',member='PropertiesChanged',arg0='" SERVICE ".Session'",
     on_session_change},
    {"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SERVICE "'",
     on_sessions_news},
    {BUS_LOST, on_disconnected},
};

/* ---- what is to be done ---------------------------------------------------------------------- */

static int ask_all(struct logind *logind)
{
    int r = logind->list_wanted && !logind->list_call ? ask_list(logind) : 0;
    for (size_t i = 0; r >= 0 && i < logind->logins.count && logind->calls < LOGIND_WINDOW; i++)
        if (logind->logins.items[i]->stale && !logind->logins.items[i]->call)
            r = ask_properties(logind->logins.items[i]);
    return r;
}

/* What becomes of a session that is being opened is told by no signal. */
static bool watch_openings(struct logind *logind)
{
    bool any = false;
    for (size_t i = 0; i < logind->logins.count; i++) {
        struct login *login = logind->logins.items[i];
        bool opening = login->known && strcmp(login->record.state, "opening") == 0;
        login->stale = login->stale || opening;
        any = any || opening;
    }
    return any;
}

static void work(struct logind *logind)
{
    int r = ask_all(logind);
    if (r < 0) {
        lose(logind, "asking", r);
        return;
    }
    bool due = logind->list_call || logind->calls > 0;
    expect_answer(logind, due);
    do_within(logind, LOGIND_RELIST_MS);
    if (!due && watch_openings(logind))
        do_within(logind, LOGIND_OPENING_MS);
    if (!due || logind->answered)
        tell(logind);
}

static int on_next(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct logind *logind = userdata;
    int r = 0;
    (void)source;
    (void)usec;
    logind->next_ms = 0;
    logind->list_wanted =
        logind->list_wanted || !logind->bus || clock_ms(CLOCK_MONOTONIC) >= logind->list_ms;
    if (!logind->bus)
        r = bus_open(logind->event, logind->config.address, matches, ARRAY_SIZE(matches), logind,
                     &logind->bus);
    if (r < 0)
        lose(logind, "the system bus", r);
    else
        work(logind);
    return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct logind *logind = userdata;
    (void)source;
    (void)usec;
    lose(logind, "no answer", logind->late);
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

size_t logind_records(const struct logind *logind, const struct login_record *ret_records[],
                      size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < logind->logins.count && count < capacity; i++)
        if (logind->logins.items[i]->known)
            ret_records[count++] = &logind->logins.items[i]->record;
    return count;
}

bool logind_is_pending(const struct logind *logind)
{
    return !logind->answered;
}

int logind_new(sd_event *event, const struct logind_config *config, struct logind **ret_logind)
{
    CLEANUP_FREE struct logind *logind = calloc(1, sizeof(*logind));
    if (!logind)
        return -ENOMEM;
    *logind = (struct logind){.event = event, .config = *config};
    int r = sd_event_add_time(event, &logind->next, CLOCK_MONOTONIC, 0, 1000, on_next, logind);
    if (r >= 0)
        r = sd_event_add_time(event, &logind->deadline, CLOCK_MONOTONIC, 0, 1000, on_deadline,
                              logind);
    if (r >= 0)
        r = sd_event_source_set_enabled(logind->deadline, SD_EVENT_OFF);
    if (r < 0) {
        sd_event_source_disable_unref(logind->next);
        sd_event_source_disable_unref(logind->deadline);
        return r;
    }
    *ret_logind = TAKE(logind);
    return 0;
}

void logind_free(struct logind *logind)
{
    if (!logind)
        return;
    disconnect(logind);
    logins_free(&logind->logins);
    sd_event_source_disable_unref(logind->next);
    sd_event_source_disable_unref(logind->deadline);
    free(logind);
}
