/* SPDX-License-Identifier: MIT */
#include "daemon/net_server.h"

#include "common/clock.h"
#include "common/keys.h"
#include "common/mem.h"
#include "daemon/net_audit.h"
#include "daemon/net_conn.h"
#include "daemon/net_follow.h"
#include "daemon/net_screens.h"
#include "daemon/net_tickets.h"

#include <fcntl.h>
#include <sys/timerfd.h>
#include <time.h>

#define SWEEP_MS      10000
#define STOP_MS       2000
#define STOP_TICK_MS  20
#define BOOT_ID       "/proc/sys/kernel/random/boot_id"
#define NO_BOOT_ID    "00000000-0000-0000-0000-000000000000" /* the folder lives as long */
#define RETRY_STOP_MS 1000

struct moment server_now(void)
{
    return (struct moment){.ms = (int64_t)clock_ms(CLOCK_BOOTTIME),
                           .wall = clock_ms(CLOCK_REALTIME)};
}

/* ---- the clock ------------------------------------------------------------------------------- */

static void arm_clock(struct server *server)
{
    int64_t at = book_next(&server->book);
    struct itimerspec spec = {{0}, {0}};

    if (at >= server->armed_at) /* too early is harmless: it is looked at again then */
        return;
    server->armed_at = at;
    spec.it_value.tv_sec = (time_t)(at / 1000);
    spec.it_value.tv_nsec = (long)(at % 1000) * 1000000 + 1; /* zero would disarm it */
    timerfd_settime(server->clock_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void on_clock(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    struct book_request *request;
    uint64_t ticks;

    (void)status;
    (void)events;
    if (read(server->clock_fd, &ticks, sizeof(ticks)) < 0 && errno == EAGAIN)
        return;
    server->armed_at = NEVER;
    while ((request = book_due(&server->book, server_now())))
        server_step(server, request, &(struct request_event){.kind = EVENT_TICK});
    arm_clock(server);
}

static void on_sweep(uv_timer_t *timer)
{
    struct server *server = timer->data;
    int64_t now_us = server_now().ms * 1000;

    accounts_sweep(&server->accounts, now_us);
    gate_sweep(&server->gate, now_us);
    audit_tell_missing(server);
    server_went(server);
}

static void check_endorsements(struct server *server)
{
    int64_t now_s = (int64_t)time(NULL);
    struct diag diag;

    if (server->host_key && endorsed_refresh(&server->endorsed, server->config.host_endorsements,
                                             &server->host_key->public, now_s, &diag) < 0)
        log_error("%s", diag.text);
    while (endorsed_has_news(&server->endorsed, now_s, &diag))
        log_warning("%s", diag.text);
}

static void on_recheck(uv_timer_t *timer)
{
    struct server *server = timer->data;

    server_check_trust(server, false);
    check_endorsements(server);
}

/* ---- a request's step ------------------------------------------------------------------------ */

void server_step(struct server *server, struct book_request *request,
                 const struct request_event *event)
{
    struct request_actions actions;

    book_step(&server->book, request, event, server_now(), &actions);
    if (actions.finished)
        audit_ended(server, request);
    if (!screens_order(server, request, &actions))
        server_step(server, request, &(struct request_event){.kind = EVENT_PRESENTER_LOST});
    if (request->holder)
        follow_pump(request->holder);
    arm_clock(server);
}

void server_step_all(struct server *server, enum request_event_kind kind)
{
    struct book_request *request, *next;

    HASH_ITER(hh, server->book.table, request, next)
    server_step(server, request, &(struct request_event){.kind = kind});
}

/* ---- key files ------------------------------------------------------------------------------- */

static void withdraw_of_the_revoked(struct server *server)
{
    struct book_request *request, *next;

    HASH_ITER(hh, server->book.table, request, next)
    {
        struct noise_public key;
        if (request->key.principal.kind != PRINCIPAL_KEY || request_finished(&request->life))
            continue;
        memcpy(key.bytes, request->key.principal.id, sizeof(key.bytes));
        enum trust_verdict verdict =
            trust_judge(server->trust, &key, &request->claim, NULL, (int64_t)time(NULL), NULL);
        if (verdict == TRUST_REVOKED || verdict == TRUST_UNAUTHORIZED)
            server_step(server, request, &(struct request_event){.kind = EVENT_REVOKED});
    }
}

void server_check_trust(struct server *server, bool force)
{
    struct conn *conn, *next;
    bool is_new = false;
    bool changed = trust_refresh(server->trust, uv_now(server->loop), force);
    const char *problem = trust_problem(server->trust, &is_new);

    if (problem && is_new)
        log_error("%s", problem);
    if (!changed)
        return;
    withdraw_of_the_revoked(server);
    for (conn = server->conns; conn; conn = next) {
        next = conn->next;
        conn_judge(conn);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

void server_apply_config(struct server *server)
{
    const struct config *config = &server->config;

    if (server->trust)
        trust_own_keys(server->trust, config->own_keys > 0);
    server->policy.uid_min = (uint32_t)config->uid_min;
    server->policy.users = (enum config_users)config->users;
    server->policy.who = (enum config_who)config->who;
    server->book.limits = (struct book_limits){
        .deliveries = config->open_deliveries, .text = config->held_text, .uids = config->uids};
    server->gate.limits = (struct gate_limits){
        .unauthenticated = (uint32_t)config->unauthenticated,
        .source_unauth = (uint32_t)config->source_unauthenticated,
        .source_handshakes = (uint32_t)config->source_handshakes,
        .handshakes = (uint32_t)config->handshakes,
    };
}

static void read_boot_id(char boot[static SEEN_BOOT + 1])
{
    CLEANUP_FD int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);

    memcpy(boot, NO_BOOT_ID, SEEN_BOOT + 1);
    char id[SEEN_BOOT];
    if (fd >= 0 && read(fd, id, sizeof(id)) == SEEN_BOOT)
        memcpy(boot, id, sizeof(id));
}

static int open_seen(struct server *server)
{
    char boot[SEEN_BOOT + 1], path[sizeof(server->config.state) + sizeof("/seen")];

    read_boot_id(boot);
    snprintf(path, sizeof(path), "%s/seen", server->config.state);
    int r = seen_open(&server->seen, path, boot);
    if (r == -EBADMSG)
        log_error("%s: not a record of what was shown; look at it, then remove it", path);
    else if (r == -EPERM)
        log_error("%s: must be ours alone, mode 0600", path);
    else if (r < 0)
        log_error("%s: %s", path, strerror(-r));
    return r;
}

static void start_timer(struct server *server, uv_timer_t *timer, uv_timer_cb call, uint64_t every)
{
    uv_timer_init(server->loop, timer);
    timer->data = server;
    server->handles++;
    if (every > 0)
        uv_timer_start(timer, call, every, every);
}

static int start_clock(struct server *server)
{
    server->clock_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (server->clock_fd < 0)
        return mem_errno();
    int r = uv_poll_init(server->loop, &server->clock, server->clock_fd);
    if (r < 0)
        return r;
    server->clock.data = server;
    server->handles++;
    start_timer(server, &server->sweep, on_sweep, SWEEP_MS);
    start_timer(server, &server->recheck, on_recheck, LIM_FILE_RECHECK);
    start_timer(server, &server->last_words, NULL, 0);
    return uv_poll_start(&server->clock, UV_READABLE, on_clock);
}

int server_init(struct server *server, uv_loop_t *loop)
{
    const struct config *config = &server->config;

    server->loop = loop;
    server->armed_at = NEVER;
    server->refusals.period_ms = server->enrolments.period_ms = 60000;
    randombytes_buf(server->instance, sizeof(server->instance));
    int r = open_seen(server);
    if (r < 0)
        return r;
    r = journal_open(&server->journal, config->audit_journal);
    if (r == 0)
        r = trust_new(&server->trust, config->authorized_keys, config->enrolled, config->granted,
                      config->revoked_keys);
    if (r == 0)
        trust_own_keys(server->trust, config->own_keys > 0);
    if (r == 0)
        r = tickets_new(&server->tickets, config->invitations);
    if (r == 0)
        r = users_new(&server->users, loop);
    if (r == 0)
        r = start_clock(server);
    if (r < 0)
        log_error("cannot start: %s", strerror(-r));
    else
        server_check_trust(server, true);
    check_endorsements(server);
    return r;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;

    server->handles--;
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->data && !uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

static void close_everything(struct server *server)
{
    struct conn *conn, *next;

    for (conn = server->conns; conn; conn = next) {
        next = conn->next;
        stream_drop(conn->stream);
    }
    if (server->presenter)
        presenter_stop(server->presenter);
    server->hanging |= users_busy(server->users);
    users_free(server->users);
    close_handle((uv_handle_t *)&server->clock);
    close_handle((uv_handle_t *)&server->sweep);
    close_handle((uv_handle_t *)&server->recheck);
    close_handle((uv_handle_t *)&server->last_words);
    if (server->on_end)
        server->on_end(server);
}

/* Everybody has gone and the presenter has its orders, or it takes too long. */
static void on_last_words(uv_timer_t *timer)
{
    struct server *server = timer->data;
    bool orders = server->presenter && presenter_ready(server->presenter) &&
                  presenter_waiting(server->presenter) > 0;

    server->stop_ticks++;
    if ((!server->conns && !orders) || server->stop_ticks * STOP_TICK_MS >= STOP_MS)
        close_everything(server);
}

void server_stop(struct server *server, int status)
{
    struct conn *conn, *next;

    if (server->stopping)
        return;
    server->stopping = true;
    server->status = status;
    log_info("ending");
    if (server->on_stop)
        server->on_stop(server);
    for (unsigned i = 0; i < server->n_listeners; i++)
        listener_close(server->listeners[i]);
    server->n_listeners = 0;
    server_step_all(server, EVENT_STOP);
    for (conn = server->conns; conn; conn = next) {
        next = conn->next;
        conn_goaway(conn, "shutting-down", NULL, RETRY_STOP_MS);
    }
    uv_timer_start(&server->last_words, on_last_words, 0, STOP_TICK_MS);
}

void server_went(struct server *server)
{
    for (unsigned i = 0; i < server->n_listeners && server->n_conns < server->max_conns; i++) {
        struct listener *listener = server->waiting[i];
        server->waiting[i] = NULL;
        if (listener)
            conn_incoming(server, listener);
    }
}

void server_free(struct server *server)
{
    book_clear(&server->book);
    accounts_clear(&server->accounts);
    gate_clear(&server->gate);
    sessions_clear(&server->sessions);
    audit_tell_missing(server);
    journal_close(&server->journal);
    seen_close(server->seen);
    trust_free(server->trust);
    tickets_free(server->tickets);
    key_free(server->host_key);
    if (server->clock_fd > 0)
        close(server->clock_fd);
}
