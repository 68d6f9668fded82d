/* SPDX-License-Identifier: MIT */
/* msgctl status and withdraw: a message that was sent from here, by its id, or the last one. */
#include "client/ctl_server.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/sent.h"
#include "common/log.h"

#include <sodium.h>
#include <time.h>

#define LOST_MS 10000 /* how long a lost connection is made again */

static int begin(const struct ctl *ctl, struct run *run, struct sent *sent)
{
    const char *id = ctl->n_words > 0 ? ctl->words[0] : "";
    struct diag diag;

    run->speaker = (struct speaker){.out = stdout, .err = stderr, .verbose = !ctl->json};
    run->speaker.base.program = SLICE("msgctl");
    int r = paths_find(NULL, &run->paths, &diag);
    r = r < 0 ? r : sent_find(run->paths.sent, id, sent, &diag);
    if (r == 0 && !sent_server(sent, &run->server))
        r = diag_set(&diag, -EBADMSG, "%s: no server: %s", run->paths.sent, sent->server);
    if (r == 0)
        return run_begin(run);
    log_error("%s", diag.text);
    return CTL_FAILED;
}

/* Of an earlier life of msgd, or over for longer than it remembers: that cannot be told apart. */
static bool is_forgotten(const struct exchange *exchange)
{
    const struct call_result *result = &exchange->result;

    return (result->outcome == CALL_ERROR || result->outcome == CALL_UNKNOWN) &&
           (strcmp(result->code, "unknown-uid") == 0 ||
            strcmp(result->code, "outcome-unknown") == 0);
}

static int fail(struct run *run, const struct sent *sent, const struct exchange *exchange)
{
    char id[8];

    if (run->signal != 0 || !is_forgotten(exchange))
        return run_failure(run, exchange, false, NULL);
    print_uid(sent->uid, id);
    log_error(
        "%s no longer knows message %s: it forgets one 10 minutes after its end, and all when "
        "msgd is started anew",
        run->host, id);
    return EXIT_UNKNOWN;
}

/* ---- status ---------------------------------------------------------------------------------- */

struct status {
    const struct sent *sent;
    const struct run *run;
    struct outcome *outcome;
    bool json;
};

/* What msg /JSON prints of an event. */
static void print_event(const struct status *status, const struct msg_event *event)
{
    const struct outcome_place *place = &status->outcome->places[event->d - 1];
    time_t at = (time_t)(event->at / 1000);
    char when[32] = "", uid[2 * SENT_UID + 1];
    struct tm tm;

    if (gmtime_r(&at, &tm))
        strftime(when, sizeof(when), "%FT%TZ", &tm);
    sodium_bin2hex(uid, sizeof(uid), status->sent->uid, SENT_UID);
    json_open(stdout);
    json_string(stdout, "event", event->st);
    json_string(stdout, "time", slice_of(when));
    json_string(stdout, "uid", slice_of(uid));
    json_string(stdout, "host", slice_of(status->run->host));
    json_string(stdout, "session", slice_of(place->session));
    json_string(stdout, "id", slice_of(place->id));
    json_string(stdout, "user", slice_of(place->user));
    if (event->why.len > 0)
        json_string(stdout, "why", event->why);
    if (event->ans.len > 0)
        json_string(stdout, "answer", event->ans);
    json_close(stdout);
}

static void on_message(void *context, const struct msg *msg)
{
    struct status *status = context;
    const struct msg_event_list *events = &msg->u.events.ev;

    outcome_message(status->outcome, msg);
    for (size_t i = 0; status->json && msg->type == MSG_EVENT && i < events->n; i++)
        if (events->items[i].d > 0 && events->items[i].d <= LIM_DELIVERIES)
            print_event(status, &events->items[i]);
}

/* A target that reached nobody is known to the first msg alone; that there was one is not lost. */
static int finish(struct outcome *outcome, const struct call_result *result)
{
    int status = outcome_finish(outcome, result);

    return status == EXIT_DONE && strcmp(result->state, "partial") == 0 ? EXIT_FAILED : status;
}

static int follow(const struct ctl *ctl, struct run *run, const struct sent *sent)
{
    const struct outcome_config config = {.speaker = &run->speaker,
                                          .server = &run->server,
                                          .wait = sent->wait,
                                          .each = sent->each,
                                          .several = true};
    struct status status = {sent, run, outcome_new(&config), ctl->json};
    struct exchange exchange = {.message = on_message, .context = &status, .lost_ms = LOST_MS};
    const struct msg request = {.type = MSG_ATTACH,
                                .u.attach.uid = {(const char *)sent->uid, SENT_UID}};
    int code = CTL_FAILED;

    if (!status.outcome) {
        log_error("not enough memory");
        return code;
    }
    run_exchange(run, &exchange, &request);
    if (run->signal == 0 && exchange.result.outcome == CALL_RESULT)
        code = finish(status.outcome, &exchange.result);
    else
        code = fail(run, sent, &exchange);
    outcome_free(status.outcome);
    return code;
}

int ctl_status(const struct ctl *ctl)
{
    static struct run run;
    struct sent sent;
    int status = begin(ctl, &run, &sent);

    status = status == CTL_OK ? follow(ctl, &run, &sent) : status;
    run_end(&run);
    return status;
}

/* ---- withdraw -------------------------------------------------------------------------------- */

static int withdraw(const struct ctl *ctl, struct run *run, const struct sent *sent)
{
    struct exchange exchange = {.give_up_ms = LIM_HANDSHAKE};
    const struct msg request = {.type = MSG_CANCEL,
                                .u.cancel.uid = {(const char *)sent->uid, SENT_UID}};
    char id[8];

    run_exchange(run, &exchange, &request);
    if (run->signal != 0 || exchange.result.outcome != CALL_RESULT)
        return fail(run, sent, &exchange);
    print_uid(sent->uid, id);
    if (!ctl->json) {
        printf("Message %s is withdrawn from every screen that it is still on\n", id);
        return CTL_OK;
    }
    json_open(stdout);
    json_string(stdout, "event", SLICE("withdrawn"));
    json_string(stdout, "message", slice_of(id));
    json_string(stdout, "host", slice_of(run->host));
    json_close(stdout);
    return CTL_OK;
}

int ctl_withdraw(const struct ctl *ctl)
{
    static struct run run;
    struct sent sent;
    int status = begin(ctl, &run, &sent);

    status = status == CTL_OK ? withdraw(ctl, &run, &sent) : status;
    run_end(&run);
    return status;
}
