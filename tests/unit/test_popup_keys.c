/* SPDX-License-Identifier: MIT */
/* Told as stories: what is typed, and the gap after it. */
#include "daemon/popup_keys.h"
#include "tests/unit/unit.h"

static struct keys keys;
static uint64_t now;
static struct keys_step scrolled; /* the sum of what was scrolled */

static void open_popup(unsigned answers)
{
    now = 5000;
    scrolled = (struct keys_step){.verdict = KEYS_UNDECIDED};
    keys_start(&keys, answers, now);
}

/* What the loop does: it wakes at each time that is due. */
static struct keys_step pass(uint64_t ms)
{
    struct keys_step step = {.verdict = KEYS_UNDECIDED};
    uint64_t end = now + ms;
    while (step.verdict == KEYS_UNDECIDED && keys_due(&keys) <= end) {
        now = keys_due(&keys);
        step = keys_step(&keys, (struct slice){0}, now);
    }
    now = end;
    return step;
}

static struct keys_step type(const char *bytes, uint64_t gap)
{
    struct keys_step step = keys_step(&keys, slice_of(bytes), now);
    CU_ASSERT_EQUAL(step.verdict, KEYS_UNDECIDED); /* silence decides, no byte does */
    scrolled.rows += step.rows;
    scrolled.pages += step.pages;
    scrolled.to_top = scrolled.to_top || step.to_top;
    scrolled.to_end = scrolled.to_end || step.to_end;
    return pass(gap);
}

static void open_still(unsigned answers)
{
    open_popup(answers);
    CU_ASSERT_EQUAL(pass(KEYS_STILL_MS).verdict, KEYS_UNDECIDED);
    CU_ASSERT_TRUE(keys.counting);
}

static void o_confirms_once_the_keyboard_was_still(void)
{
    open_still(0);
    CU_ASSERT_EQUAL(type("o", 1000).verdict, KEYS_CONFIRMED);
}

static void stillness_has_its_length(void)
{
    open_popup(0);
    pass(KEYS_STILL_MS - 1);
    CU_ASSERT_FALSE(keys.counting);
    CU_ASSERT_EQUAL(type("o", KEYS_STILL_MS - 1).verdict, KEYS_UNDECIDED);
    CU_ASSERT_FALSE(keys.counting);
    CU_ASSERT_EQUAL(type("o", KEYS_STILL_MS).verdict, KEYS_UNDECIDED);
    CU_ASSERT_TRUE(keys.counting);
    CU_ASSERT_EQUAL(type("o", KEYS_ALONE_MS - 1).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(pass(1).verdict, KEYS_CONFIRMED);
}

/* 12 keys a second, a word with many an o, Enter after each: for a minute. */
static void typing_on_confirms_nothing(void)
{
    const char text[] = "echo o o o\rls -l foo\ro\r1\r2\r";
    open_popup(0);
    for (unsigned i = 0; i < 720; i++) {
        char key[2] = {text[i % (sizeof(text) - 1)], '\0'};
        CU_ASSERT_EQUAL(type(key, 83).verdict, KEYS_UNDECIDED);
        CU_ASSERT_FALSE(keys.counting);
    }
    CU_ASSERT_EQUAL(pass(10000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 1000).verdict, KEYS_CONFIRMED);
}

/* After a pause for thought the typing goes on. */
static void typing_after_a_pause_confirms_nothing(void)
{
    open_still(0);
    for (unsigned i = 0; i < 100; i++) {
        char key[2] = {"no o\r"[i % 5], '\0'};
        CU_ASSERT_EQUAL(type(key, 83).verdict, KEYS_UNDECIDED);
    }
}

static void enter_and_blank_confirm_nothing(void)
{
    static const char *const others[] = {"\r", "\n", " ", "y", "O", "\t", "0", "1", "\003", "q"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        open_still(0);
        CU_ASSERT_EQUAL(type(others[i], 5000).verdict, KEYS_UNDECIDED);
        CU_ASSERT_EQUAL(type("o", 1000).verdict, KEYS_CONFIRMED);
    }
}

static void a_paste_confirms_nothing(void)
{
    static const char *const pastes[] = {"oo", "o\r", "\ro", "hello o", "\033[200~o\033[201~",
                                         "11"};
    for (size_t i = 0; i < sizeof(pastes) / sizeof(*pastes); i++) {
        open_still(i % 2);
        CU_ASSERT_EQUAL(type(pastes[i], 5000).verdict, KEYS_UNDECIDED);
    }
    open_still(0); /* a byte at a time */
    CU_ASSERT_EQUAL(type("o", 2).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("k", 2).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 5000).verdict, KEYS_UNDECIDED);
}

static void a_key_is_alone_or_not(void)
{
    open_still(0);
    CU_ASSERT_EQUAL(type("x", KEYS_ALONE_MS - 1).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 5000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("x", KEYS_ALONE_MS).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 5000).verdict, KEYS_CONFIRMED);
}

