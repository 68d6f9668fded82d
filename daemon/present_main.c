/* SPDX-License-Identifier: MIT */
/*
 * msgd-present: what msgd asks for is shown here, and only here is there any power over terminals.
 * This file joins the modules to one loop: a link to msgd, the session list, the deliveries.
 */
#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_delivery.h"
#include "daemon/present_embed.h"
#include "daemon/present_link.h"
#include "daemon/present_listen.h"
#include "daemon/present_options.h"
#include "daemon/present_program.h"
#include "daemon/present_sources.h"
#include "daemon/present_start.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#define CONNECTIONS    20 /* taken in CONNECTIONS_US */
#define CONNECTIONS_US 1000000
#define LAST_WORDS_MS  1000  /* for the lines that end what waits, when msgd is gone */
#define MSGD_STOP_MS   10000 /* for msgd to tell its clients */
#define MSGD_LEAVE_MS  2000  /* for msgd to end by itself, once the link is closed */

struct presenter {
    struct options options;
    sd_event *event;
    uid_t msgd_uid;
    gid_t msgd_gid;
    struct user_cache *users;
    struct sources *sources;
    struct session_source source;
    struct sessions *sessions;
    struct terminals *terminals;
    char popup[PATH_MAX];
    struct popups *popups;
    struct wishes *wishes;
    struct showings showings;
    struct deliveries *deliveries;
    struct link *link;
    int listener;
    struct embed *embed;
    sd_event_source *time_up;
    bool stopping; /* msgd was told to end */
    bool ending;   /* only last words are left */
    int status;
};

static int fail(int error, const char *what)
{
    log_error("%s: %s", what, strerror(-error));
    return error;
}

/* ---- what msgd says, and what it is told ----------------------------------------------------- */

static int on_message(void *userdata, const struct boundary_message *message,
                      const char **ret_reason)
{
    struct presenter *p = userdata;
    if (message->verb == BOUNDARY_PRESENT)
        return deliveries_present(p->deliveries, message, ret_reason);
    if (message->verb == BOUNDARY_WITHDRAW)
        deliveries_withdraw(p->deliveries, &message->u.withdraw);
    else if (message->verb == BOUNDARY_SESSIONS && sessions_ask(p->sessions) < 0) {
        *ret_reason = "more lists asked for than read";
        return -EBADMSG;
    }
    return 0;
}

static int on_post(sd_event_source *source, void *userdata)
{
    struct presenter *p = userdata;
    struct boundary_message message;
    (void)source;
    while (p->link && link_has_room(p->link) &&
           (deliveries_next_report(p->deliveries, &message) ||
            sessions_next_report(p->sessions, &message)))
        link_send(p->link, &message);
    if (p->ending && terminals_idle(p->terminals))
        sd_event_exit(p->event, p->status);
    return 0;
}

static void on_hello(void *userdata, const char *program)
{
    struct presenter *p = userdata;
    log_info("connected with %s", program);
    if (p->embed)
        sd_notify(0, "READY=1");
}

static void allow(struct presenter *p, uint64_t ms);

static void stop_msgd(struct presenter *p)
{
    embed_signal(p->embed, p->stopping ? SIGKILL : SIGTERM);
    p->stopping = true;
    allow(p, MSGD_STOP_MS);
}

static int on_time_up(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct presenter *p = userdata;
    (void)source;
    (void)usec;
    if (p->ending)
        sd_event_exit(p->event, p->status);
    else
        stop_msgd(p);
    return 0;
}

/* What happens next is given so much time. */
static void allow(struct presenter *p, uint64_t ms)
{
    sd_event_source_set_time_relative(p->time_up, ms * 1000);
    sd_event_source_set_enabled(p->time_up, SD_EVENT_ONESHOT);
}

static void drop_link(struct presenter *p)
{
    link_free(TAKE(p->link));
    deliveries_forget_peer(p->deliveries);
    sessions_forget_asker(p->sessions);
}

