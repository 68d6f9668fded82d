/* SPDX-License-Identifier: MIT */
/* Stories of one request: what the server says, line by line, and what the sender is told. */
#include "client/outcome.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

/* One telling: the outcome under test and what it printed, stdout lines headed by "> ". */
static struct {
    struct call_server server;
    struct speaker speaker;
    struct msg_selector to[4];
    struct outcome_config config;
    struct outcome *outcome;
    char *out, *err;
    size_t out_len, err_len;
    uint32_t q;
} story;

static void open_streams(void)
{
    story.speaker.out = open_memstream(&story.out, &story.out_len);
    story.speaker.err = open_memstream(&story.err, &story.err_len);
}

static void tell(const char *target, bool wait, bool verbose)
{
    memset(&story, 0, sizeof(story));
    open_streams();
    story.speaker.verbose = verbose;
    story.speaker.base.host = SLICE("h2");
    story.speaker.base.me = SLICE("alice");
    story.speaker.base.key = SLICE("x25519:AAAA");
    story.config =
        (struct outcome_config){&story.speaker, &story.server, {story.to, 0}, .wait = wait};
    for (; *target; story.config.to.n++) {
        size_t len = strcspn(target, " ");
        struct msg_selector *to = &story.to[story.config.to.n];
        if (*target == '*')
            to->all = true;
        else
            to->name = (struct slice){target, len};
        target += len + (target[len] == ' ');
    }
    story.outcome = outcome_new(&story.config);
}

static void event(struct msg_event event, const char *st)
{
    struct msg msg = {.type = MSG_EVENT};

    event.st = slice_of(st);
    event.q = ++story.q;
    msg.u.events.ev.items = &event;
    msg.u.events.ev.n = 1;
    msg.u.events.time_ms = story.q == 1 ? story.config.time_ms : 0;
    outcome_message(story.outcome, &msg);
}

static void accepted(uint32_t d, const char *user, const char *session, const char *id)
{
    event(
        (struct msg_event){
            .d = d, .user = slice_of(user), .sess = slice_of(session), .id = slice_of(id)},
        "accepted");
}

static void shown(uint32_t d)
{
    event((struct msg_event){.d = d, .fin = !story.config.wait}, "displayed");
}

static void ends(uint32_t d, const char *st, const char *why)
{
    event((struct msg_event){.d = d, .fin = true, .why = slice_of(why)}, st);
}

static void miss(uint32_t to, const char *code, const char *user)
{
    struct msg_miss miss = {.to = to, .code = slice_of(code), .user = slice_of(user)};
    struct msg msg = {.type = MSG_EVENT};

    msg.u.events.miss.items = &miss;
    msg.u.events.miss.n = 1;
    outcome_message(story.outcome, &msg);
}

/* The end, and all that was printed; streams are compared as a whole. */
static void finish(struct call_result result, int status, const char *out, const char *err)
{
    CU_ASSERT_EQUAL(outcome_finish(story.outcome, &result), status);
    fclose(story.speaker.out);
    fclose(story.speaker.err);
    CU_ASSERT_STRING_EQUAL(story.out, out);
    CU_ASSERT_STRING_EQUAL(story.err, err);
    if (strcmp(story.out, out) != 0 || strcmp(story.err, err) != 0)
        printf("\n--- said: %s--- and: %s", story.out, story.err);
    free(story.out);
    free(story.err);
    outcome_free(story.outcome);
}

static void result(int status, const char *out, const char *err)
{
    finish((struct call_result){.outcome = CALL_RESULT}, status, out, err);
}

static void error(const char *code, int status, const char *err)
{
    struct call_result result = {.outcome = CALL_ERROR};

    snprintf(result.code, sizeof(result.code), "%s", code);
    finish(result, status, "", err);
}

/* ---- stories --------------------------------------------------------------------------------- */

static void test_silent_success(void)
{
    tell("bob", false, false);
    accepted(1, "bob", "pts/1", "c1");
    shown(1);
    CU_ASSERT_TRUE(outcome_all_displayed(story.outcome));
    result(0, "", "");
}