/* A clock that rings early changes nothing. */
static void time_is_looked_at(void)
{
    open_popup(0);
    keys_step(&keys, (struct slice){0}, now + KEYS_STILL_MS - 1);
    CU_ASSERT_FALSE(keys.counting);
    open_still(0);
    keys_step(&keys, SLICE("o"), now);
    struct keys_step step = keys_step(&keys, (struct slice){0}, now + KEYS_ALONE_MS - 1);
    CU_ASSERT_EQUAL(step.verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(pass(KEYS_ALONE_MS).verdict, KEYS_CONFIRMED);
}

/* The loop slept while somebody typed: what was typed is read before the time is looked at. */
static void lost_time_makes_no_key_count(void)
{
    open_popup(0);
    now += 60000;
    CU_ASSERT_EQUAL(type("o", 0).verdict, KEYS_UNDECIDED);
    CU_ASSERT_FALSE(keys.counting);
    open_still(0);
    keys_step(&keys, SLICE("o"), now);
    now += 60000;
    CU_ASSERT_EQUAL(type("k", 5000).verdict, KEYS_UNDECIDED);
    keys_step(&keys, SLICE("\033"), now);
    now += 60000;
    CU_ASSERT_EQUAL(type("o", 5000).verdict, KEYS_UNDECIDED);
}

static void digits_answer_what_there_is(void)
{
    open_still(3);
    struct keys_step step = type("3", 1000);
    CU_ASSERT_EQUAL(step.verdict, KEYS_ANSWERED);
    CU_ASSERT_EQUAL(step.answer, 2);
    open_still(3);
    CU_ASSERT_EQUAL(type("4", 1000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("0", 1000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 1000).verdict, KEYS_UNDECIDED);
    step = type("1", 1000);
    CU_ASSERT_EQUAL(step.verdict, KEYS_ANSWERED);
    CU_ASSERT_EQUAL(step.answer, 0);
    open_still(8);
    CU_ASSERT_EQUAL(type("9", 1000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("8", 1000).answer, 7);
}

static void escape_alone_dismisses(void)
{
    open_popup(0);
    CU_ASSERT_EQUAL(type("\033", 5000).verdict, KEYS_UNDECIDED); /* too early */
    CU_ASSERT_EQUAL(type("\033", 1000).verdict, KEYS_DISMISSED);
    open_still(2);
    CU_ASSERT_EQUAL(type("\033", KEYS_ALONE_MS - 1).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("\033", 5000).verdict, KEYS_UNDECIDED);
}

static void sequences_scroll_and_decide_nothing(void)
{
    open_still(0);
    CU_ASSERT_EQUAL(type("\033[B\033[B\033OB\033[A", 500).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(scrolled.rows, 2);
    CU_ASSERT_EQUAL(type("\033[6~\033[6~\033[5~ b ", 500).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(scrolled.pages, 2);
    CU_ASSERT_FALSE(scrolled.to_top || scrolled.to_end);
    type("\033[H", 500);
    CU_ASSERT_TRUE(scrolled.to_top);
    type("\033[4~", 500);
    CU_ASSERT_TRUE(scrolled.to_end);
    CU_ASSERT_EQUAL(type("\033o", 5000).verdict, KEYS_UNDECIDED); /* Meta and o */
    CU_ASSERT_EQUAL(type("\033[1;5o", 5000).verdict, KEYS_UNDECIDED);
}

static void sequences_may_come_in_parts(void)
{
    open_still(0);
    CU_ASSERT_EQUAL(type("\033", 50).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("[", 50).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("6", 50).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("~", 5000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(scrolled.pages, 1);
    /* One that breaks off swallows nothing. */
    CU_ASSERT_EQUAL(type("\033[", 5000).verdict, KEYS_UNDECIDED);
    CU_ASSERT_EQUAL(type("o", 1000).verdict, KEYS_CONFIRMED);
}

static void what_is_thrown_away_scrolls_nothing(void)
{
    open_popup(0);
    type("\033[B \033[6~", 500);
    CU_ASSERT_EQUAL(scrolled.rows, 0);
    CU_ASSERT_EQUAL(scrolled.pages, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(o_confirms_once_the_keyboard_was_still),
        UNIT_TEST(stillness_has_its_length),
        UNIT_TEST(typing_on_confirms_nothing),
        UNIT_TEST(typing_after_a_pause_confirms_nothing),
        UNIT_TEST(enter_and_blank_confirm_nothing),
        UNIT_TEST(a_paste_confirms_nothing),
        UNIT_TEST(a_key_is_alone_or_not),
        UNIT_TEST(time_is_looked_at),
        UNIT_TEST(lost_time_makes_no_key_count),
        UNIT_TEST(digits_answer_what_there_is),
        UNIT_TEST(escape_alone_dismisses),
        UNIT_TEST(sequences_scroll_and_decide_nothing),
        UNIT_TEST(sequences_may_come_in_parts),
        UNIT_TEST(what_is_thrown_away_scrolls_nothing),
        UNIT_END,
    };
    return unit_run("popup_keys", tests);
}
