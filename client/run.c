/* SPDX-License-Identifier: MIT */
#include "client/run.h"

#include "client/interrupt.h"
#include "common/mem.h"

#include <pwd.h>
#include <time.h>

/* ---- who and where --------------------------------------------------------------------------- */

static void find_me(struct run *run)
{
    const struct passwd *user = getpwuid(geteuid());

    if (user)
        snprintf(run->me, sizeof(run->me), "%s", user->pw_name);
    else
        snprintf(run->me, sizeof(run->me), "uid %u", (unsigned)geteuid());
    run->speaker.base.me = slice_of(run->me);
}

static int complain(const struct run *run, const struct diag *diag)
{
    speak(&run->speaker, LINE_COMPLAINT, &(struct line_fields){.message = slice_of(diag->text)});
    return EXIT_UNREACHABLE;
}

bool run_start_loop(struct run *run)
{
    run->loop = uv_default_loop();
    if (!run->loop)
        return false;
    uv_timer_init(run->loop, &run->patience);
    run->patience.data = run;
    find_me(run);
    return true;
}

int run_load_key(struct run *run, bool *ret_made, struct diag *ret_diag)
{
    const char *file = run->paths.identity;
    struct diag why;
    int r = run->paths.folder[0] == '\0' ? paths_find(NULL, &run->paths, ret_diag) : 0;

    if (r < 0)
        return r;
    r = key_load_or_make(file, &run->identity, ret_made, &why);
    if (r == -EBADMSG) /* its bytes are no key: none is lost */
        return diag_set(ret_diag, r, "%s; run: mv %s %s.broken", why.text, file, file);
    if (r < 0)
        return diag_set(ret_diag, r, "%s", why.text);
    key_format(&run->identity->public, run->key);
    run->speaker.base.key = slice_of(run->key);
    run->speaker.base.file = slice_of(run->paths.identity);
    return 0;
}

/* The user's own go first: an organisation has one file for everybody. */
int run_load_endorsements(struct run *run, struct diag *ret_diag)
{
    const struct noise_public *key = &run->identity->public;
    int64_t now_s = (int64_t)time(NULL);
    int r = endorsements_load(run->paths.endorsements, ENDORSEMENT_USER, key, now_s,
                              &run->endorsements, ret_diag);

    return r < 0 ? r
                 : endorsements_load_more(SYSTEM_ENDORSEMENTS, ENDORSEMENT_USER, key, now_s,
                                          &run->endorsements, ret_diag);
}

void run_set_host(struct run *run)
{
    if (run->server.local)
        gethostname(run->host, sizeof(run->host) - 1);
    else
        memcpy(run->host, run->server.name, sizeof(run->host));
    run->speaker.base.host = slice_of(run->host);
}

void run_find_trust(struct run *run)
{
    trust_host_init(&run->trust, &run->server, run->paths.known_hosts);
    trust_ask_ssh(&run->trust);
}

int run_begin(struct run *run)
{
    struct diag diag;

    if (!run_start_loop(run))
        return EXIT_UNREACHABLE;
    run_set_host(run);
    if (run->server.local)
        return 0;
    if (run_load_key(run, NULL, &diag) < 0 || run_load_endorsements(run, &diag) < 0)
        return complain(run, &diag);
    run_find_trust(run);
    return 0;
}

void run_end(struct run *run)
{
    key_free(run->identity);
    run->identity = NULL;
}

