/* SPDX-License-Identifier: MIT */
#include "daemon/present_fact.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

static struct session_fact fact(dev_t rdev, int64_t since_us)
{
    return (struct session_fact){
        .device = {.line = "pts/3", .rdev = rdev, .owner = 1000, .messages = true, .used_s = 100},
        .uid = 1000,
        .gid = 100,
        .leader = 4711,
        .since_us = since_us,
        .reach = REACH_TERMINAL,
        .place = "pts/3",
        .user = "bob",
        .from = "192.0.2.7",
    };
}

static struct session_fact *find(const struct fact_list *list, dev_t rdev)
{
    const struct session_fact like = {.device = {.rdev = rdev}};

    return fact_find(list, &like);
}

static void a_list_ends_at_its_limit(void)
{
    struct fact_list list = {0};
    struct session_fact one = fact(1, 1);

    for (size_t i = 0; i < LIM_SESSIONS; i++) {
        one.uid = (uid_t)(1000 + i / LIM_USER_SESSIONS);
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    }
    one.uid = 1;
    CU_ASSERT_EQUAL(fact_add(&list, &one), -ENOSPC);
    CU_ASSERT_EQUAL(list.count, LIM_SESSIONS);
    fact_sort(&list);
    CU_ASSERT_EQUAL(list.count, 1);
    fact_list_free(&list);
    CU_ASSERT_PTR_NULL(list.facts);
}

/* However many terminals he opens: somebody else's are still listed. */
static void nobody_fills_it_alone(void)
{
    struct fact_list list = {0};
    struct session_fact one = fact(1, 1), other = fact(7000, 1);
    other.uid = 1001;

    for (dev_t i = 1; i < LIM_USER_SESSIONS; i++) {
        one.device.rdev = i;
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    }
    CU_ASSERT_EQUAL(fact_add(&list, &one), 0); /* said twice */
    CU_ASSERT_EQUAL(fact_add(&list, &other), 0);
    one.device.rdev = LIM_USER_SESSIONS;
    CU_ASSERT_EQUAL(fact_add(&list, &one), -EDQUOT);
    fact_sort(&list); /* once again: there is room */
    CU_ASSERT_EQUAL(list.count, LIM_USER_SESSIONS);
    CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    one.device.rdev++;
    CU_ASSERT_EQUAL(fact_add(&list, &one), -EDQUOT);
    CU_ASSERT_FALSE(list.incomplete);
    fact_sort(&list);
    CU_ASSERT_PTR_NOT_NULL(find(&list, 7000));
    CU_ASSERT_EQUAL(list.count, LIM_USER_SESSIONS + 1);
    fact_list_free(&list);
}

static void the_later_login_on_a_terminal_counts(void)
{
    struct fact_list list = {0};
    static const struct {
        dev_t rdev;
        int64_t since_us;
    } seen[] = {{7, 5}, {3, 1}, {7, 9}, {3, 2}, {5, 1}, {7, 6}};

    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        struct session_fact one = fact(seen[i].rdev, seen[i].since_us);
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    }
    fact_sort(&list);
    CU_ASSERT_EQUAL_FATAL(list.count, 3);
    CU_ASSERT_EQUAL(find(&list, 3)->since_us, 2);
    CU_ASSERT_EQUAL(find(&list, 5)->since_us, 1);
    CU_ASSERT_EQUAL(find(&list, 7)->since_us, 9);
    for (dev_t missing = 0; missing <= 8; missing += 2)
        CU_ASSERT_PTR_NULL(find(&list, missing));
    fact_list_free(&list);
    fact_sort(&list); /* an empty one too */
    CU_ASSERT_PTR_NULL(find(&list, 3));
}