static void test_verbose_success(void)
{
    tell("bob", false, true);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", ":0", "c2");
    CU_ASSERT_FALSE(outcome_all_displayed(story.outcome));
    shown(2);
    CU_ASSERT_FALSE(outcome_all_displayed(story.outcome));
    shown(1);
    result(0,
           "Sending message to session pts/1, display time unlimited\n"
           "Sending message to session :0, display time unlimited\n"
           "Async message sent to session :0\n"
           "Async message sent to session pts/1\n",
           "");
}

static void test_first_acknowledgement(void)
{
    tell("bob", true, true);
    story.outcome->config.time_ms = story.config.time_ms = 30000;
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", ":0", "c2");
    shown(1);
    shown(2);
    event((struct msg_event){.d = 1, .fin = true, .ans = SLICE("Yes")}, "acknowledged");
    event(
        (struct msg_event){
            .d = 2, .fin = true, .why = SLICE("answered-elsewhere"), .by = SLICE("pts/1")},
        "withdrawn");
    result(0,
           "Sending message to session pts/1, display time 30\n"
           "Sending message to session :0, display time 30\n"
           "Message to session pts/1 responded to by user: Yes\n"
           "Message to session :0 withdrawn, answered in session pts/1\n",
           "");
}

static void test_display_time_is_the_hosts_where_it_allows_less(void)
{
    struct msg_event accepted_event = {
        .q = 1, .d = 1, .st = SLICE("accepted"), .user = SLICE("bob"), .sess = SLICE("pts/1")};
    struct msg msg = {.type = MSG_EVENT};

    tell("bob", true, true);
    story.outcome->config.time_ms = 600000;
    msg.u.events.ev.items = &accepted_event;
    msg.u.events.ev.n = 1;
    msg.u.events.time_ms = 59001;
    outcome_message(story.outcome, &msg);
    ends(1, "timed-out", "not-shown");
    result(1, "Sending message to session pts/1, display time 60\n",
           "Error sending message to session pts/1 : not displayed in time\n");
}

static void test_the_hosts_longest_time_is_no_limit_of_the_senders(void)
{
    struct msg_event accepted_event = {
        .q = 1, .d = 1, .st = SLICE("accepted"), .user = SLICE("bob"), .sess = SLICE("pts/1")};
    struct msg msg = {.type = MSG_EVENT};

    tell("bob", false, true);
    msg.u.events.ev.items = &accepted_event;
    msg.u.events.ev.n = 1;
    msg.u.events.time_ms = LIM_MAX_TIME;
    outcome_message(story.outcome, &msg);
    shown(1);
    result(0,
           "Sending message to session pts/1, display time unlimited\n"
           "Async message sent to session pts/1\n",
           "");
}

static void test_digits_are_an_id_first(void)
{
    tell("7", true, false);
    accepted(1, "bob", "pts/1", "7");
    accepted(2, "7", "pts/2", "c2");
    accepted(3, "7", "pts/3", "c3");
    for (uint32_t d = 1; d <= 3; d++)
        shown(d);
    ends(1, "acknowledged", "");
    ends(3, "acknowledged", "");
    ends(2, "dismissed", "closed-by-user"); /* not of the user 7 who was reached: of no target */
    result(3, "", "");
}

static void test_nobody_answers(void)
{
    tell("bob", true, true);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", ":0", "c2");
    shown(1);
    ends(2, "failed", "terminal-stopped");
    ends(1, "timed-out", "no-answer");
    result(3,
           "Sending message to session pts/1, display time unlimited\n"
           "Sending message to session :0, display time unlimited\n"
           "Timeout on message to session pts/1 before user response\n",
           "Error sending message to session :0 : terminal is stopped\n");
}

static void test_each_counts_every_place(void)
{
    for (int each = 0; each <= 1; each++) {
        tell("bob", true, false);
        story.outcome->config.each = each;
        accepted(1, "bob", "pts/1", "c1");
        accepted(2, "bob", ":0", "c2");
        shown(1);
        shown(2);
        ends(1, "acknowledged", "");
        ends(2, "dismissed", "closed-by-user");
        result(each ? 3 : 0, "", "");
    }
}

