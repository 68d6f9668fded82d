/* SPDX-License-Identifier: MIT */
#include "daemon/present_text.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

static struct present_texts texts;
static const char *reason;

static int read_it(uint64_t life_ms, uint32_t sender_len, uint32_t title_len, const char *text,
                   size_t len)
{
    struct boundary_message message = {.verb = BOUNDARY_PRESENT, .text = text, .text_len = len};

    message.u.present.life_ms = life_ms;
    message.u.present.sender_len = sender_len;
    message.u.present.title_len = title_len;
    reason = NULL;
    texts = (struct present_texts){0};
    return present_texts_read(&message, &texts, &reason);
}

static void the_lengths_part_them(void)
{
    CU_ASSERT_EQUAL(read_it(1, 5, 5, "alicehellothe text", 18), 0);
    CU_ASSERT(slice_eq(texts.sender, SLICE("alice")));
    CU_ASSERT(slice_eq(texts.title, SLICE("hello")));
    CU_ASSERT(slice_eq(texts.body, SLICE("the text")));
    CU_ASSERT_EQUAL(read_it(1, 5, 0, "alicehello", 10), 0);
    CU_ASSERT_EQUAL(texts.title.len, 0);
    CU_ASSERT(slice_eq(texts.body, SLICE("hello")));
}

static void lengths_that_do_not_fit_are_refused(void)
{
    CU_ASSERT_EQUAL(read_it(1, 0, 0, "hello", 5), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, 6, 0, "hello", 5), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, 3, 3, "hello", 5), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, 5, UINT32_MAX, "hello", 5), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, UINT32_MAX, 1, "hello", 5), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, 1, 0, NULL, 0), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(reason);
    CU_ASSERT_PTR_NULL(texts.sender.ptr);
}

static void a_name_is_at_the_sender_s_front(void)
{
    struct boundary_message message = {
        .verb = BOUNDARY_PRESENT, .text = "alice!hello", .text_len = 11};

    message.u.present.life_ms = 1;
    message.u.present.sender_len = 6;
    message.u.present.name_len = 6;
    CU_ASSERT_EQUAL(present_texts_read(&message, &texts, &reason), 0);
    message.u.present.name_len = 7;
    CU_ASSERT_EQUAL(present_texts_read(&message, &texts, &reason), -EBADMSG);
}

static int read_answers(const char *answers)
{
    static char text[1 + PRESENT_ANSWERS + 8];
    struct boundary_message message = {.verb = BOUNDARY_PRESENT, .text = text};

    snprintf(text, sizeof(text), "a%sbody", answers);
    message.text_len = strlen(text);
    message.u.present.life_ms = 1;
    message.u.present.sender_len = 1;
    message.u.present.answers_len = (uint32_t)strlen(answers);
    texts = (struct present_texts){0};
    return present_texts_read(&message, &texts, &reason);
}

static void answers_are_labels_each_ended(void)
{
    struct slice label;

    CU_ASSERT_EQUAL(read_answers("Yes\nNot now\n"), 0);
    CU_ASSERT(slice_eq(texts.body, SLICE("body")));
    CU_ASSERT(present_answers_next(&texts.answers, &label));
    CU_ASSERT(slice_eq(label, SLICE("Yes")));
    CU_ASSERT(present_answers_next(&texts.answers, &label));
    CU_ASSERT(slice_eq(label, SLICE("Not now")));
    CU_ASSERT_FALSE(present_answers_next(&texts.answers, &label));
    CU_ASSERT_EQUAL(read_answers("1\n2\n3\n4\n5\n6\n7\n8\n"), 0);
    CU_ASSERT_EQUAL(read_answers("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), -EINVAL);
    CU_ASSERT_EQUAL(read_answers("Yes\nNo"), -EINVAL);
    CU_ASSERT_EQUAL(read_answers("\n"), -EINVAL);
    CU_ASSERT_EQUAL(read_answers("Y\033\n"), -EINVAL);
}

static void an_answer_has_its_limit(void)
{
    char label[LIM_ANSWER + 3];

    memset(label, 'x', sizeof(label));
    strcpy(label + LIM_ANSWER, "\n");
    CU_ASSERT_EQUAL(read_answers(label), 0);
    label[LIM_ANSWER] = 'x';
    strcpy(label + LIM_ANSWER + 1, "\n");
    CU_ASSERT_EQUAL(read_answers(label), -EINVAL);
}

static void a_lifetime_has_its_limits(void)
{
    CU_ASSERT_EQUAL(read_it(0, 1, 0, "ab", 2), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(1, 1, 0, "ab", 2), 0);
    CU_ASSERT_EQUAL(read_it(LIM_MAX_TIME, 1, 0, "ab", 2), 0);
    CU_ASSERT_EQUAL(read_it(LIM_MAX_TIME + 1, 1, 0, "ab", 2), -EBADMSG);
    CU_ASSERT_EQUAL(read_it(UINT64_MAX, 1, 0, "ab", 2), -EBADMSG);
}

static void a_text_has_its_limit(void)
{
    static char text[1 + LIM_TEXT + 1];

    memset(text, 'x', sizeof(text));
    CU_ASSERT_EQUAL(read_it(1, 1, 0, text, 1 + LIM_TEXT), 0);
    CU_ASSERT_EQUAL(read_it(1, 1, 0, text, 1 + LIM_TEXT + 1), -EBADMSG);
}

static void what_is_not_fit_is_refused(void)
{
    static const struct {
        uint32_t sender_len, title_len;
        const char *text;
        const char *part; /* what is wrong; NULL: nothing */
    } cases[] = {
        {1, 0, "ab\tc\nd", NULL},   {1, 0, "ab\x1b", "a text"},  {1, 0, "ab\r", "a text"},
        {1, 0, "a \n", "a text"},   {1, 0, "a\xff", "a text"},   {3, 0, "a\nbx", "a sender"},
        {1, 0, "\tx", "a sender"},  {1, 0, " x", "a sender"},    {1, 0, "\xffx", "a sender"},
        {1, 2, "aa\nx", "a title"}, {1, 1, "a\x07x", "a title"}, {1, 1, "a x", "a title"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = cases[i].text;
        int r = read_it(1, cases[i].sender_len, cases[i].title_len, text, strlen(text));

        CU_ASSERT_EQUAL(r, cases[i].part ? -EINVAL : 0);
        if (cases[i].part && reason)
            CU_ASSERT_EQUAL(strncmp(reason, cases[i].part, strlen(cases[i].part)), 0);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(the_lengths_part_them),
        UNIT_TEST(lengths_that_do_not_fit_are_refused),
        UNIT_TEST(a_name_is_at_the_sender_s_front),
        UNIT_TEST(a_lifetime_has_its_limits),
        UNIT_TEST(a_text_has_its_limit),
        UNIT_TEST(what_is_not_fit_is_refused),
        UNIT_TEST(answers_are_labels_each_ended),
        UNIT_TEST(an_answer_has_its_limit),
        UNIT_END,
    };

    return unit_run("present_text", tests);
}
