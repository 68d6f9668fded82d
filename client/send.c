/* SPDX-License-Identifier: MIT */
#include "client/send.h"

#include "client/compose.h"
#include "client/input.h"
#include "client/sent.h"
#include "client/who.h"
#include "common/mem.h"

#include <sodium.h>
#include <time.h>

#define LOST_MS     60000 /* /W: how long the host keeps it while no connection is there */
#define LOST_MS_ONE 10000 /* without: how long a lost connection is made again */
#define PATIENCE_MS 3000  /* until an unlimited wait says whom it waits for */

static_assert(TARGETS_REQUESTS <= CALL_ASKS, "all parts go over one connection");

/* One request of at most LIM_SELECTORS targets. */
struct part {
    struct send *send;
    struct msg_selector_list to;
    struct exchange exchange;
    struct outcome *told; /* by WHO, before the text was asked for */
    struct outcome *outcome;
    struct msg request;
    uint8_t uid[16];
    uint64_t expected; /* deliveries that are to be accepted */
    bool remarked, remembered;
};

struct send {
    struct run *run;
    const struct options *options;
    struct compose compose;
    struct part parts[TARGETS_REQUESTS];
    size_t n_parts;
    struct who meant, all; /* the sessions of the targets; of the host */
    enum own_answer own;
    char terminal[LIM_NAME + 1];
    struct msg_selector not [2];
    size_t n_not;
    uint64_t time_ms;
    bool wait; /* asked of the host */
    uv_timer_t note;
};

/* ---- who is there ---------------------------------------------------------------------------- */

static void on_meant(void *context, const struct msg *msg)
{
    struct part *part = context;

    who_take(&part->send->meant, msg);
    if (part->told)
        outcome_message(part->told, msg);
}

static void on_all(void *context, const struct msg *msg)
{
    struct send *send = context;

    who_take(&send->all, msg);
}

/* Whether it must be said whose an answer is. */
static bool names_several(const struct targets *targets)
{
    return targets->n > 1 || targets->items[0].all;
}

static struct outcome *new_outcome(struct part *part)
{
    const struct send *send = part->send;
    const struct outcome_config config = {.speaker = &send->run->speaker,
                                          .server = &send->run->server,
                                          .to = part->to,
                                          .wait = send->wait,
                                          .each = send->options->given[OPT_EACH] != NULL,
                                          .several = names_several(&send->compose.targets),
                                          .time_ms = send->time_ms};

    return outcome_new(&config);
}

/* ERROR forbidden without a word on any target: who lacks the right to ask may send all the same.
 */
static bool may_not_ask(const struct part *part)
{
    return part->exchange.result.outcome == CALL_ERROR &&
           strcmp(part->exchange.result.code, "forbidden") == 0 &&
           (!part->told || part->told->miss_status == EXIT_DONE);
}

/* Resolves one part's targets; 0 if a message may be sent, else the exit status. */
static int resolve_part(struct part *part, bool tell)
{
    struct run *run = part->send->run;
    struct msg request = {.type = MSG_WHO};
    enum call_outcome outcome;

    part->exchange = (struct exchange){.message = on_meant, .context = part};
    part->told = tell ? new_outcome(part) : NULL;
    request.u.who.to = part->to;
    run_exchange(run, &part->exchange, &request);
    outcome = part->exchange.result.outcome;
    if (run->signal != 0)
        return EXIT_SIGNAL + run->signal;
    if (may_not_ask(part))
        speak(&run->speaker, LINE_UNRESOLVED, NULL);
    else if (outcome == CALL_ERROR && part->told)
        return outcome_finish(part->told, &part->exchange.result);
    else if (outcome != CALL_RESULT && outcome != CALL_ERROR)
        return run_failure(run, &part->exchange, false, NULL);
    return EXIT_DONE;
}

/* Before the text is asked for, and for the terminal's sake. One target that is there is enough. */
static int resolve(struct send *send, bool tell)
{
    int best = EXIT_FAILED, worst = EXIT_DONE;

    for (size_t i = 0; i < send->n_parts; i++) {
        int status = resolve_part(&send->parts[i], tell);
        if (status > EXIT_FAILED)
            return status;
        worst = exit_worse(worst, status);
        best = status == EXIT_DONE ? EXIT_DONE : best;
    }
    return best == EXIT_DONE ? EXIT_DONE : worst;
}

