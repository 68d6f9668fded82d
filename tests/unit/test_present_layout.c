/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>

#include "daemon/present_layout.h"
#include "protocol/utf8.h"
#include "tests/unit/unit.h"

static char out[LIM_TERMINAL_WRITE + 1];

static const struct layout_message plain = {
    .sender = {"alice (network, 192.0.2.5)", 26},
    .text = {"The server goes down at 18:00.", 30},
    .user = "bob",
    .host = "h2",
    .time = "14:05",
    .number = 7,
    .wait = true,
};

static size_t laid_out(const struct layout_message *message, unsigned columns)
{
    ssize_t len = layout_message(message, columns, out);

    CU_ASSERT_FATAL(len > 0 && len <= LIM_TERMINAL_WRITE);
    out[len] = '\0';
    return (size_t)len;
}

static const char *text_laid_out(const char *text, unsigned columns)
{
    struct layout_message message = plain;

    message.text = slice_of(text);
    laid_out(&message, columns);
    return out;
}

static unsigned rows(void)
{
    unsigned count = 0;

    for (const char *at = out + 3; (at = strstr(at, "\r\n")) != NULL; at += 2)
        count++;
    return count;
}

static void the_page_is_as_designed(void)
{
    laid_out(&plain, 80);
    CU_ASSERT_STRING_EQUAL(out,
                           "\r\n\aMessage from alice (network, 192.0.2.5) to bob on h2, 14:05\r\n"
                           "| The server goes down at 18:00.\r\n"
                           "To confirm that you have read this, type: msg /ack 7\r\n");
}

/* Without iutf8 the second and third byte of "\u205b" may begin a control sequence. */
static void no_byte_is_a_control_of_eight_bits(void)
{
    static const char text[] = "gr\303\274\303\237e \342\201\2332J \360\237\230\200";
    struct layout_message message = plain;

    message.text = message.title = message.sender = slice_of(text);
    message.user = message.host = text;
    laid_out(&message, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, text));
    message.bytes = true;
    laid_out(&message, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| gr\303\274<U+00DF>e <U+205B>2J <U+1F600>\r\n"));
    for (const char *at = out; *at != '\0'; at++)
        CU_ASSERT_FALSE((*at & 0xE0) == 0x80);
    message.answers = slice_of("gr\303\237e\n");
    laid_out(&message, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| 1 gr<U+00DF>e\r\n"));
}

static void only_what_waits_asks_for_an_answer(void)
{
    struct layout_message message = plain;

    message.wait = false;
    laid_out(&message, 80);
    CU_ASSERT_PTR_NULL(strstr(out, "/ack"));
    message.title = SLICE("Maintenance");
    laid_out(&message, 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "14:05\r\nTitle: Maintenance\r\n| The"));
}

static void each_line_of_text_has_its_prefix(void)
{
    text_laid_out("a\n\nMessage from root\n", 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\r\n| a\r\n| \r\n| Message from root\r\nTo confirm"));
}

static void answers_stand_with_their_digits(void)
{
    struct layout_message message = plain;

    message.answers = SLICE("Yes\nNot now\n");
    laid_out(&message, 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| The server goes down at 18:00.\r\n| 1 Yes\r\n"
                                       "| 2 Not now\r\nTo answer, type: msg /ack 7 1\r\n"));
    message.wait = false;
    laid_out(&message, 80);
    CU_ASSERT_PTR_NULL(strstr(out, "Yes"));
}

static void eight_answers_leave_room_for_text(void)
{
    struct layout_message message = plain;
    char answers[LIM_ANSWERS * (LIM_ANSWER + 1) + 1] = "", text[2001];

    for (unsigned i = 0; i < LIM_ANSWERS; i++)
        snprintf(answers + strlen(answers), LIM_ANSWER + 2, "%0*d\n", LIM_ANSWER, 0);
    memset(text, '\n', 2000);
    text[2000] = '\0';
    text[0] = 'a';
    message.text = slice_of(text);
    message.answers = slice_of(answers);
    laid_out(&message, 40);
    CU_ASSERT(rows() == LIM_TERMINAL_LINES);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| 8 00000000000000000000000000000000000\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "more lines: msg /list 7]\r\n| 1 0"));
    laid_out(&message, 1);
    CU_ASSERT(rows() <= LIM_TERMINAL_LINES);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "/ack 7 1\r\n"));
}

