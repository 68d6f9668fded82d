/* SPDX-License-Identifier: MIT */
/* The list as msgd hears of it, with a source whose facts the test makes up. */
#include "daemon/present_sessions.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define PEOPLE 4

static sd_event *event;
static struct sessions *sessions;
static struct session_fact seen[PEOPLE];
static bool is_seen[PEOPLE], pending;
static pid_t leaders[PEOPLE];
static uint64_t gone[16];
static size_t gone_count;

static void look(void *userdata, struct fact_list *facts)
{
    (void)userdata;
    for (size_t i = 0; i < PEOPLE; i++)
        if (is_seen[i])
            CU_ASSERT_EQUAL(fact_add(facts, &seen[i]), 0);
    facts->pending = pending;
}

static void on_gone(void *userdata, uint64_t handle, const char *why)
{
    (void)userdata;
    CU_ASSERT_PTR_NOT_NULL(why);
    CU_ASSERT_FATAL(gone_count < ARRAY_SIZE(gone));
    gone[gone_count++] = handle;
}

static pid_t make_leader(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

static void end_leader(size_t i)
{
    if (leaders[i] > 0) {
        kill(leaders[i], SIGKILL);
        waitpid(leaders[i], NULL, 0);
    }
    leaders[i] = 0;
}

/* A list with nobody in it; everybody has a terminal and a living leader. */
static void begin(void)
{
    static const struct session_source source = {look, NULL};
    const struct session_watcher watcher = {on_gone, NULL};

    for (size_t i = 0; i < PEOPLE; i++) {
        leaders[i] = make_leader();
        seen[i] = (struct session_fact){.uid = geteuid(), .leader = leaders[i], .since_us = 1};
        seen[i].device = (struct device){.rdev = 100 + i, .messages = true};
        snprintf(seen[i].device.line, sizeof(seen[i].device.line), "pts/%zu", 9000000 + i);
        is_seen[i] = false;
    }
    pending = false;
    gone_count = 0;
    CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
    CU_ASSERT_EQUAL_FATAL(sessions_new(event, &source, 1, &watcher, &sessions), 0);
}

static void finish(void)
{
    sessions_free(sessions);
    sd_event_unref(event);
    for (size_t i = 0; i < PEOPLE; i++)
        end_leader(i);
}

static void expect_session(uint64_t handle, enum session_change change)
{
    struct boundary_message message;

    CU_ASSERT_FATAL(sessions_next_report(sessions, &message));
    CU_ASSERT_EQUAL(message.verb, BOUNDARY_SESSION);
    CU_ASSERT_EQUAL(message.u.session.handle, handle);
    CU_ASSERT_EQUAL(message.u.session.change, change);
}

static void expect_end(uint32_t count)
{
    struct boundary_message message;

    CU_ASSERT_FATAL(sessions_next_report(sessions, &message));
    CU_ASSERT_EQUAL(message.verb, BOUNDARY_END_OF_LIST);
    CU_ASSERT_EQUAL(message.u.end_of_list.count, count);
}

static void expect_nothing(void)
{
    struct boundary_message message;

    CU_ASSERT_FALSE(sessions_next_report(sessions, &message));
}

static void nothing_is_told_before_it_is_asked(void)
{
    begin();
    is_seen[0] = true;
    sessions_refresh(sessions);
    expect_nothing();
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    expect_end(1);
    expect_nothing();
    finish();
}

static void changes_are_told_by_themselves(void)
{
    begin();
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_end(0);
    is_seen[0] = is_seen[1] = true;
    sessions_refresh(sessions);
    expect_session(1, SESSION_ADDED);
    expect_session(2, SESSION_ADDED);
    sessions_refresh(sessions);
    expect_nothing();
    seen[1].device.used_s = time(NULL) - 5; /* in use: not worth a word each time */
    sessions_refresh(sessions);
    expect_session(2, SESSION_CHANGED);
    seen[1].device.used_s += 5;
    sessions_refresh(sessions);
    expect_nothing();
    seen[1].device.used_s -= 20; /* not any more */
    sessions_refresh(sessions);
    expect_session(2, SESSION_CHANGED);
    sessions_refresh(sessions);
    expect_nothing();
    seen[1].device.messages = false;
    sessions_refresh(sessions);
    seen[1].device.messages = true;
    sessions_refresh(sessions); /* two changes before one is told are one */
    expect_session(2, SESSION_CHANGED);
    expect_nothing();
    is_seen[0] = false;
    sessions_refresh(sessions);
    expect_session(1, SESSION_GONE);
    expect_nothing();
    CU_ASSERT(gone_count == 1 && gone[0] == 1);
    finish();
}

static void handles_only_rise(void)
{
    begin();
    is_seen[0] = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    expect_end(1);
    for (uint64_t handle = 1; handle < 5; handle++) {
        seen[0].since_us++; /* a new login on the same terminal */
        sessions_refresh(sessions);
        expect_session(handle, SESSION_GONE);
        expect_session(handle + 1, SESSION_ADDED);
    }
    finish();
}

static void what_was_never_told_is_not_told_to_be_gone(void)
{
    begin();
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_end(0);
    is_seen[0] = true;
    sessions_refresh(sessions);
    is_seen[0] = false;
    sessions_refresh(sessions);
    expect_nothing();
    CU_ASSERT_EQUAL(gone_count, 1);
    finish();
}

static void a_dead_leader_is_a_session_gone(void)
{
    struct session_where where;

    begin();
    is_seen[0] = is_seen[1] = true;
    end_leader(1); /* never lived as far as the list can tell */
    is_seen[2] = true;
    kill(leaders[2], SIGKILL); /* nor did one that nobody has waited for */
    usleep(50000);
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    expect_end(1);
    CU_ASSERT(sessions_where(sessions, 1, &where));
    CU_ASSERT_EQUAL(where.target.rdev, 100);
    end_leader(0);
    CU_ASSERT_FALSE(sessions_where(sessions, 1, &where)); /* before anybody has looked */
    CU_ASSERT_FALSE(sessions_where(sessions, 2, &where));
    sd_event_run(event, 1000000); /* the first look of the poll, then the pidfd */
    sd_event_run(event, 1000000);
    CU_ASSERT_EQUAL(gone_count, 1);
    expect_session(1, SESSION_GONE);
    finish();
}

static void a_change_is_part_of_the_list_that_is_to_be_told(void)
{
    struct boundary_message message;

    begin();
    is_seen[0] = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    expect_end(1);
    is_seen[1] = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    seen[1].device.messages = false;
    sessions_refresh(sessions);
    CU_ASSERT_FATAL(sessions_next_report(sessions, &message));
    CU_ASSERT_EQUAL(message.u.session.change, SESSION_LISTED);
    CU_ASSERT_EQUAL(message.u.session.flags, SESSION_DISABLED);
    expect_end(2);
    expect_nothing();
    finish();
}

static void each_list_that_is_asked_for_is_told_whole(void)
{
    begin();
    is_seen[0] = is_seen[1] = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    is_seen[2] = true; /* in the midst of it */
    is_seen[0] = false;
    sessions_refresh(sessions);
    expect_session(1, SESSION_GONE);
    expect_session(2, SESSION_LISTED);
    expect_session(3, SESSION_ADDED);
    expect_end(2);
    expect_session(2, SESSION_LISTED);
    expect_session(3, SESSION_LISTED);
    expect_end(2);
    expect_nothing();
    finish();
}

static void lists_asked_for_have_an_end(void)
{
    begin();
    for (size_t i = 0; i < SESSIONS_ASKED; i++)
        CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    CU_ASSERT_EQUAL(sessions_ask(sessions), -ENOBUFS);
    expect_end(0);
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    sessions_forget_asker(sessions);
    expect_nothing();
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_end(0);
    expect_nothing();
    finish();
}

static void a_list_waits_for_names_but_not_for_ever(void)
{
    begin();
    is_seen[0] = pending = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_nothing();
    pending = false;
    is_seen[1] = true;
    sessions_refresh(sessions);
    expect_session(1, SESSION_LISTED);
    expect_session(2, SESSION_LISTED);
    expect_end(2);
    pending = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_nothing();
    usleep((LIM_LOOKUP + 20) * 1000);
    expect_session(1, SESSION_LISTED);
    finish();
}

static void a_new_asker_hears_everything_again(void)
{
    begin();
    is_seen[0] = true;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    expect_end(1);
    is_seen[0] = false;
    sessions_refresh(sessions); /* an end that the old one does not hear of any more */
    sessions_forget_asker(sessions);
    is_seen[1] = true;
    sessions_refresh(sessions);
    expect_nothing();
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(2, SESSION_LISTED);
    expect_end(1);
    finish();
}

static void others_sessions_are_for_root_alone(void)
{
    begin();
    is_seen[0] = is_seen[1] = true;
    seen[0].uid = geteuid() + 1;
    CU_ASSERT_EQUAL(sessions_ask(sessions), 0);
    expect_session(1, SESSION_LISTED);
    if (geteuid() == 0)
        expect_session(2, SESSION_LISTED);
    expect_end(geteuid() == 0 ? 2 : 1);
    finish();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(nothing_is_told_before_it_is_asked),
        UNIT_TEST(changes_are_told_by_themselves),
        UNIT_TEST(handles_only_rise),
        UNIT_TEST(what_was_never_told_is_not_told_to_be_gone),
        UNIT_TEST(a_dead_leader_is_a_session_gone),
        UNIT_TEST(a_change_is_part_of_the_list_that_is_to_be_told),
        UNIT_TEST(each_list_that_is_asked_for_is_told_whole),
        UNIT_TEST(lists_asked_for_have_an_end),
        UNIT_TEST(a_list_waits_for_names_but_not_for_ever),
        UNIT_TEST(a_new_asker_hears_everything_again),
        UNIT_TEST(others_sessions_are_for_root_alone),
        UNIT_END,
    };

    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (self < 0) { /* valgrind 3.19 does not know it */
        printf("no pidfd_open here\n0 passed, 0 failed, 11 skipped\n");
        return 0;
    }
    close(self);
    return unit_run("present_sessions", tests);
}