static void a_login_is_all_of_its_identity(void)
{
    struct session_fact one = fact(1, 1), other = one;

    CU_ASSERT(fact_same_login(&one, &other));
    other.device.messages = false; /* no part of it */
    CU_ASSERT(fact_same_login(&one, &other));
    other.device.rdev = 2;
    CU_ASSERT_FALSE(fact_same_login(&one, &other));
    other = one, other.uid = 1001;
    CU_ASSERT_FALSE(fact_same_login(&one, &other));
    other = one, other.leader = 4712;
    CU_ASSERT_FALSE(fact_same_login(&one, &other));
    other = one, other.since_us = 2;
    CU_ASSERT_FALSE(fact_same_login(&one, &other));
}

static void several_sources_know_one_login(void)
{
    struct session_fact utmp = fact(1, 5), both = fact(1, 1), logind;

    utmp.login = both.login = (struct fact_mark){4711, 5};
    strcpy(both.id, "c1");
    both.leader = 4700;
    logind = both;
    logind.login = (struct fact_mark){0};
    CU_ASSERT(fact_same_login(&utmp, &both)); /* logind answers, too */
    CU_ASSERT(fact_same_login(&both, &utmp)); /* and is lost again */
    CU_ASSERT(fact_same_login(&logind, &both));
    CU_ASSERT(fact_same_login(&both, &logind));
    CU_ASSERT_FALSE(fact_same_login(&utmp, &logind)); /* nobody says that they are one */
    both.login.since_us = 6;
    CU_ASSERT_FALSE(fact_same_login(&utmp, &both));
    CU_ASSERT(fact_same_login(&logind, &both)); /* logind's word goes before utmp's */
    strcpy(both.id, "c2");
    CU_ASSERT_FALSE(fact_same_login(&logind, &both));
    logind.login = both.login; /* whatever utmp says beside it */
    CU_ASSERT_FALSE(fact_same_login(&logind, &both));
}

static void without_a_terminal_the_id_counts(void)
{
    struct fact_list list = {0};
    static const char *const ids[] = {"c2", "c1", "c2", "7"};

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct session_fact one = fact(0, (int64_t)i);
        strcpy(one.id, ids[i]);
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    }
    fact_sort(&list);
    CU_ASSERT_EQUAL_FATAL(list.count, 3);
    for (size_t i = 1; i < ARRAY_SIZE(ids); i++) {
        struct session_fact like = {0};
        strcpy(like.id, ids[i]);
        struct session_fact *found = fact_find(&list, &like);
        CU_ASSERT_FATAL(found != NULL);
        CU_ASSERT_EQUAL(found->since_us, (int64_t)i);
    }
    CU_ASSERT_PTR_NULL(find(&list, 0));
    fact_list_free(&list);
}

static void the_record_says_all_that_is_known(void)
{
    struct session_fact one = fact(1, 1);
    struct boundary_session record;

    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.uid, 1000);
    CU_ASSERT_EQUAL(record.gid, 100);
    CU_ASSERT_EQUAL(record.reach, REACH_TERMINAL);
    CU_ASSERT_EQUAL(record.flags, 0);
    CU_ASSERT_EQUAL(record.idle_s, 60);
    CU_ASSERT_STRING_EQUAL(record.user, "bob");
    CU_ASSERT_STRING_EQUAL(record.name, "pts/3");
    CU_ASSERT_STRING_EQUAL(record.id, "p4711");
    CU_ASSERT_STRING_EQUAL(record.terminal, "pts/3");
    CU_ASSERT_STRING_EQUAL(record.place, "pts/3");
    CU_ASSERT_STRING_EQUAL(record.from, "192.0.2.7");
    CU_ASSERT_STRING_EQUAL(record.why, "");

    fact_record(&one, 90, &record); /* the clock was set back */
    CU_ASSERT_EQUAL(record.idle_s, 0);
    fact_record(&one, INT64_MAX, &record);
    CU_ASSERT_EQUAL(record.idle_s, UINT32_MAX);

    one.device.messages = false;
    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.reach, REACH_TERMINAL);
    CU_ASSERT_EQUAL(record.flags, SESSION_DISABLED);
    CU_ASSERT_STRING_EQUAL(record.why, "messages-disabled");
}