int run_leave(int status)
{
    uv_loop_t *loop = uv_default_loop();

    if (loop)
        uv_run(loop, UV_RUN_NOWAIT); /* what was closed last */
    if (loop && uv_loop_alive(loop)) {
        fflush(stdout);
        _exit(status);
    }
    return status;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static enum call_judgement on_judge(void *context, const struct noise_public *key,
                                    const struct slice_list *end)
{
    struct exchange *exchange = context;

    if (exchange->only)
        return key_equal(key, exchange->only) ? CALL_TRUSTED : CALL_UNTRUSTED;
    return trust_judge_host(&exchange->run->trust, key, end);
}

static void on_message(void *context, const struct msg *msg)
{
    struct exchange *exchange = context;
    struct run *run = exchange->run;

    if (msg->type == MSG_NOTE)
        speak(&run->speaker, LINE_SERVER_NOTE, &(struct line_fields){.message = msg->u.note.msg});
    if (msg->type == MSG_WELCOME && run->server.local) {
        slice_copy(run->host, sizeof(run->host), msg->u.welcome.name);
        run->speaker.base.host = slice_of(run->host);
    }
    if (exchange->message)
        exchange->message(exchange->context, msg);
}

static void on_reconnecting(void *context)
{
    const struct exchange *exchange = context;

    speak(&exchange->run->speaker, LINE_RECONNECTING, NULL);
}

static void leave(struct exchange *exchange)
{
    struct exchange **link = &exchange->run->open;

    while (*link && *link != exchange)
        link = &(*link)->next;
    if (*link)
        *link = exchange->next;
    exchange->call = NULL;
}

static void on_done(void *context, const struct call_result *result)
{
    struct exchange *exchange = context;

    exchange->result = *result;
    leave(exchange);
}

void run_terminal(const struct run *run, char name[static LIM_NAME + 1])
{
    name[0] = '\0';
    for (int fd = 0; fd <= 2; fd++) {
        const char *path = run->server.local ? ttyname(fd) : NULL;
        if (path && strncmp(path, "/dev/", 5) == 0 && strlen(path + 5) <= LIM_NAME) {
            strcpy(name, path + 5);
            return;
        }
    }
}

void run_start_together(struct run *run, const struct call_ask *asks, size_t n)
{
    static const struct call_owner owner = {on_judge, on_message, on_reconnecting, on_done};
    const struct exchange *first = asks[0].owner;
    const struct call_config config = {.loop = run->loop,
                                       .server = &run->server,
                                       .identity = run->identity,
                                       .end = &run->endorsements.list,
                                       .owner = &owner,
                                       .invited = first->invited,
                                       .connect_ms = LIM_HANDSHAKE,
                                       .give_up_ms = first->give_up_ms,
                                       .lost_ms = first->lost_ms};
    struct call *call = NULL;
    int r = call_start(&call, &config, asks, n);

    for (size_t i = 0; i < n; i++) {
        struct exchange *exchange = asks[i].owner;
        exchange->run = run;
        exchange->call = call;
        if (r < 0) {
            exchange->result = (struct call_result){.outcome = CALL_UNREACHABLE, .error = r};
            continue;
        }
        exchange->next = run->open;
        run->open = exchange;
    }
}

void run_start(struct run *run, struct exchange *exchange, const struct msg *request)
{
    run_start_together(run, &(struct call_ask){request, exchange}, 1);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void abandon_all(struct run *run)
{
    for (struct exchange *e = run->open; e; e = e->next)
        call_abandon(e->call);
}

static void on_patience_over(uv_timer_t *timer)
{
    abandon_all(timer->data);
}

/* The first signal withdraws what is up, the second ends it at once. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;

    if (run->signal != 0) {
        abandon_all(run);
        return;
    }
    run->signal = number;
    for (struct exchange *e = run->open; e; e = e->next) {
        if (e->withdraw)
            call_withdraw(e->call);
        else
            call_abandon(e->call);
    }
    uv_timer_start(&run->patience, on_patience_over, LIM_HANDSHAKE, 0);
}

void run_wait(struct run *run)
{
    interrupt_begin(run->signals, run->loop, on_signal, run);
    while (run->open)
        uv_run(run->loop, UV_RUN_ONCE);
    interrupt_end(run->signals);
}

/* ---- one exchange ---------------------------------------------------------------------------- */

void run_exchange(struct run *run, struct exchange *exchange, const struct msg *request)
{
    bool again;

    do {
        run_start(run, exchange, request);
        run_wait(run);
        again = exchange->result.outcome == CALL_KEY_UNKNOWN && run->signal == 0 &&
                trust_ask(&run->trust, &exchange->result);
    } while (again);
}

int run_trust(struct run *run)
{
    struct exchange ping = {.message = NULL};
    struct msg request = {.type = MSG_PING};

    if (run->server.local || trust_has_name(&run->trust))
        return 0;
    run_exchange(run, &ping, &request);
    return ping.result.outcome == CALL_RESULT ? 0 : run_failure(run, &ping, false, NULL);
}

/* A stranger because what spoke for him has ended: that he can mend himself. */
static bool has_ended(const struct run *run, const struct call_result *result)
{
    return result->outcome == CALL_ERROR && strcmp(result->code, "unauthorized") == 0 &&
           !run->server.local && run->endorsements.ended > 0;
}

static void speak_ended(const struct run *run)
{
    time_t at = (time_t)run->endorsements.ended;
    struct tm parts;
    char day[16];
    size_t len = localtime_r(&at, &parts) ? strftime(day, sizeof(day), "%F", &parts) : 0;

    speak(&run->speaker, LINE_ENDORSEMENT_ENDED, &(struct line_fields){.at = {day, len}});
}

int run_failure(struct run *run, const struct exchange *exchange, bool all,
                const struct line_fields *fields)
{
    struct line_fields whole = fields ? *fields : (struct line_fields){0};
    char key[KEY_TEXT_LEN + 1];
    enum line line;

    if (run->signal != 0)
        return EXIT_SIGNAL + run->signal;
    if (has_ended(run, &exchange->result)) {
        speak_ended(run);
        return EXIT_UNREACHABLE;
    }
    line = trust_line(&run->trust, exchange->result.outcome, &whole);
    if (line == LINES)
        return speak_call(&run->speaker, &exchange->result, &run->server, all, fields);
    key_format(&exchange->result.key, key);
    whole.key = slice_of(key);
    speak(&run->speaker, line, &whole);
    return EXIT_UNREACHABLE;
}
