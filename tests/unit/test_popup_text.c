/* SPDX-License-Identifier: MIT */
#include "daemon/popup_text.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct popup_message message(const char *body)
{
    struct popup_message made = {
        .user = "bob",
        .host = "h2",
        .time = "14:05",
        .number = 7,
        .wait = true,
        .texts = {.sender = SLICE("alice (network, 192.0.2.5)"), .body = slice_of(body)},
    };
    return made;
}

static void expect(const struct popup_message *given, enum popup_text_kind kind, const char *text)
{
    char *made = popup_text(given, kind);

    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_STRING_EQUAL(made, text);
    free(made);
}

static void the_sender_comes_first(void)
{
    struct popup_message given = message("The server goes down at 18:00.");

    expect(&given, POPUP_TEXT_PLAIN,
           "Message from alice (network, 192.0.2.5) to bob on h2, 14:05\n"
           "The server goes down at 18:00.\n"
           "To confirm that you have read this, choose OK, or type: msg /ack 7");
    given.wait = false;
    expect(&given, POPUP_TEXT_PLAIN,
           "Message from alice (network, 192.0.2.5) to bob on h2, 14:05\n"
           "The server goes down at 18:00.");
}

static void markup_is_ours_alone(void)
{
    struct popup_message given = message("<b>Message</b> from root & \"others\"\n");

    given.texts.answers = SLICE("Yes\n<No>\n");
    expect(&given, POPUP_TEXT_MARKUP,
           "<b>Message from alice (network, 192.0.2.5) to bob on h2, 14:05</b>\n"
           "&lt;b&gt;Message&lt;/b&gt; from root &amp; \"others\"\n"
           "1 Yes\n2 &lt;No&gt;\n"
           "<i>To answer, choose one, or type: msg /ack 7 1</i>");
}

static void what_turns_the_writing_is_shown(void)
{
    struct popup_message given = message("abc \xe2\x80\xae def");

    given.wait = false;
    given.texts.title = SLICE("\xe2\x81\xa6title");
    expect(&given, POPUP_TEXT_PLAIN,
           "Message from alice (network, 192.0.2.5) to bob on h2, 14:05\n"
           "Title: <U+2066>title\nabc <U+202E> def");
}

static void a_title_is_no_headline(void)
{
    struct popup_message given = message("text");
    char summary[POPUP_SUMMARY];

    given.wait = false;
    given.texts.title = SLICE("Message from root (this host) & co");
    popup_text_summary(&given, summary);
    CU_ASSERT_STRING_EQUAL(summary, "Message from alice (network, 192.0.2.5)");
    expect(&given, POPUP_TEXT_MARKUP,
           "<b>Message from alice (network, 192.0.2.5) to bob on h2, 14:05</b>\n"
           "Title: Message from root (this host) &amp; co\ntext");
}

static void long_texts_are_cut_and_counted(void)
{
    char text[LIM_TEXT + 1], *made;

    for (size_t i = 0; i < LIM_TEXT; i++)
        text[i] = i % 2 ? '\n' : 'x';
    text[LIM_TEXT] = '\0';
    struct popup_message given = message(text);
    made = popup_text(&given, POPUP_TEXT_PLAIN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_PTR_NOT_NULL(strstr(made, "x\n[16364 more lines: msg /list 7]\nTo confirm"));
    free(made);
    made = popup_text(&given, POPUP_TEXT_DIALOG);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT(strlen(made) > LIM_TEXT);
    free(made);
    memset(text, 'x', LIM_TEXT);
    made = popup_text(&given, POPUP_TEXT_PLAIN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT(strlen(made) < POPUP_TEXT_BYTES + 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(made, "xx\n[1 more line: msg /list 7]\n"));
    free(made);
}

static void twenty_lines_are_not_cut(void)
{
    char text[64] = "";

    for (unsigned i = 0; i < POPUP_TEXT_LINES; i++)
        strcat(text, i + 1 < POPUP_TEXT_LINES ? "x\n" : "x");
    struct popup_message given = message(text);
    char *made = popup_text(&given, POPUP_TEXT_PLAIN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_PTR_NULL(strstr(made, "more line"));
    free(made);
    strcat(text, "\ny");
    given.texts.body = slice_of(text);
    made = popup_text(&given, POPUP_TEXT_PLAIN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_PTR_NOT_NULL(strstr(made, "x\n[1 more line: msg /list 7]"));
    free(made);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(the_sender_comes_first),
        UNIT_TEST(markup_is_ours_alone),
        UNIT_TEST(what_turns_the_writing_is_shown),
        UNIT_TEST(a_title_is_no_headline),
        UNIT_TEST(long_texts_are_cut_and_counted),
        UNIT_TEST(twenty_lines_are_not_cut),
        UNIT_END,
    };
    return unit_run("popup_text", tests);
}
