/* SPDX-License-Identifier: MIT */
/*
 * msgctl doctor --popup: a message to somebody who was named; and the host's clock, which it tells.
 */
#include "client/ctl_doctor.h"
#include "client/outcome.h"
#include "common/clock.h"
#include "common/mem.h"

#include <sodium.h>

#define TEST_TEXT  "This is a test by msgctl doctor. There is nothing to do."
#define SHOWN_MS   60000
#define GIVE_UP_MS 20000  /* shown within 10 s, or the host says so */
#define CLOCK_MS   300000 /* what endorsements allow for */

struct test {
    struct patient *patient;
    struct outcome *outcome;
};

/* The first event was made about now. */
static void take_time(struct patient *patient, const struct msg *msg)
{
    const struct msg_event_list *events = &msg->u.events.ev;

    if (msg->type != MSG_EVENT || events->n == 0 || patient->told_time)
        return;
    patient->told_time = true;
    patient->ahead_ms = (int64_t)events->items[0].at - (int64_t)clock_ms(CLOCK_REALTIME);
}

static void on_message(void *context, const struct msg *msg)
{
    struct test *test = context;

    take_time(test->patient, msg);
    outcome_message(test->outcome, msg);
}

/* `pts/1 (terminal), :0 (desktop)` */
static void tell_shown(struct finding *finding, const struct outcome *outcome)
{
    const char *between = "shown on ";

    for (size_t i = 0; i < outcome->n_places; i++) {
        const struct outcome_place *place = &outcome->places[i];
        size_t len = strlen(finding->found), room = sizeof(finding->found) - len;
        if (!place->displayed)
            continue;
        snprintf(finding->found + len, room, "%s%s (%s)", between, place->session, place->kind);
        between = ", ";
    }
}

/* Behind what msg's lines begin with. */
static char *without_head(char *said)
{
    static const char *const heads[] = {
        "Error 5 getting session names: ", "Error 1722 getting session names: ",
        "Error sending message: "};

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (strncmp(said, heads[i], strlen(heads[i])) == 0)
            return said + strlen(heads[i]);
    return said;
}

/* What msg would have said, without its head and without the line for the administrator. */
static void tell_failure(const struct patient *patient, struct finding *finding, char *said,
                         const struct call_result *result)
{
    static const char line[] = "; its administrator";
    const struct run *run = patient->run;
    char *text = without_head(said);
    char *rest = strstr(text, line), word[260];

    for (char *at = strchr(text, '\n'); at; at = strchr(at, '\n'))
        *at = at[1] ? ' ' : '\0';
    if (rest)
        *rest = '\0';
    check_fail(finding, "%s", text[0] ? text : print_cause(result->error));
    if (rest)
        check_mend_there(finding, AS_ROOT, "msgctl authorize %s %s", run->key, run->me);
    else if (strcmp(result->code, "no-presenter") == 0)
        check_mend_there(finding, AS_ROOT, DOCTOR_RESTART_PRESENTER);
    else if (strstr(text, "messages disabled"))
        check_mend_there(finding, patient->ctl->given[CTL_POPUP], "mesg y; msgctl receive on");
    else
        check_mend(finding, "msgctl sessions%s", doctor_host_word(patient, word));
}

/* To whom the finding is about; false: a signal came. */
static int send_test(struct test *test, struct exchange *exchange, const char *user)
{
    uint8_t uid[16];
    struct msg_selector to = {.user = slice_of(user)};
    const struct msg request = {.type = MSG_SEND,
                                .u.send = {.uid = {(const char *)uid, sizeof(uid)},
                                           .to = {&to, 1},
                                           .text = SLICE(TEST_TEXT),
                                           .time_ms = SHOWN_MS}};

    randombytes_buf(uid, sizeof(uid));
    *exchange = (struct exchange){.message = on_message,
                                  .context = test,
                                  .give_up_ms = GIVE_UP_MS,
                                  .lost_ms = LIM_HANDSHAKE,
                                  .withdraw = true};
    run_start(test->patient->run, exchange, &request);
    run_wait(test->patient->run);
    return outcome_finish(test->outcome, &exchange->result);
}

static void show(struct patient *patient, struct finding *finding, const char *user)
{
    CLEANUP_FREE char *said = NULL;
    size_t len = 0;
    FILE *lines = open_memstream(&said, &len);
    struct speaker speaker = patient->run->speaker;
    struct msg_selector to = {.user = slice_of(user)};
    const struct outcome_config config = {
        .speaker = &speaker, .server = &patient->run->server, .to = {&to, 1}, .time_ms = SHOWN_MS};
    struct exchange exchange;
    speaker.out = speaker.err = lines;
    struct test test = {patient, lines ? outcome_new(&config) : NULL};
    int status = test.outcome ? send_test(&test, &exchange, user) : CTL_FAILED;

    if (lines)
        fclose(lines);
    if (!test.outcome || !said)
        check_skip(finding, "not enough memory");
    else if (patient->run->signal != 0)
        finding->state = CHECK_STOPPED;
    else if (status == EXIT_DONE)
        tell_shown(finding, test.outcome);
    else
        tell_failure(patient, finding, said, &exchange.result);
    outcome_free(test.outcome);
}

void doctor_POPUP(void *context, struct finding *finding)
{
    struct patient *patient = context;
    const char *user = patient->ctl->given[CTL_POPUP];
    char word[260];

    if (!user)
        check_skip(finding,
                   "nobody is shown anything unasked; to try it: msgctl doctor%s --popup %s",
                   doctor_host_word(patient, word), patient->run->me);
    else if (user[0] == '\0' || strlen(user) > LIM_NAME)
        check_skip(finding, "--popup wants a user's name");
    else
        show(patient, finding, user);
}

void doctor_CLOCK(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    long long ms = patient->ahead_ms, s = (ms < 0 ? -ms : ms) / 1000;

    if (!patient->told_time) {
        check_skip(finding, "a host tells its time with a message only; see --popup");
        return;
    }
    check_ok(finding, "that host's is %lld s %s this one's", s, ms < 0 ? "behind" : "ahead of");
    if (ms <= CLOCK_MS && ms >= -CLOCK_MS)
        return;
    finding->state = CHECK_FAILS;
    snprintf(finding->found + strlen(finding->found),
             sizeof(finding->found) - strlen(finding->found),
             "; beyond 300 s no endorsement holds. On the one that is wrong:");
    check_mend_as_root(finding, "timedatectl set-ntp true");
}