static void test_each_without_wait(void)
{
    for (int each = 0; each <= 1; each++) {
        tell("bob", false, false);
        story.outcome->config.each = each;
        accepted(1, "bob", "pts/1", "c1");
        accepted(2, "bob", "pts/2", "c2");
        shown(1);
        ends(2, "failed", "too-many");
        result(each ? 1 : 0, "",
               "Error sending message to session pts/2 : too many messages are up there already\n");
    }
}

static void test_sessions_that_end(void)
{
    tell("bob carol", true, true);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "carol", "pts/2", "c2");
    shown(1);
    ends(1, "session-gone", "hangup");
    ends(2, "session-gone", "logout");
    result(1,
           "Sending message to session pts/1, display time unlimited\n"
           "Sending message to session pts/2, display time unlimited\n"
           "Session pts/1 ended before user response\n",
           "Error sending message to session pts/2 : the session has ended\n");
}

static void test_messages_disabled(void)
{
    tell("bob", false, true);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", "pts/2", "c2");
    ends(1, "failed", "messages-disabled");
    ends(2, "failed", "messages-disabled");
    result(1,
           "Sending message to session pts/1, display time unlimited\n"
           "Sending message to session pts/2, display time unlimited\n"
           "Session pts/1 (bob) has messages disabled\n"
           "Session pts/2 (bob) has messages disabled\n",
           "User bob has messages disabled\n");
    tell("bob", false, false); /* one of two is no failure */
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", "pts/2", "c2");
    ends(1, "failed", "messages-disabled");
    shown(2);
    result(0, "", "");
    tell("pts/1", false, false);
    accepted(1, "bob", "pts/1", "c1");
    ends(1, "failed", "messages-disabled");
    result(1, "", "Error sending message to session pts/1 : messages are disabled there\n");
}

static void test_everybody(void)
{
    tell("*", false, true);
    miss(0, "messages-disabled", "dave");
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "carol", "pts/2", "c2");
    shown(1);
    ends(2, "failed", "messages-disabled");
    result(0,
           "User dave has messages disabled\n"
           "Sending message to session pts/1, display time unlimited\n"
           "Sending message to session pts/2, display time unlimited\n"
           "Async message sent to session pts/1\n"
           "Session pts/2 (carol) has messages disabled\n",
           "");
}

static void test_everybody_waited_for(void)
{
    tell("*", true, false);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "carol", "pts/2", "c2");
    accepted(3, "dave", "pts/3", "c3");
    shown(1);
    shown(2);
    ends(1, "acknowledged", "");
    ends(3, "failed", "messages-disabled");
    ends(2, "timed-out", "no-answer");
    result(3, "", "");
}

static void test_everybody_disabled(void)
{
    tell("*", false, false);
    accepted(1, "bob", "pts/1", "c1");
    ends(1, "failed", "messages-disabled");
    result(1, "", "Everybody who is logged in on h2 has messages disabled\n");
    tell("*", false, false); /* known before anything was tried */
    miss(0, "messages-disabled", "dave");
    miss(0, "messages-disabled", "erin");
    error("no-target", 1, "Everybody who is logged in on h2 has messages disabled\n");
}

static void test_misses(void)
{
    tell("bob eve ivan mallory", false, false);
    miss(1, "no-target", NULL);
    miss(1, "no-target", NULL);
    miss(2, "no-screen", "ivan");
    miss(3, "a-new-code", NULL);
    miss(9, "no-target", NULL);
    accepted(1, "bob", "pts/1", "c1");
    shown(1);
    result(1, "",
           "eve does not exist or is disconnected\n"
           "ivan is logged in on h2 but has no screen or terminal there\n"
           "Error sending message to mallory : a-new-code\n");
}