/* For the remarks of /V; a host that does not tell is no failure. */
static int list_all(struct send *send)
{
    struct exchange exchange = {.message = on_all, .context = send};
    struct msg request = {.type = MSG_WHO};

    if (!send->run->speaker.verbose)
        return EXIT_DONE;
    run_exchange(send->run, &exchange, &request);
    if (send->run->signal != 0)
        return EXIT_SIGNAL + send->run->signal;
    if (exchange.result.outcome != CALL_RESULT && exchange.result.outcome != CALL_ERROR)
        return run_failure(send->run, &exchange, false, NULL);
    return EXIT_DONE;
}

static int find_out(struct send *send, bool prompt)
{
    struct own_question question = {.terminal = send->terminal[0] ? send->terminal : NULL,
                                    .me = send->run->me,
                                    .wait = send->options->given[OPT_WAIT] != NULL,
                                    .to = {send->compose.targets.items, send->compose.targets.n}};
    bool needed = own_needs_who(&question);
    int status = prompt || needed ? resolve(send, prompt) : EXIT_DONE;

    if (status != EXIT_DONE)
        return status;
    send->own = own_decide(&question, needed ? &send->meant : NULL);
    return list_all(send);
}

/* ---- the requests ---------------------------------------------------------------------------- */

static void leave_out(struct send *send)
{
    if (send->options->given[OPT_NOTME])
        send->not [send->n_not++].me = true;
    else if (send->own == OWN_LEAVE_OUT)
        send->not [send->n_not++].session = slice_of(send->terminal);
}

static void make_request(struct part *part)
{
    const struct send *send = part->send;
    const struct answers *answers = &send->compose.answers;
    struct msg_send *request = &part->request.u.send;

    randombytes_buf(part->uid, sizeof(part->uid));
    part->request.type = MSG_SEND;
    *request = (struct msg_send){.uid = {(const char *)part->uid, sizeof(part->uid)},
                                 .to = part->to,
                                 .not = {send->not, send->n_not},
                                 .text = {send->compose.text, send->compose.text_len},
                                 .title = {send->compose.title, send->compose.title_len},
                                 .wait = send->wait,
                                 .time_ms = send->time_ms,
                                 .each = send->options->given[OPT_EACH] != NULL,
                                 .lost_ms = send->wait ? LOST_MS : 0};
    if (send->wait)
        request->answers = (struct slice_list){answers->labels, answers->n};
}

static uint64_t give_up_ms(const struct send *send)
{
    uint64_t time_ms = send->time_ms ? send->time_ms : (uint64_t)LIM_MAX_TIME;

    return (send->wait ? time_ms : LIM_NOT_SHOWN) + LIM_CLIENT_GRACE;
}

/* For msgctl status and withdraw; a home that cannot be written is none of the message's affair. */
static void remember(const struct part *part)
{
    const struct run *run = part->send->run;
    struct sent sent = {.at_s = (uint64_t)time(NULL),
                        .wait = part->send->wait,
                        .each = part->send->options->given[OPT_EACH] != NULL};

    memcpy(sent.uid, part->uid, sizeof(sent.uid));
    snprintf(sent.server, sizeof(sent.server), "%s",
             run->server.local ? run->server.socket : run->server.name);
    if (run->paths.folder[0])
        sent_add(run->paths.sent, &sent, NULL);
}

static void on_event(void *context, const struct msg *msg)
{
    struct part *part = context;

    outcome_message(part->outcome, msg);
    if (!part->remembered && part->outcome->n_places > 0) {
        part->remembered = true;
        remember(part);
    }
    if (msg->type == MSG_EVENT && msg->u.events.n > 0)
        part->expected = msg->u.events.n;
    if (!part->remarked && part->expected > 0 && part->outcome->n_places >= part->expected) {
        part->remarked = true;
        who_remark(&part->send->all, part->outcome);
    }
}

static int prepare_part(struct part *part)
{
    const struct send *send = part->send;

    part->outcome = new_outcome(part);
    if (!part->outcome)
        return EXIT_FAILED;
    if (part->told)
        outcome_take_misses(part->outcome, part->told);
    make_request(part);
    part->exchange = (struct exchange){.message = on_event,
                                       .context = part,
                                       .give_up_ms = give_up_ms(send),
                                       .lost_ms = send->wait ? LOST_MS : LOST_MS_ONE,
                                       .withdraw = true};
    return EXIT_DONE;
}

