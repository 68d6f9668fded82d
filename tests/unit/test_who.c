/* SPDX-License-Identifier: MIT */
/* Whom a server tells of: the rule on the terminal msg runs in, and names with two meanings. */
#include "client/who.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct who who;

static void add(const char *user, const char *name, const char *id, const char *reach,
                uint64_t place)
{
    struct msg_session session = {.user = slice_of(user),
                                  .name = slice_of(name),
                                  .id = slice_of(id),
                                  .reach = slice_of(reach),
                                  .place = place};
    struct msg msg = {.type = MSG_EVENT};

    msg.u.events.who.items = &session;
    msg.u.events.who.n = 1;
    CU_ASSERT_EQUAL(who_take(&who, &msg), 0);
}

/* ---- own terminal ---------------------------------------------------------------------------- */

static struct msg_selector to[2];
static struct own_question question;

static void ask(const char *target, bool wait)
{
    to[0] = (struct msg_selector){0};
    if (strcmp(target, "*") == 0)
        to[0].all = true;
    else
        to[0].name = slice_of(target);
    question = (struct own_question){"pts/3", "alice", wait, {to, 1}};
}

static void test_when_the_sessions_must_be_known(void)
{
    ask("bob", false);
    CU_ASSERT_FALSE(own_needs_who(&question));
    ask("bob", true);
    CU_ASSERT_TRUE(own_needs_who(&question)); /* bob may be the name of this terminal's session */
    ask("alice", false);
    CU_ASSERT_TRUE(own_needs_who(&question));
    ask("*", true);
    CU_ASSERT_FALSE(own_needs_who(&question));
    ask("alice", true);
    question.terminal = NULL;
    CU_ASSERT_FALSE(own_needs_who(&question));
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_AS_IT_IS);
}

static void test_everybody_is_without_this_terminal(void)
{
    ask("*", false);
    CU_ASSERT_EQUAL(own_decide(&question, NULL), OWN_LEAVE_OUT);
    to[1] = (struct msg_selector){.name = SLICE("pts/3")};
    question.to.n = 2; /* named beside: meant after all */
    CU_ASSERT_EQUAL(own_decide(&question, NULL), OWN_AS_IT_IS);
}

static void test_my_own_name(void)
{
    ask("alice", true);
    add("alice", "pts/3", "c3", "terminal", 1);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_ALONE);
    add("alice", "sftp", "c4", "nothing", 2);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_ALONE);
    add("alice", "pts/4", "c5", "terminal", 3);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_LEAVE_OUT);
    who_release(&who);
    to[0] = (struct msg_selector){.user = SLICE("ALICE")};
    add("alice", "pts/4", "c5", "terminal", 3);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_LEAVE_OUT);
    who_release(&who);
}

static void test_this_terminal_by_name(void)
{
    ask("pts/3", true);
    add("alice", "pts/3", "c3", "terminal", 1);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_ALONE);
    add("bob", "pts/4", "c4", "terminal", 2);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_AS_IT_IS);
    who_release(&who);
    ask("c3", true); /* by its id */
    add("alice", "pts/3", "c3", "terminal", 1);
    CU_ASSERT_EQUAL(own_decide(&question, &who), OWN_ALONE);
    who_release(&who);
}

static void test_a_list_without_end(void)
{
    for (size_t i = 0; i < LIM_SESSIONS + 1; i++)
        add("bob", "pts/1", "c1", "terminal", 1);
    CU_ASSERT_EQUAL(who.n, LIM_SESSIONS);
    who_release(&who);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void remarks(const char *target, const char *err_wanted)
{
    char *out = NULL, *err = NULL;
    size_t out_len, err_len;
    struct call_server server = {.local = true};
    struct speaker speaker = {open_memstream(&out, &out_len),
                              open_memstream(&err, &err_len),
                              true,
                              {.host = SLICE("h2")}};
    struct msg_selector selector = {.name = slice_of(target)};
    struct outcome_config config = {&speaker, &server, {&selector, 1}, .wait = true};
    struct outcome *outcome = outcome_new(&config);

    who_remark(&who, outcome);
    fclose(speaker.out);
    fclose(speaker.err);
    CU_ASSERT_STRING_EQUAL(out, "");
    CU_ASSERT_STRING_EQUAL(err, err_wanted);
    free(out);
    free(err);
    outcome_free(outcome);
    who_release(&who);
}

static void test_clashes(void)
{
    add("bob", ":0", "c1", "desktop", 1);
    add("carol", "BOB", "c2", "terminal", 2);
    remarks("bob", "bob is taken for user:bob; there is also session:bob\n");
    add("bob", ":0", "7", "desktop", 1);
    add("7", "pts/7", "c2", "terminal", 2);
    remarks("7", "7 is taken for id:7; there is also user:7\n");
    add("bob", "c1", "c1", "terminal", 1);
    remarks("c1", "");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_when_the_sessions_must_be_known),
        UNIT_TEST(test_everybody_is_without_this_terminal),
        UNIT_TEST(test_my_own_name),
        UNIT_TEST(test_this_terminal_by_name),
        UNIT_TEST(test_a_list_without_end),
        UNIT_TEST(test_clashes),
        UNIT_END,
    };

    return unit_run("who", tests);
}