static void on_closed(void *userdata, int error, const char *reason)
{
    struct presenter *p = userdata;
    if (error < 0)
        log_error("closed the connection with msgd: %s", reason);
    else
        log_info("msgd has gone");
    drop_link(p);
    if (p->embed && !p->stopping && !p->ending)
        allow(p, MSGD_LEAVE_MS);
}

static int connect_link(struct presenter *p, int fd)
{
    const struct link_handler handler = {on_hello, on_message, on_closed, p};
    return link_new(p->event, fd, &handler, &p->link);
}

/* ---- listening ------------------------------------------------------------------------------- */

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct presenter *p = userdata;
    uid_t uid = (uid_t)-1;
    int r = listen_accept(fd, p->msgd_uid, &uid);
    (void)source;
    (void)events;
    if (r == -EPERM)
        log_warning("turned away a connection of uid %u, not %u%s", uid, p->msgd_uid,
                    uid == LISTEN_OVERFLOW_UID ? ": it comes from another user namespace" : "");
    else if (r >= 0 && p->link) {
        log_warning("turned away a second msgd: one is connected");
        close(r);
    } else if (r >= 0) {
        r = connect_link(p, r);
        if (r < 0)
            fail(r, "a connection");
    }
    return 0;
}

static int open_listener(struct presenter *p)
{
    p->listener =
        p->options.socket ? listen_at(p->options.socket, p->msgd_uid) : listen_inherited();
    if (p->listener == -ENOENT && !p->options.socket)
        return fail(p->listener, "no socket from systemd, no --socket, no --with-msgd");
    if (p->listener < 0)
        return fail(p->listener, p->options.socket ? p->options.socket : "the passed socket");
    return 0;
}

static int start_listening(struct presenter *p)
{
    sd_event_source *source;
    int r = sd_event_add_io(p->event, &source, p->listener, EPOLLIN, on_connection, p);
    if (r < 0)
        return fail(r, "the socket");
    /* After the link's own events: the end of one msgd is seen before the next one comes. */
    sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
    /* Whoever comes and goes, or cannot be accepted, neither fills the log nor keeps us busy. */
    r = sd_event_source_set_ratelimit(source, CONNECTIONS_US, CONNECTIONS);
    if (r < 0)
        return fail(r, "the socket");
    sd_event_source_set_floating(source, true);
    sd_event_source_unref(source);
    log_info("listens for msgd (uid %u) on %s", p->msgd_uid,
             p->options.socket ? p->options.socket : "the passed socket");
    sd_notify(0, "READY=1");
    return 0;
}

/* ---- msgd as our child ----------------------------------------------------------------------- */

static void on_msgd_exit(void *userdata, int status)
{
    struct presenter *p = userdata;
    log_info("msgd has ended with status %d", status);
    if (p->link) {
        link_drain(p->link);
        drop_link(p);
    }
    p->ending = true;
    p->status = status;
    allow(p, LAST_WORDS_MS);
}

static int start_msgd(struct presenter *p)
{
    char path[PATH_MAX];
    int fd, r = p->options.msgd ? 0 : program_find_msgd(path);
    if (r < 0)
        return fail(r, path);
    const struct embed_spec spec = {
        .program = p->options.msgd ? p->options.msgd : path,
        .arguments = p->options.msgd_arguments,
        .uid = p->msgd_uid,
        .gid = p->msgd_gid,
        .on_exit = on_msgd_exit,
        .userdata = p,
    };
    r = embed_start(p->event, &spec, &fd, &p->embed);
    if (r == 0)
        r = connect_link(p, fd);
    return r < 0 ? fail(r, "starting msgd") : 0;
}

/* ---- the start ------------------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct presenter *p = userdata;
    (void)source;
    if (info->ssi_signo == SIGHUP) {
        embed_signal(p->embed, SIGHUP); /* msgd reads its configuration again */
        return 0;
    }
    log_info("ends: signal %u", info->ssi_signo);
    sd_notify(0, "STOPPING=1");
    if (p->embed && !p->ending)
        stop_msgd(p);
    else
        sd_event_exit(p->event, p->status);
    return 0;
}

static void on_news(void *userdata)
{
    struct presenter *p = userdata;
    sessions_refresh_soon(p->sessions); /* many names are answered at the same time */
}