static void a_session_has_its_first_name(void)
{
    struct session_fact one = fact(1, 1);
    struct boundary_session record;

    strcpy(one.id, "c1"), strcpy(one.display, ":0"), strcpy(one.seat, "seat0");
    fact_record(&one, 160, &record);
    CU_ASSERT_STRING_EQUAL(record.name, ":0");
    CU_ASSERT_STRING_EQUAL(record.id, "c1");
    one.display[0] = '\0';
    fact_record(&one, 160, &record);
    CU_ASSERT_STRING_EQUAL(record.name, "pts/3");
    one.device = (struct device){0};
    fact_record(&one, 160, &record);
    CU_ASSERT_STRING_EQUAL(record.name, "seat0");
    one.seat[0] = '\0';
    fact_record(&one, 160, &record);
    CU_ASSERT_STRING_EQUAL(record.name, "c1");
}

static void flags_and_idle_time_follow_the_reach(void)
{
    struct session_fact one = fact(1, 1);
    struct boundary_session record;

    strcpy(one.seat, "seat0"), strcpy(one.state, "active");
    one.locked = one.aside = true;
    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.flags, SESSION_CONSOLE | SESSION_LOCKED | SESSION_ASIDE);
    strcpy(one.seat, "seat1");
    one.device.messages = one.locked = false;
    one.reach = REACH_TMUX;
    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.flags, SESSION_DISABLED | SESSION_ASIDE);
    one.reach = REACH_DESKTOP; /* its messages are the terminal's matter */
    one.aside = false;
    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.flags, 0);
    CU_ASSERT_EQUAL(record.idle_s, 0);
    one.idle_since_s = 150;
    fact_record(&one, 160, &record);
    CU_ASSERT_EQUAL(record.idle_s, 10);
    one.reach = REACH_NOTHING;
    one.why = "closing";
    fact_record(&one, 160, &record);
    CU_ASSERT_STRING_EQUAL(record.why, "closing");
    CU_ASSERT_EQUAL(record.idle_s, 60);
}

/* One who types is no news, one who stops or begins is; idle times of days are told now and then.
 */
static void idle_time_is_told_about_right(void)
{
    static const struct {
        uint32_t told, now;
        bool differs;
    } rows[] = {{0, 0, false},     {0, 9, false},         {0, 10, true},
                {10, 19, false},   {10, 20, true},        {10, 0, true},
                {9, 0, false},     {800, 900, false},     {800, 901, true},
                {800, 700, false}, {800, 699, true},      {86400, 97200, false},
                {86400, 5, true},  {0, UINT32_MAX, true}, {UINT32_MAX, 0, true}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct boundary_session told = {.idle_s = rows[i].told},
                                      now = {.idle_s = rows[i].now};
        CU_ASSERT_EQUAL(fact_record_differs(&told, &now), rows[i].differs);
    }
}

static void where_it_stands_is_no_change(void)
{
    struct session_fact one = fact(1, 1);
    struct boundary_session before, after;

    fact_record(&one, 160, &before);
    fact_record(&one, 165, &after);
    after.handle = 7;
    after.change = SESSION_CHANGED;
    CU_ASSERT_FALSE(fact_record_differs(&before, &after));
    one.device.messages = false;
    fact_record(&one, 170, &after);
    CU_ASSERT(fact_record_differs(&before, &after));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_list_ends_at_its_limit),
        UNIT_TEST(nobody_fills_it_alone),
        UNIT_TEST(the_later_login_on_a_terminal_counts),
        UNIT_TEST(a_login_is_all_of_its_identity),
        UNIT_TEST(several_sources_know_one_login),
        UNIT_TEST(without_a_terminal_the_id_counts),
        UNIT_TEST(the_record_says_all_that_is_known),
        UNIT_TEST(a_session_has_its_first_name),
        UNIT_TEST(flags_and_idle_time_follow_the_reach),
        UNIT_TEST(idle_time_is_told_about_right),
        UNIT_TEST(where_it_stands_is_no_change),
        UNIT_END,
    };

    return unit_run("present_fact", tests);
}