static void test_nobody_reached(void)
{
    tell("bob", false, false);
    miss(0, "no-target", NULL);
    error("no-target", 1, "bob does not exist or is disconnected\n");
    tell("bob eve", false, false); /* a server that does not tell of each */
    error("no-target", 1,
          "bob does not exist or is disconnected\neve does not exist or is disconnected\n");
    tell("bob@h3", false, false);
    miss(0, "no-target", NULL);
    error("no-target", 1,
          "bob@h3 does not exist or is disconnected; for another host: msg bob /SERVER:h3\n");
    tell("@h3 bob@", false, false);
    error("no-target", 1,
          "@h3 does not exist or is disconnected\nbob@ does not exist or is disconnected\n");
    tell("*", false, false);
    error("no-target", 1, "Nobody is logged in on h2\n");
    tell("bob", false, false);
    miss(0, "messages-disabled", "bob");
    error("no-target", 1, "User bob has messages disabled\n");
}

static void test_left_out(void)
{
    tell("alice bob", false, false); /* no failure beside others */
    miss(0, "left-out", NULL);
    accepted(1, "bob", "pts/1", "c1");
    shown(1);
    result(0, "", "");
    tell("alice", false, false);
    miss(0, "left-out", NULL);
    error("no-target", 1, "alice has no session on h2 but those left out\n");
    tell("*", false, false);
    miss(0, "left-out", NULL);
    error("no-target", 1, "Nobody else is logged in on h2\n");
}

static void note(const char *code, const char *session, const char *by)
{
    struct msg_miss miss = {.code = slice_of(code),
                            .user = SLICE("bob"),
                            .sess = slice_of(session),
                            .by = slice_of(by)};
    struct msg msg = {.type = MSG_EVENT};

    msg.u.events.miss.items = &miss;
    msg.u.events.miss.n = 1;
    outcome_message(story.outcome, &msg);
}

/* Sessions that were left out are named behind the one that is reached, once, and fail nothing. */
static void test_sessions_left_out(void)
{
    tell("bob", false, true);
    note("reached-elsewhere", "pts/2", ":0");
    note("no-screen", "sftp", NULL);
    note("messages-disabled", "pts/3", NULL);
    note("of-next-year", "pts/4", NULL);
    note("no-screen", "sftp", NULL); /* the SEND was repeated */
    accepted(1, "bob", ":0", "c1");
    note("no-screen", "pts/9", NULL); /* attached again */
    shown(1);
    result(0,
           "Sending message to session :0, display time unlimited\n"
           "Session pts/2 left out, bob is reached on :0\n"
           "Session sftp (bob) left out, it has no screen or terminal\n"
           "Session pts/3 (bob) has messages disabled\n"
           "Async message sent to session :0\n",
           "");
    tell("bob", false, false);
    note("no-screen", "sftp", NULL);
    accepted(1, "bob", ":0", "c1");
    shown(1);
    result(0, "", "");
}

static void reached(const char *kind, const char *other_kind, const char *by, const char *why,
                    const char *wanted)
{
    char out[512];

    tell("bob", false, true);
    event((struct msg_event){.d = 1,
                             .user = SLICE("bob"),
                             .sess = SLICE(":0"),
                             .id = SLICE("c1"),
                             .kind = slice_of(kind)},
          "accepted");
    event((struct msg_event){.d = 1,
                             .fin = true,
                             .kind = slice_of(other_kind),
                             .by = slice_of(by),
                             .why = slice_of(why)},
          "displayed");
    snprintf(out, sizeof(out), "Sending message to session :0, display time unlimited\n%s%s",
             wanted, "Async message sent to session :0\n");
    result(0, out, "");
}

static void test_how_it_is_reached(void)
{
    reached("terminal", NULL, NULL, NULL, "");
    reached("tmux", NULL, NULL, NULL, "Session :0 is reached in tmux\n");
    reached("tmux", "terminal", NULL, NULL, "Session :0 is reached on its terminal\n");
    reached("desktop", NULL, NULL, NULL, "Session :0 is reached on its desktop\n");
    reached("desktop", NULL, "dunst", "locked",
            "Session :0 is reached on its desktop, by dunst\nSession :0 is locked\n");
    reached("desktop", NULL, "\x1b]0;", "do-not-disturb",
            "Session :0 is reached on its desktop, by \\x1B]0;\n"
            "Session :0 is set to do not disturb\n");
    reached("telepathy", NULL, NULL, "a-new-why", "");
}