static void on_session_gone(void *userdata, uint64_t handle, const char *why)
{
    struct presenter *p = userdata;
    deliveries_session_gone(p->deliveries, handle, why);
}

/* Terminals are reached without it. */
static const char *find_popup(struct presenter *p)
{
    if (p->options.popup)
        return p->options.popup;
    int r = program_find_popup(p->popup);
    if (r < 0)
        log_warning("desktops and tmux are not reached: %s: %s", p->popup, strerror(-r));
    return p->popup;
}

static int make_modules(struct presenter *p)
{
    const struct session_watcher watcher = {on_session_gone, p};
    int r = user_cache_new(p->event, on_news, p, &p->users);
    if (r < 0)
        return r;
    const struct sources_config config = {
        .utmp = p->options.utmp,
        .system_bus = p->options.system_bus,
        .users = p->users,
        .on_change = on_news,
        .userdata = p,
    };
    r = sources_new(p->event, &config, &p->sources);
    if (r < 0)
        return r;
    p->source = (struct session_source){sources_look, p->sources};
    r = sessions_new(p->event, &p->source, 1, &watcher, &p->sessions);
    if (r >= 0)
        r = terminals_new(p->event, &p->terminals);
    if (r >= 0)
        r = popups_new(p->event, find_popup(p), &p->popups);
    if (r >= 0)
        r = wishes_new(p->event, p->options.receive, &p->wishes);
    if (r < 0)
        return r;
    p->showings = (struct showings){p->sessions, p->terminals, p->popups};
    return deliveries_new(p->event, &p->showings, p->wishes, &p->deliveries);
}

static int make_loop(struct presenter *p)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int r = sd_event_new(&p->event);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
        r = sd_event_add_signal(p->event, NULL, signals[i], on_signal, p);
    if (r >= 0)
        r = sd_event_add_post(p->event, NULL, on_post, p);
    if (r >= 0)
        r = sd_event_add_time(p->event, &p->time_up, CLOCK_MONOTONIC, 0, 1000, on_time_up, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->time_up, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_set_watchdog(p->event, true);
    if (r >= 0)
        r = make_modules(p);
    return r < 0 ? fail(r, "the event loop") : 0;
}

static int run(struct presenter *p)
{
    int r = start_process();
    if (r == 0)
        r = start_find_msgd_user(p->options.msgd_user, &p->msgd_uid, &p->msgd_gid);
    if (r == 0 && !p->options.with_msgd)
        r = open_listener(p);
    if (r == 0)
        r = start_drop_privileges();
    if (r == 0)
        r = make_loop(p);
    if (r == 0)
        r = p->options.with_msgd ? start_msgd(p) : start_listening(p);
    if (r < 0)
        return EXIT_FAILURE;
    r = sd_event_loop(p->event);
    return r < 0 ? -fail(r, "the event loop") : r;
}

static void clean_up(struct presenter *p)
{
    if (p->options.socket && p->listener >= 0)
        unlink(p->options.socket);
    embed_free(p->embed);
    link_free(p->link);
    deliveries_free(p->deliveries);
    wishes_free(p->wishes);
    popups_free(p->popups);
    sessions_free(p->sessions);
    sources_free(p->sources);
    user_cache_free(p->users);
    terminals_free(p->terminals);
    child_end_all();
    mem_close_fd(&p->listener);
    sd_event_source_disable_unref(p->time_up);
    sd_event_unref(p->event);
}

int main(int argc, char **argv)
{
    struct presenter presenter = {.listener = -1};
    switch (options_read(argc, argv, &presenter.options)) {
    case OPTIONS_HELP:
        options_usage(stdout);
        return EXIT_SUCCESS;
    case OPTIONS_VERSION:
        printf("msgd-present %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return 2;
    case OPTIONS_RUN:
        break;
    }
    log_start("msgd-present", presenter.options.debug ? LOG_DEBUG : LOG_INFO, LOG_STYLE_AUTO);
    int status = run(&presenter);
    clean_up(&presenter);
    return status;
}