static void words_wrap_at_the_columns(void)
{
    /* 20 columns: 17 of text */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("12345678 12345678", 20), "| 12345678 12345678\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("12345678 123456789", 20), "| 12345678\r\n| 123456789\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("12345678901234567890", 20), "| 12345678901234567\r\n| 890\r\n"));
    /* two columns each: eight of them fit */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("漢漢漢漢漢漢漢漢漢", 20), "| 漢漢漢漢漢漢漢漢\r\n| 漢\r\n"));
    /* one column each, though two bytes: as the C locale could not tell */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("äöüäöüäöüäöüäöüäöü", 20), "| äöüäöüäöüäöüäöüäö\r\n| ü\r\n"));
    /* newer than the C library, which gives it no width: two, to be on the safe side */
    CU_ASSERT_PTR_NOT_NULL(strstr(text_laid_out("\xcd\xb8\xcd\xb8\xcd\xb8\xcd\xb8\xcd\xb8\xcd"
                                                "\xb8\xcd\xb8\xcd\xb8\xcd\xb8",
                                                20),
                                  "\xcd\xb8\r\n| \xcd\xb8\r\n"));
    /* a combining mark takes none */
    CU_ASSERT_PTR_NOT_NULL(strstr(text_laid_out("a\xcc\x88"
                                                "2345678901234567",
                                                20),
                                  "| a\xcc\x88"
                                  "2345678901234567\r\n"));
}

/* What some terminal shows wider than the C library says must not run on into the next row. */
static void symbols_wrap_as_if_they_were_wide(void)
{
    /* trigrams: wide since Unicode 16 */
    CU_ASSERT_PTR_NOT_NULL(strstr(text_laid_out("\u2630\u2630\u2630\u2630\u2630\u2630\u2630", 16),
                                  "| \u2630\u2630\u2630\u2630\u2630\u2630\r\n| \u2630\r\n"));
    /* two exclamation marks, which U+FE0F makes one wide emoji */
    CU_ASSERT_PTR_NOT_NULL(strstr(text_laid_out("1234567890\u203c\ufe0f\u203c\ufe0f", 16),
                                  "| 1234567890\u203c\ufe0f\u203c\r\n| "));
}

static void tabs_become_blanks(void)
{
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text_laid_out("a\tb\t\tc", 80), "| a       b               c\r\n"));
    CU_ASSERT_PTR_NULL(strchr(out, '\t'));
}

static void extreme_columns_are_bounded(void)
{
    char wide[300];

    memset(wide, 'x', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    text_laid_out("12345678901234567890", 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| 1234567890123\r\n"));
    text_laid_out(wide, 65535);
    CU_ASSERT_EQUAL(strcspn(strstr(out, "| "), "\r"), 2 + 197);
    text_laid_out(wide, 0);
    CU_ASSERT_EQUAL(strcspn(strstr(out, "| "), "\r"), 2 + 77);
}

static void direction_is_shown_and_controls_are_escaped(void)
{
    struct layout_message message = plain;

    message.sender = SLICE("al\xe2\x80\xae"
                           "ice");
    message.title = SLICE("t\xe2\x81\xa6"
                          "t");
    message.text = SLICE("a\xe2\x80\xae"
                         "b\x1b[2Jc\rd\xff");
    message.user = "b\xe2\x81\xa7"
                   "b";
    laid_out(&message, 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "from al<U+202E>ice to b<U+2067>b on"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "Title: t<U+2066>t\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| a<U+202E>b\\x1B[2Jc\\x0Dd\\xFF\r\n"));
}

static void rows_end_at_their_limit(void)
{
    char text[64] = "";

    /* header and confirmation leave 18 */
    for (unsigned i = 1; i <= 18; i++)
        snprintf(text + strlen(text), 4, "%c\n", 'a' + (int)i);
    text_laid_out(text, 80);
    CU_ASSERT_EQUAL(rows(), LIM_TERMINAL_LINES);
    CU_ASSERT_PTR_NULL(strstr(out, "more"));
    strcat(text, "last");
    text_laid_out(text, 80);
    CU_ASSERT_EQUAL(rows(), LIM_TERMINAL_LINES);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\r\n| r\r\n[2 more lines: msg /list 7]\r\nTo confirm"));
}

static void bytes_end_at_their_limit(void)
{
    static char text[LIM_TEXT];
    struct layout_message message = plain;

    for (size_t i = 0; i + 4 <= sizeof(text); i += 4)
        memcpy(text + i, "\xf0\x9f\x98\x80", 4);
    message.text = (struct slice){text, sizeof(text)};
    message.wait = false;
    laid_out(&message, 200); /* 8,192 faces, 98 a row of 392 bytes: 10 rows of 4,000 bytes */
    CU_ASSERT(rows() < LIM_TERMINAL_LINES);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "[75 more lines: msg /list 7]\r\n"));
    message.number = 0;
    laid_out(&message, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "[75 more lines]\r\n"));
    memset(text, '\t', sizeof(text)); /* grows when it is expanded */
    laid_out(&message, 200);
    memset(text, '\n', sizeof(text));
    laid_out(&message, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "| \r\n[32750 more lines]\r\n"));
}

