/* SPDX-License-Identifier: MIT */
/*
 * Each test is the transcript of a story: what happens, when, and everything that follows from it.
 * On the right of `says`: "d state why" for each new line of the log (+ ends it), then "present d"
 * or "withdraw d why", then "= result" when the request is finished.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "protocol/delivery.h"
#include "tests/unit/unit.h"

#define WALL 1700000000000u

static struct request request;
static uint32_t seen;     /* cursor into the log */
static char heard[65536]; /* what followed from the last event */

__attribute__((format(printf, 1, 2))) static void hear(const char *format, ...)
{
    size_t len = strlen(heard);
    va_list args;

    va_start(args, format);
    vsnprintf(heard + len, sizeof(heard) - len, format, args);
    va_end(args);
}

static void hear_log(void)
{
    const struct delivery_event *line;

    while ((line = request_log_after(&request, seen))) {
        seen++;
        hear("%s%u %s", heard[0] ? ", " : "", line->d, delivery_state_name(line->st));
        if (line->why != WHY_NONE)
            hear(" %s", delivery_why_name(line->why));
        if (line->by)
            hear(" by %u", line->by);
        if (line->answer)
            hear(" #%u", line->answer);
        hear("%s", line->fin ? "+" : "");
    }
}

static void happens(int64_t at, struct request_event event)
{
    struct request_actions actions;

    heard[0] = '\0';
    request_step(&request, &event, (struct moment){.ms = at, .wall = WALL + (uint64_t)at},
                 &actions);
    hear_log();
    for (size_t i = 0; i < actions.n; i++) {
        const struct request_action *action = &actions.items[i];
        bool present = action->kind == REQUEST_PRESENT;
        hear("%s%s %u", heard[0] ? ", " : "", present ? "present" : "withdraw", action->d);
        if (action->why != WHY_NONE)
            hear(" %s", delivery_why_name(action->why));
    }
    if (actions.finished)
        hear(" = %s", request_result(&request));
}

static bool as_expected(const char *expected)
{
    if (strcmp(heard, expected) == 0)
        return true;
    printf("\n  expected: %s\n  heard:    %s\n", expected, heard);
    return false;
}

#define SAYS(at, event, expected)                                                                  \
    do {                                                                                           \
        happens((at), (struct request_event)event);                                                \
        CU_ASSERT(as_expected(expected));                                                          \
    } while (0)

/* What can happen, in the words of the stories. */
#define ONLY(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define STARTS        ONLY(.kind = EVENT_START)
#define SHOWN(n)      ONLY(.kind = EVENT_SHOWN, .d = (n))
#define WRITTEN(n)    ONLY(.kind = EVENT_SHOWN, .d = (n), .lasting = true)
#define OVER(n, s, w) ONLY(.kind = EVENT_ENDED, .d = (n), .state = DELIVERY_##s, .why = WHY_##w)
#define PRESSED(n, a)                                                                              \
    ONLY(.kind = EVENT_ENDED, .d = (n), .state = DELIVERY_ACKNOWLEDGED, .answer = (a))
#define TYPED_ACK(n) ONLY(.kind = EVENT_ACKNOWLEDGED, .d = (n))
#define CANCELLED    ONLY(.kind = EVENT_CANCEL)
#define REVOKED      ONLY(.kind = EVENT_REVOKED)
#define STOPS        ONLY(.kind = EVENT_STOP)
#define HELD         ONLY(.kind = EVENT_HELD)
#define LOST         ONLY(.kind = EVENT_LOST)
#define NO_PRESENTER ONLY(.kind = EVENT_PRESENTER_LOST)
#define LEFT(n)      ONLY(.kind = EVENT_SESSION_GONE, .d = (n), .why = WHY_HANGUP)
#define TICKS        ONLY(.kind = EVENT_TICK)

/* One letter a delivery, the same letter the same person. */
static void given(struct request_terms terms, const char *people)
{
    uint32_t users[LIM_DELIVERIES];
    uint32_t n = (uint32_t)strlen(people);

    for (uint32_t i = 0; i < n; i++)
        users[i] = (uint32_t)people[i];
    request_release(&request);
    CU_ASSERT_FATAL(request_init(&request, &terms, users, n) == 0);
    seen = 0;
}

