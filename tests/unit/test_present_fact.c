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
        .user = "bob",
        .from = "192.0.2.7",
    };
}

static void a_list_ends_at_its_limit(void)
{
    struct fact_list list = {0};
    struct session_fact one = fact(1, 1);

    for (size_t i = 0; i < LIM_SESSIONS; i++)
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    CU_ASSERT_EQUAL(fact_add(&list, &one), -ENOSPC);
    CU_ASSERT_EQUAL(list.count, LIM_SESSIONS);
    fact_merge(&list);
    CU_ASSERT_EQUAL(list.count, 1);
    fact_list_free(&list);
    CU_ASSERT_PTR_NULL(list.facts);
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
    fact_merge(&list);
    CU_ASSERT_EQUAL_FATAL(list.count, 3);
    CU_ASSERT_EQUAL(fact_of_terminal(&list, 3)->since_us, 2);
    CU_ASSERT_EQUAL(fact_of_terminal(&list, 5)->since_us, 1);
    CU_ASSERT_EQUAL(fact_of_terminal(&list, 7)->since_us, 9);
    for (dev_t missing = 0; missing <= 8; missing += 2)
        CU_ASSERT_PTR_NULL(fact_of_terminal(&list, missing));
    fact_list_free(&list);
    fact_merge(&list); /* an empty one too */
    CU_ASSERT_PTR_NULL(fact_of_terminal(&list, 3));
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

static void idle_time_alone_is_no_change(void)
{
    struct session_fact one = fact(1, 1);
    struct boundary_session before, after;

    fact_record(&one, 160, &before);
    fact_record(&one, 170, &after);
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
        UNIT_TEST(a_list_ends_at_its_limit),       UNIT_TEST(the_later_login_on_a_terminal_counts),
        UNIT_TEST(a_login_is_all_of_its_identity), UNIT_TEST(the_record_says_all_that_is_known),
        UNIT_TEST(idle_time_alone_is_no_change),   UNIT_END,
    };

    return unit_run("present_fact", tests);
}