static void test_an_unknown_state(void)
{
    tell("bob", false, true);
    event((struct msg_event){.d = 1,
                             .user = SLICE("bob"),
                             .sess = SLICE(":0"),
                             .id = SLICE("c1"),
                             .state = SLICE("dreaming")},
          "accepted");
    shown(1);
    result(0,
           "Sending message to session :0, display time unlimited\n"
           "Session :0 is in the state dreaming\n"
           "Async message sent to session :0\n",
           "");
}

static void answers_with(uint32_t d, const char *label)
{
    event((struct msg_event){.d = d, .fin = true, .ans = slice_of(label)}, "acknowledged");
}

/* One user: the label alone, for a shell to compare; several: with whose it is. */
static void test_the_answer(void)
{
    tell("bob", true, false);
    accepted(1, "bob", "pts/1", "c1");
    shown(1);
    answers_with(1, "Yes, of course");
    result(0, "Yes, of course\n", "");
    tell("bob", true, true);
    accepted(1, "bob", "pts/1", "c1");
    answers_with(1, "Yes");
    result(0,
           "Sending message to session pts/1, display time unlimited\n"
           "Message to session pts/1 responded to by user: Yes\n",
           "");
    tell("*", true, false);
    story.outcome->config.several = true;
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "al\tice", "pts/2", "c2");
    answers_with(2, "N\to");
    answers_with(1, "Yes");
    result(0, "al\\x09ice\tN\\x09o\nbob\tYes\n", "");
}

static void test_forbidden(void)
{
    tell("bob", false, false);
    miss(0, "forbidden", NULL);
    error("forbidden", 1,
          "Error 5 getting session names: alice may not message bob on h2; its administrator can "
          "run: msgctl authorize x25519:AAAA alice\n");
    tell("*", false, false);
    error("forbidden", 1,
          "Error 5 getting session names: alice may not message all sessions on h2; its "
          "administrator can run: msgctl authorize --all x25519:AAAA alice\n");
    tell("*", false, false);
    story.server.local = true;
    error("forbidden", 1,
          "Error 5 getting session names: alice may not message all sessions on this host; root "
          "may, and the group that msgd.conf names\n");
}

static void test_a_server_that_lies(void)
{
    tell("bob", true, false);
    event((struct msg_event){.d = 0, .fin = true}, "acknowledged");
    event((struct msg_event){.d = LIM_DELIVERIES + 1, .fin = true}, "accepted");
    ends(1, "acknowledged", ""); /* never accepted */
    accepted(1, "bob", "pts/1", "c1");
    accepted(1, "eve", "pts/9", "c9"); /* accepted twice */
    CU_ASSERT_STRING_EQUAL(story.outcome->places[0].user, "bob");
    ends(1, "dismissed", "closed-by-user");
    ends(1, "acknowledged", ""); /* after the end */
    result(3, "", "");
    tell("bob", true, false); /* RESULT without a final event is no success */
    accepted(1, "bob", "pts/1", "c1");
    shown(1);
    result(5, "", "");
}

static void test_names_in_any_case_and_aliases(void)
{
    tell("BOB console 7", true, false);
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "carol", "tty2", "3");
    accepted(3, "dave", "pts/7", "7");
    shown(1);
    shown(2);
    shown(3);
    ends(1, "acknowledged", "");
    ends(3, "acknowledged", "");
    ends(2, "dismissed",
         "closed-by-user"); /* console: no target names tty2, it counts all the same */
    result(3, "", "");
}