#define GIVEN(people, ...) given((struct request_terms){__VA_ARGS__}, people)

static void shown_without_wait_is_final(void)
{
    GIVEN("b", .time_ms = 30000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(40, SHOWN(1), "1 displayed+ = ok");
    SAYS(9000, OVER(1, DISMISSED, CLOSED_BY_USER), "");
    SAYS(40000, TICKS, "");
}

/* Seen or not: it is up. What is answered afterwards has its own reason. */
static void shown_on_a_locked_screen(void)
{
    GIVEN("b", .time_ms = 30000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(40, ONLY(.kind = EVENT_SHOWN, .d = 1, .why = WHY_LOCKED), "1 displayed locked+ = ok");
    GIVEN("b", .wait = true, .time_ms = 30000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(40, ONLY(.kind = EVENT_SHOWN, .d = 1, .why = WHY_DO_NOT_DISTURB),
         "1 displayed do-not-disturb");
    SAYS(50, ONLY(.kind = EVENT_SHOWN, .d = 1, .why = WHY_LOCKED), "");
    SAYS(90, PRESSED(1, 0), "1 acknowledged+ = ok");
}

static void shown_with_wait_is_not(void)
{
    GIVEN("b", .wait = true, .time_ms = 30000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(40, SHOWN(1), "1 displayed");
    SAYS(5000, PRESSED(1, 2), "1 acknowledged #2+ = ok");
    SAYS(5001, OVER(1, DISMISSED, CLOSED_BY_USER), "");
}

static void the_first_answer_withdraws_his_others(void)
{
    GIVEN("bbab", .wait = true, .time_ms = 30000);
    SAYS(0, STARTS,
         "1 accepted, 2 accepted, 3 accepted, 4 accepted, present 1, present 2, present 3, present "
         "4");
    SAYS(10, SHOWN(2), "2 displayed");
    SAYS(11, SHOWN(3), "3 displayed");
    SAYS(12, OVER(4, FAILED, TERMINAL_STOPPED), "4 failed terminal-stopped+");
    SAYS(900, PRESSED(2, 0),
         "2 acknowledged+, 1 withdrawn answered-elsewhere by 2+, withdraw 1 answered-elsewhere");
    SAYS(901, SHOWN(1), "");
    SAYS(5000, TYPED_ACK(3), "3 acknowledged+, withdraw 3 = partial");
}

static void with_each_every_session_answers(void)
{
    GIVEN("bb", .wait = true, .each = true, .time_ms = 30000);
    SAYS(0, STARTS, "1 accepted, 2 accepted, present 1, present 2");
    SAYS(1, SHOWN(1), "1 displayed");
    SAYS(2, SHOWN(2), "2 displayed");
    SAYS(3, TYPED_ACK(1), "1 acknowledged+, withdraw 1");
    SAYS(4, TYPED_ACK(1), "");
    SAYS(5, TYPED_ACK(2), "2 acknowledged+, withdraw 2 = ok");
}

static void time_counts_from_accepted(void)
{
    GIVEN("bb", .wait = true, .time_ms = 30000);
    SAYS(1000, STARTS, "1 accepted, 2 accepted, present 1, present 2");
    CU_ASSERT(request_deadline(&request) == 31000);
    SAYS(29000, SHOWN(1), "1 displayed");
    SAYS(30999, TICKS, "");
    SAYS(31000, TICKS,
         "1 timed-out no-answer+, 2 timed-out not-shown+, withdraw 1 no-answer, "
         "withdraw 2 not-shown = timed-out");
    CU_ASSERT(request_deadline(&request) == NEVER);
}

static void an_answer_after_the_deadline_is_too_late(void)
{
    GIVEN("b", .wait = true, .time_ms = 1000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, SHOWN(1), "1 displayed");
    SAYS(1000, TYPED_ACK(1), "1 timed-out no-answer+, withdraw 1 no-answer = timed-out");
}

static void without_wait_it_must_be_shown_within_ten_seconds(void)
{
    GIVEN("ba", .time_ms = 60000);
    SAYS(0, STARTS, "1 accepted, 2 accepted, present 1, present 2");
    CU_ASSERT(request_deadline(&request) == LIM_NOT_SHOWN);
    SAYS(9999, SHOWN(1), "1 displayed+");
    SAYS(10000, SHOWN(2), "2 timed-out not-shown+, withdraw 2 not-shown = partial");
}

static void a_short_time_bounds_being_shown_too(void)
{
    GIVEN("b", .time_ms = 500);
    SAYS(0, STARTS, "1 accepted, present 1");
    CU_ASSERT(request_deadline(&request) == 500);
}

static void cancel_takes_down_even_what_is_final(void)
{
    GIVEN("ba", .time_ms = 60000);
    SAYS(0, STARTS, "1 accepted, 2 accepted, present 1, present 2");
    SAYS(1, SHOWN(1), "1 displayed+");
    SAYS(2, CANCELLED,
         "2 withdrawn by-sender+, withdraw 1 by-sender, withdraw 2 by-sender = partial");
    SAYS(3, CANCELLED, "");
}

static void what_ended_on_screen_is_not_taken_down(void)
{
    GIVEN("b", .time_ms = 60000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, SHOWN(1), "1 displayed+ = ok");
    SAYS(2, OVER(1, TIMED_OUT, NO_ANSWER), "");
    SAYS(3, CANCELLED, "");
}

static void a_lost_sender_withdraws_after_lost_ms(void)
{
    GIVEN("b", .wait = true, .time_ms = 600000, .lost_ms = 60000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, SHOWN(1), "1 displayed");
    SAYS(1000, LOST, "");
    CU_ASSERT(request_deadline(&request) == 61000);
    SAYS(2000, LOST, "");
    CU_ASSERT(request_deadline(&request) == 61000);
    SAYS(50000, HELD, "");
    CU_ASSERT(request_deadline(&request) == 600000);
    SAYS(61000, TICKS, "");
    SAYS(70000, LOST, "");
    SAYS(130000, TICKS, "1 withdrawn sender-lost+, withdraw 1 sender-lost = withdrawn");
}

static void without_lost_ms_it_is_kept(void)
{
    GIVEN("b", .wait = true, .time_ms = 600000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, LOST, "");
    CU_ASSERT(request_deadline(&request) == 600000);
}

static void of_two_deadlines_the_earlier_wins(void)
{
    GIVEN("b", .wait = true, .time_ms = 1000, .lost_ms = 1500);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(0, LOST, "");
    SAYS(9999, TICKS, "1 timed-out not-shown+, withdraw 1 not-shown = timed-out");
}

static void the_daemon_stops(void)
{
    GIVEN("ba", .wait = true, .time_ms = 1000);
    SAYS(0, STARTS, "1 accepted, 2 accepted, present 1, present 2");
    SAYS(1, SHOWN(1), "1 displayed");
    SAYS(2, STOPS,
         "1 withdrawn daemon-stop+, 2 withdrawn daemon-stop+, withdraw 1 daemon-stop, "
         "withdraw 2 daemon-stop = withdrawn");
}

static void what_nobody_waits_for_outlives_the_daemon(void)
{
    GIVEN("b", .time_ms = 1000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, SHOWN(1), "1 displayed+ = ok");
    SAYS(2, STOPS, "");
}

static void the_senders_key_is_revoked(void)
{
    GIVEN("b", .wait = true, .time_ms = 1000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, REVOKED, "1 withdrawn revoked+, withdraw 1 revoked = withdrawn");
}

static void terminals_outlive_the_presenter(void)
{
    GIVEN("abcd", .wait = true, .time_ms = 9000);
    SAYS(0, STARTS,
         "1 accepted, 2 accepted, 3 accepted, 4 accepted, present 1, present 2, present 3, present "
         "4");
    SAYS(1, WRITTEN(1), "1 displayed");
    SAYS(1, WRITTEN(2), "2 displayed");
    SAYS(1, SHOWN(3), "3 displayed");
    SAYS(2, NO_PRESENTER, "3 failed presenter-lost+, 4 failed presenter-lost+");
    SAYS(3, LEFT(2), "2 session-gone hangup+");
    SAYS(4, TYPED_ACK(1), "1 acknowledged+ = partial");
}

static void only_orphans_lose_their_session_so(void)
{
    GIVEN("a", .wait = true, .time_ms = 9000);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, WRITTEN(1), "1 displayed");
    SAYS(2, LEFT(1), "");
    SAYS(3, OVER(1, SESSION_GONE, LOGOUT), "1 session-gone logout+ = session-gone");
}

static void a_presenter_cannot_answer_what_it_did_not_show(void)
{
    GIVEN("abc", .wait = true, .time_ms = 9000);
    SAYS(0, STARTS, "1 accepted, 2 accepted, 3 accepted, present 1, present 2, present 3");
    SAYS(1, PRESSED(1, 0), "1 failed internal+");
    SAYS(1, OVER(2, WITHDRAWN, ANSWERED_ELSEWHERE), "2 failed internal+");
    SAYS(1, OVER(3, DISPLAYED, NONE), "3 failed internal+ = failed");
    SAYS(2, SHOWN(4), "");
    SAYS(2, SHOWN(0), "");
}

static void what_is_not_shown_cannot_be_acknowledged(void)
{
    GIVEN("a", .wait = true, .time_ms = 9000);
    SAYS(0, TYPED_ACK(1), "");
    SAYS(1, STARTS, "1 accepted, present 1");
    SAYS(2, TYPED_ACK(1), "");
    SAYS(3, STARTS, "");
}

static void results_in_order(void)
{
    static const struct {
        enum delivery_state a, b;
        const char *result;
    } rows[] = {
        {DELIVERY_ACKNOWLEDGED, DELIVERY_ACKNOWLEDGED, "ok"},
        {DELIVERY_ACKNOWLEDGED, DELIVERY_FAILED, "partial"},
        {DELIVERY_FAILED, DELIVERY_DISMISSED, "dismissed"},
        {DELIVERY_FAILED, DELIVERY_TIMED_OUT, "timed-out"},
        {DELIVERY_SESSION_GONE, DELIVERY_TIMED_OUT, "timed-out"},
        {DELIVERY_SESSION_GONE, DELIVERY_FAILED, "session-gone"},
        {DELIVERY_FAILED, DELIVERY_FAILED, "failed"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct msg_counts counts;
        GIVEN("ab", .wait = true, .time_ms = 9000);
        happens(0, (struct request_event)STARTS);
        happens(1, (struct request_event)SHOWN(1));
        happens(1, (struct request_event)SHOWN(2));
        happens(2, (struct request_event){.kind = EVENT_ENDED, .d = 1, .state = rows[i].a});
        happens(2, (struct request_event){.kind = EVENT_ENDED, .d = 2, .state = rows[i].b});
        CU_ASSERT_STRING_EQUAL(request_result(&request), rows[i].result);
        request_counts(&request, &counts);
        CU_ASSERT(counts.acknowledged + counts.dismissed + counts.timed_out + counts.session_gone +
                      counts.failed ==
                  2);
    }
}

static void a_miss_makes_partial(void)
{
    GIVEN("a", .time_ms = 9000, .failures = 1);
    SAYS(0, STARTS, "1 accepted, present 1");
    SAYS(1, SHOWN(1), "1 displayed+ = partial");
}

static void bounds(void)
{
    static uint32_t users[LIM_DELIVERIES + 1];
    struct request_terms terms = {.time_ms = 1};
    struct request r;

    CU_ASSERT(request_init(&r, &terms, users, 0) == -EINVAL);
    CU_ASSERT(request_init(&r, &terms, users, LIM_DELIVERIES + 1) == -EINVAL);
    CU_ASSERT_FATAL(request_init(&r, &terms, users, LIM_DELIVERIES) == 0);
    request_release(&r);
    terms.time_ms = 0;
    CU_ASSERT(request_init(&r, &terms, users, 1) == -EINVAL);
}

static void names_go_there_and_back(void)
{
    for (int why = WHY_NONE + 1; why < WHY_COUNT; why++) {
        const char *name = delivery_why_name((enum delivery_why)why);
        CU_ASSERT(delivery_why_named(slice_of(name)) == (enum delivery_why)why);
    }
    CU_ASSERT(delivery_why_named(SLICE("")) == WHY_NONE);
    CU_ASSERT(delivery_why_named(SLICE("bored")) == WHY_NONE);
}

/* ---- any order of events keeps the promises -------------------------------------------------- */

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

static void random_event(struct request_event *event)
{
    *event = (struct request_event){
        .kind = (enum request_event_kind)(EVENT_SHOWN + dice(EVENT_KINDS - EVENT_SHOWN)),
        .d = dice(request.n + 2),
        .state = (enum delivery_state)dice(DELIVERY_STATE_COUNT),
        .why = (enum delivery_why)dice(WHY_COUNT),
        .answer = (uint8_t)dice(3),
        .lasting = dice(2),
    };
    if (dice(3) != 0 &&
        (event->kind == EVENT_CANCEL || event->kind == EVENT_STOP || event->kind == EVENT_REVOKED))
        event->kind = EVENT_SHOWN;
}

static void promises_hold(bool finished_before, const struct request_actions *actions)
{
    uint32_t finals = 0, ended[LIM_DELIVERIES + 1] = {0};

    for (uint32_t q = 0; q < request.q; q++) {
        const struct delivery_event *line = request_log_after(&request, q);
        CU_ASSERT_FATAL(line && line->d >= 1 && line->d <= request.n);
        CU_ASSERT_FATAL(ended[line->d] == 0); /* nothing follows a final event */
        ended[line->d] = line->fin;
        finals += line->fin;
    }
    CU_ASSERT(request.open == request.n - finals);
    CU_ASSERT(actions->n <= request.n);
    CU_ASSERT(actions->finished == (!finished_before && request.open == 0));
    CU_ASSERT((request_deadline(&request) == NEVER) == (request.open == 0));
}

static void one_random_life(void)
{
    struct request_actions actions;
    struct request_event event = {.kind = EVENT_START};
    struct moment now = {.ms = 5, .wall = WALL};
    char people[9] = "";

    for (uint32_t i = 0, n = 1 + dice(8); i < n; i++)
        people[i] = (char)('a' + dice(3));
    GIVEN(people, .wait = dice(2), .each = dice(4) == 0, .time_ms = 1 + dice(20000),
          .lost_ms = dice(5000));
    for (int i = 0; i < 60; i++) {
        bool before = request_finished(&request);
        request_step(&request, &event, now, &actions);
        promises_hold(before, &actions);
        random_event(&event);
        now.ms += dice(300);
    }
    now.ms += 30000;
    event.kind = EVENT_TICK;
    request_step(&request, &event, now, &actions);
    CU_ASSERT(request_finished(&request));
}

static void random_lives(void)
{
    seed = 20261122;
    for (int i = 0; i < 3000; i++)
        one_random_life();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(shown_without_wait_is_final),
        UNIT_TEST(shown_with_wait_is_not),
        UNIT_TEST(shown_on_a_locked_screen),
        UNIT_TEST(the_first_answer_withdraws_his_others),
        UNIT_TEST(with_each_every_session_answers),
        UNIT_TEST(time_counts_from_accepted),
        UNIT_TEST(an_answer_after_the_deadline_is_too_late),
        UNIT_TEST(without_wait_it_must_be_shown_within_ten_seconds),
        UNIT_TEST(a_short_time_bounds_being_shown_too),
        UNIT_TEST(cancel_takes_down_even_what_is_final),
        UNIT_TEST(what_ended_on_screen_is_not_taken_down),
        UNIT_TEST(a_lost_sender_withdraws_after_lost_ms),
        UNIT_TEST(without_lost_ms_it_is_kept),
        UNIT_TEST(of_two_deadlines_the_earlier_wins),
        UNIT_TEST(the_daemon_stops),
        UNIT_TEST(what_nobody_waits_for_outlives_the_daemon),
        UNIT_TEST(the_senders_key_is_revoked),
        UNIT_TEST(terminals_outlive_the_presenter),
        UNIT_TEST(only_orphans_lose_their_session_so),
        UNIT_TEST(a_presenter_cannot_answer_what_it_did_not_show),
        UNIT_TEST(what_is_not_shown_cannot_be_acknowledged),
        UNIT_TEST(results_in_order),
        UNIT_TEST(a_miss_makes_partial),
        UNIT_TEST(bounds),
        UNIT_TEST(names_go_there_and_back),
        UNIT_TEST(random_lives),
        UNIT_END,
    };
    int status = unit_run("delivery", tests);

    request_release(&request);
    return status;
}