/* All on one connection. Whether the host is trusted was asked before, where there are several. */
static void run_parts(struct send *send)
{
    struct call_ask asks[TARGETS_REQUESTS];

    for (size_t i = 0; i < send->n_parts; i++)
        asks[i] = (struct call_ask){&send->parts[i].request, &send->parts[i].exchange};
    if (send->n_parts == 1) {
        run_exchange(send->run, asks[0].owner, asks[0].request);
    } else {
        run_start_together(send->run, asks, send->n_parts);
        run_wait(send->run);
    }
}

static int finish_part(struct part *part)
{
    struct run *run = part->send->run;
    enum call_outcome outcome = part->exchange.result.outcome;
    bool stranger =
        outcome == CALL_ERROR && strcmp(part->exchange.result.code, "unauthorized") == 0;
    char id[8];
    int status;

    if (outcome == CALL_KEY_UNKNOWN || outcome == CALL_KEY_REFUSED || stranger || run->signal != 0)
        status = run_failure(run, &part->exchange, false, NULL);
    else
        status = outcome_finish(part->outcome, &part->exchange.result);
    if (part->outcome->n_places > 0)
        speak(&run->speaker, LINE_MESSAGE_ID,
              &(struct line_fields){.id = print_uid(part->uid, id)});
    return status;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void on_note(uv_timer_t *timer)
{
    const struct send *send = timer->data;
    char waiting[PRINT_LINE / 2];

    for (size_t i = 0; i < send->n_parts; i++) {
        const struct part *part = &send->parts[i];
        if (part->exchange.call && outcome_waiting_for(part->outcome, waiting, sizeof(waiting)))
            speak(&send->run->speaker, LINE_WAITING,
                  &(struct line_fields){.message = slice_of(waiting)});
    }
}

static void begin_note(struct send *send)
{
    uv_timer_init(send->run->loop, &send->note);
    send->note.data = send;
    if (send->wait && send->time_ms == 0 && isatty(STDERR_FILENO))
        uv_timer_start(&send->note, on_note, PATIENCE_MS, 0);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int send_parts(struct send *send)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < send->n_parts && status == EXIT_DONE; i++)
        status = prepare_part(&send->parts[i]);
    if (status != EXIT_DONE)
        return status;
    begin_note(send);
    run_parts(send);
    uv_timer_stop(&send->note);
    for (size_t i = 0; i < send->n_parts; i++)
        status = exit_worse(status, finish_part(&send->parts[i]));
    if (status == EXIT_DONE && send->own == OWN_ALONE && send->options->given[OPT_WAIT]) {
        speak(&send->run->speaker, LINE_OWN_TERMINAL,
              &(struct line_fields){.session = slice_of(send->terminal)});
        status = EXIT_FAILED;
    }
    return status;
}

static void make_parts(struct send *send)
{
    size_t from = 0;

    while (from < send->compose.targets.n) {
        struct part *part = &send->parts[send->n_parts++];
        part->send = send;
        part->to = targets_request(&send->compose.targets, from);
        from += part->to.n;
    }
}

static int tell_story(struct send *send)
{
    bool prompt = compose_wants_prompt(&send->compose);
    int status = run_begin(send->run);

    make_parts(send);
    if (status == EXIT_DONE)
        run_terminal(send->run, send->terminal);
    if (status == EXIT_DONE && send->n_parts > 1)
        status = run_trust(send->run);
    if (status == EXIT_DONE)
        status = find_out(send, prompt);
    if (status == EXIT_DONE && prompt)
        status = compose_prompt(&send->compose);
    if (status != EXIT_DONE)
        return status;
    leave_out(send);
    send->wait = send->options->given[OPT_WAIT] && send->own != OWN_ALONE;
    return send_parts(send);
}

int send_message(struct run *run, const struct options *options, uint64_t default_ms)
{
    struct send *send = calloc(1, sizeof(*send));
    int status;

    if (!send)
        return EXIT_FAILED;
    send->run = run;
    send->options = options;
    send->time_ms = options->given[OPT_TIME] ? options->time_ms : default_ms;
    send->wait = options->given[OPT_WAIT] != NULL;
    status = compose_read(&send->compose, options, &run->speaker);
    if (status == EXIT_DONE)
        status = tell_story(send);
    for (size_t i = 0; i < TARGETS_REQUESTS; i++) {
        outcome_free(send->parts[i].told);
        outcome_free(send->parts[i].outcome);
    }
    who_release(&send->meant);
    who_release(&send->all);
    compose_release(&send->compose);
    free(send);
    return status;
}