static void test_the_end_of_a_call(void)
{
    tell("bob", true, false);
    accepted(1, "bob", "pts/1", "c1");
    finish((struct call_result){.outcome = CALL_UNKNOWN, .address = "192.0.2.7 port 6743"}, 5, "",
           "Error sending message: the connection to h2 was lost (192.0.2.7 port 6743); whether it "
           "was shown is not known\n");
    tell("bob", true, false);
    finish((struct call_result){.outcome = CALL_ERROR, .code = "rate-limited", .retry_ms = 12000},
           4, "", "Error sending message: too many messages to h2; try again in 12 s\n");
    tell("bob", true, false);
    finish((struct call_result){.outcome = CALL_ERROR, .code = "new\x1b", .message = "a\nb"}, 1, "",
           "Error sending message: h2 answers new\\x1B: a\\x0Ab\n");
    tell("bob", true, false);
    finish(
        (struct call_result){.outcome = CALL_TIMED_OUT, .address = "192.0.2.7 port 6743"}, 4, "",
        "Error 1722 getting session names: cannot reach msgd on h2 (192.0.2.7 port 6743: no "
        "answer in 5 s, a firewall may drop it); where it fails, step by step: msgctl doctor h2\n");
    tell("bob", true, false);
    finish(
        (struct call_result){.outcome = CALL_BAD_SERVER, .uid = 1000, .address = "/x"}, 4, "",
        "Error 5 getting session names: the server at /x runs as uid 1000, not as root or _msgd: "
        "it is not believed\n");
    tell("bob", true, false);
    finish((struct call_result){.outcome = CALL_INTERRUPTED}, 0, "", "");
}

static void test_waiting_for(void)
{
    char line[400];

    tell("*", true, false);
    CU_ASSERT_FALSE(outcome_waiting_for(story.outcome, line, sizeof(line)));
    accepted(1, "bob", "pts/1", "c1");
    accepted(2, "bob", ":0", "c2");
    accepted(3, "carol", "pts/2", "c3");
    CU_ASSERT_TRUE(outcome_waiting_for(story.outcome, line, sizeof(line)));
    CU_ASSERT_STRING_EQUAL(line, "bob (pts/1, :0), carol (pts/2)");
    CU_ASSERT_TRUE(outcome_waiting_for(story.outcome, line, 170));
    CU_ASSERT_STRING_EQUAL(line, "bob (pts/1) and 2 more");
    ends(1, "acknowledged", "");
    CU_ASSERT_TRUE(outcome_waiting_for(story.outcome, line, sizeof(line)));
    CU_ASSERT_STRING_EQUAL(line, "bob (:0), carol (pts/2)");
    ends(2, "acknowledged", "");
    ends(3, "acknowledged", "");
    CU_ASSERT_FALSE(outcome_waiting_for(story.outcome, line, sizeof(line)));
    result(0, "", "");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_silent_success),
        UNIT_TEST(test_verbose_success),
        UNIT_TEST(test_first_acknowledgement),
        UNIT_TEST(test_display_time_is_the_hosts_where_it_allows_less),
        UNIT_TEST(test_the_hosts_longest_time_is_no_limit_of_the_senders),
        UNIT_TEST(test_digits_are_an_id_first),
        UNIT_TEST(test_nobody_answers),
        UNIT_TEST(test_each_counts_every_place),
        UNIT_TEST(test_each_without_wait),
        UNIT_TEST(test_sessions_that_end),
        UNIT_TEST(test_messages_disabled),
        UNIT_TEST(test_everybody),
        UNIT_TEST(test_everybody_waited_for),
        UNIT_TEST(test_everybody_disabled),
        UNIT_TEST(test_misses),
        UNIT_TEST(test_nobody_reached),
        UNIT_TEST(test_left_out),
        UNIT_TEST(test_sessions_left_out),
        UNIT_TEST(test_how_it_is_reached),
        UNIT_TEST(test_an_unknown_state),
        UNIT_TEST(test_the_answer),
        UNIT_TEST(test_forbidden),
        UNIT_TEST(test_a_server_that_lies),
        UNIT_TEST(test_names_in_any_case_and_aliases),
        UNIT_TEST(test_the_end_of_a_call),
        UNIT_TEST(test_waiting_for),
        UNIT_END,
    };

    return unit_run("outcome", tests);
}