static void a_row_of_marks_alone_ends(void)
{
    static char text[LIM_TEXT];

    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xcc\x88", 2);
    text_laid_out(text, 80);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "[30 more lines: msg /list 7]"));
}

static void a_long_sender_is_cut(void)
{
    struct layout_message message = plain;
    char sender[PRESENT_SENDER];

    memset(sender, 's', sizeof(sender));
    message.sender = (struct slice){sender, sizeof(sender)};
    laid_out(&message, 40);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\r\n  ssss"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "s\r\n  ...\r\n| The server"));
    CU_ASSERT_EQUAL(rows(), 4 + 1 + 1);
}

static void the_end_leaves_a_line(void)
{
    size_t len = layout_end(WITHDRAW_SENDER, 7, out);

    CU_ASSERT_EQUAL(len, strlen("\r\n[7] withdrawn\r\n"));
    CU_ASSERT_EQUAL(memcmp(out, "\r\n[7] withdrawn\r\n", len), 0);
    len = layout_end(WITHDRAW_STOP, 7, out);
    CU_ASSERT_EQUAL(memcmp(out, "\r\n[7] withdrawn\r\n", len), 0);
    len = layout_end(WITHDRAW_ANSWERED, 4294967295, out);
    CU_ASSERT_EQUAL(len, strlen("\r\n[4294967295] answered elsewhere\r\n"));
    CU_ASSERT_EQUAL(memcmp(out, "\r\n[4294967295] answered elsewhere\r\n", len), 0);
    CU_ASSERT_EQUAL(layout_end(WITHDRAW_SILENT, 7, out), 0);
    CU_ASSERT_EQUAL(layout_end(WITHDRAW_SENDER, 0, out), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(the_page_is_as_designed),
        UNIT_TEST(no_byte_is_a_control_of_eight_bits),
        UNIT_TEST(only_what_waits_asks_for_an_answer),
        UNIT_TEST(each_line_of_text_has_its_prefix),
        UNIT_TEST(answers_stand_with_their_digits),
        UNIT_TEST(eight_answers_leave_room_for_text),
        UNIT_TEST(words_wrap_at_the_columns),
        UNIT_TEST(symbols_wrap_as_if_they_were_wide),
        UNIT_TEST(tabs_become_blanks),
        UNIT_TEST(extreme_columns_are_bounded),
        UNIT_TEST(direction_is_shown_and_controls_are_escaped),
        UNIT_TEST(rows_end_at_their_limit),
        UNIT_TEST(bytes_end_at_their_limit),
        UNIT_TEST(a_row_of_marks_alone_ends),
        UNIT_TEST(a_long_sender_is_cut),
        UNIT_TEST(the_end_leaves_a_line),
        UNIT_END,
    };

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 2;
    return unit_run("present_layout", tests);
}
