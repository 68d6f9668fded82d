/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/popup_message.h"
#include "daemon/popup_view.h"
#include "tests/unit/unit.h"

static char *screen; /* rows ended by LF, what steers the terminal taken out */
static struct view *view;

static const struct popup_message plain = {
    .texts.sender = {"alice (network, 192.0.2.5)", 26},
    .texts.body = {"The server goes down at 18:00.", 30},
    .host = "h2",
    .time = "14:05",
    .number = 7,
};

static void show(const struct popup_message *message)
{
    view_free(view);
    view = view_new(message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(view);
}

static void erase(char *text, const char *what)
{
    for (char *at; (at = strstr(text, what)) != NULL;)
        memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

/* Draws it; how many rows there are. */
static unsigned drawn(bool counting)
{
    size_t len;
    unsigned rows = 1;
    free(screen);
    FILE *out = open_memstream(&screen, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    view_draw(view, counting, out);
    fclose(out);
    CU_ASSERT_TRUE(strncmp(screen, "\033[?25l\033[H", 9) == 0);
    erase(screen, "\033[?25l\033[H");
    erase(screen, "\033[K");
    erase(screen, "\033[J");
    erase(screen, "\r");
    CU_ASSERT_PTR_NULL(strchr(screen, '\033'));
    for (const char *at = screen; (at = strchr(at, '\n')) != NULL; at++)
        rows++;
    return rows;
}

static void the_page_is_as_designed(void)
{
    show(&plain);
    CU_ASSERT_TRUE(view_resize(view, 100, 24));
    drawn(true);
    CU_ASSERT_STRING_EQUAL(screen,
                           "Message from alice (network, 192.0.2.5) on h2, 14:05\n"
                           "| The server goes down at 18:00.\n"
                           "Press o to confirm reading it, Escape to dismiss it; elsewhere: "
                           "msg /ack 7");
    drawn(false);
    CU_ASSERT_PTR_NULL(strstr(screen, "Press"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(screen, "18:00.\nKeys count once none was pressed for a second."));
}

static void answers_have_their_digits(void)
{
    struct popup_message message = plain;
    message.texts.title = SLICE("Reboot");
    message.texts.answers = SLICE("Yes\nNot now\n");
    show(&message);
    CU_ASSERT_TRUE(view_resize(view, 100, 24));
    CU_ASSERT_EQUAL(drawn(true), 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "14:05\n| Title: Reboot\n| The server"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "18:00.\n| 1 Yes\n| 2 Not now\nPress the digit"));
    CU_ASSERT_PTR_NULL(strstr(screen, "Press o"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "msg /ack 7 1"));
}

static char *lines_of_text(unsigned count)
{
    static char text[LIM_TEXT];
    size_t used = 0;
    for (unsigned i = 1; i <= count; i++)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%sline %u", i > 1 ? "\n" : "", i);
    return text;
}

static void what_fits_is_not_counted(void)
{
    struct popup_message message = plain;
    message.texts.body = slice_of(lines_of_text(8));
    show(&message);
    CU_ASSERT_EQUAL(view_lines_wanted(view, 100), 10);
    CU_ASSERT_TRUE(view_resize(view, 100, 10));
    CU_ASSERT_EQUAL(drawn(true), 10);
    CU_ASSERT_PTR_NULL(strstr(screen, "[rows"));
    CU_ASSERT_TRUE(view_resize(view, 100, 9));
    CU_ASSERT_EQUAL(drawn(true), 9);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(screen, "| line 6\n[rows 1 to 6 of 8: arrows, PgUp, PgDn]\nPress"));
}

static void a_long_text_is_scrolled_within_its_ends(void)
{
    struct popup_message message = plain;
    message.texts.body = slice_of(lines_of_text(3000));
    show(&message);
    CU_ASSERT_EQUAL(view_lines_wanted(view, 100), VIEW_LINES_MAX);
    CU_ASSERT_TRUE(view_resize(view, 100, 23)); /* 20 rows of text */
    CU_ASSERT_EQUAL(drawn(true), 23);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 1 to 20 of 3000:"));
    view_scroll(view, 1, 1);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "14:05\n| line 22\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 22 to 41 of 3000:"));
    view_scroll_to(view, true);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "| line 3000\n[rows 2981 to 3000 of 3000:"));
    view_scroll(view, 1, 0);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 2981 to 3000 of 3000:"));
    view_scroll(view, INT64_MAX, INT64_MAX);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 2981 to 3000 of 3000:"));
    view_scroll(view, -1, 0);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 2980 to 2999 of 3000:"));
    view_scroll(view, INT64_MIN, INT64_MIN);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 1 to 20 of 3000:"));
    view_scroll(view, -1, 0);
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "[rows 1 to 20 of 3000:"));
    CU_ASSERT_TRUE(view_resize(view, 100, VIEW_LINES_MAX + 1));
    CU_ASSERT_EQUAL(drawn(true), VIEW_LINES_MAX);
}

static void a_new_size_keeps_the_window_within_the_text(void)
{
    struct popup_message message = plain;
    message.texts.body = slice_of(lines_of_text(100));
    show(&message);
    view_resize(view, 100, 10);
    view_scroll_to(view, true);
    CU_ASSERT_TRUE(view_resize(view, 100, 50));
    CU_ASSERT_EQUAL(drawn(true), 50);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "to 100 of 100:"));
    CU_ASSERT_TRUE(view_resize(view, 100, 200));
    CU_ASSERT_EQUAL(drawn(true), 102);
}

static void a_small_screen_loses_the_head_first(void)
{
    struct popup_message message = plain;
    message.texts.title = SLICE("a title that takes some rows of its own");
    message.texts.answers = SLICE("Yes\nNo\n");
    message.texts.body = slice_of(lines_of_text(20));
    show(&message);
    CU_ASSERT_TRUE(view_resize(view, 40, 9));
    CU_ASSERT_EQUAL(drawn(true), 9);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "Message from alice"));
    CU_ASSERT_PTR_NULL(strstr(screen, "Title"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "| line 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "| 2 No\n"));
    CU_ASSERT_TRUE(view_resize(view, 40, 7));
    CU_ASSERT_FALSE(view_resize(view, 40, 6));
    CU_ASSERT_FALSE(view_resize(view, VIEW_COLUMNS_MIN - 1, 50));
    CU_ASSERT_TRUE(view_resize(view, VIEW_COLUMNS_MIN, 50));
    CU_ASSERT_FALSE(view_resize(view, 0, 0));
    CU_ASSERT_TRUE(view_resize(view, 65535, 65535));
}

static void no_row_is_wider_than_the_screen(void)
{
    struct popup_message message = plain;
    message.texts.body =
        SLICE("\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\nx\ty");
    show(&message);
    CU_ASSERT_TRUE(view_resize(view, 16, 24));
    drawn(true);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        screen,
        "\n| \u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\n| \u597d\u4f60\u597d\n| x       y\n"));
}

static void text_imitates_nothing_of_ours(void)
{
    struct popup_message message = plain;
    message.texts.sender = SLICE("eve\nMessage from root");
    message.texts.body = SLICE("a\nPress o\n\033[2J\u202edesrever");
    show(&message);
    CU_ASSERT_TRUE(view_resize(view, 100, 24));
    drawn(false);
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "Message from eve\\x0AMessage from root on h2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(screen, "\n| Press o\n| \\x1B[2J<U+202E>desrever\n"));
}

/* ---- the buffer ------------------------------------------------------------------------------ */

static char bytes[LIM_DATAGRAM];

static size_t written(uint64_t life_ms)
{
    static const char text[] = "aliceTitleYes\nNo\nbody";
    struct popup_message message = {
        .texts = {{text, 5}, {text + 5, 5}, {text + 17, 4}, {text + 10, 7}},
        .life_ms = life_ms,
        .sent_at_ms = 77,
        .number = 9,
        .wait = true,
    };
    ssize_t len = message_write(&message, bytes);
    CU_ASSERT_FATAL(len > 0);
    return (size_t)len;
}

static void a_buffer_says_what_was_written(void)
{
    struct popup_message message;
    size_t len = written(1000);
    CU_ASSERT_EQUAL_FATAL(message_read((struct slice){bytes, len}, &message), 0);
    CU_ASSERT_TRUE(slice_eq(message.texts.sender, SLICE("alice")));
    CU_ASSERT_TRUE(slice_eq(message.texts.title, SLICE("Title")));
    CU_ASSERT_TRUE(slice_eq(message.texts.answers, SLICE("Yes\nNo\n")));
    CU_ASSERT_TRUE(slice_eq(message.texts.body, SLICE("body")));
    CU_ASSERT_EQUAL(message.number, 9);
    CU_ASSERT_EQUAL(message.sent_at_ms, 77);
    CU_ASSERT_TRUE(message.wait);
}

static void a_buffer_of_others_is_refused(void)
{
    struct popup_message message;
    size_t len = written(1000);
    CU_ASSERT_EQUAL(message_read((struct slice){bytes, len - 1}, &message), -EBADMSG);
    CU_ASSERT_EQUAL(message_read((struct slice){bytes, 0}, &message), -EBADMSG);
    bytes[len - 1] = '\033';
    CU_ASSERT_EQUAL(message_read((struct slice){bytes, len}, &message), -EBADMSG);
    len = written(1000);
    bytes[0] = BOUNDARY_POPUP;
    CU_ASSERT_EQUAL(message_read((struct slice){bytes, len}, &message), -EBADMSG);
    len = written(0);
    CU_ASSERT_EQUAL(message_read((struct slice){bytes, len}, &message), -EBADMSG);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(the_page_is_as_designed),
        UNIT_TEST(answers_have_their_digits),
        UNIT_TEST(what_fits_is_not_counted),
        UNIT_TEST(a_long_text_is_scrolled_within_its_ends),
        UNIT_TEST(a_new_size_keeps_the_window_within_the_text),
        UNIT_TEST(a_small_screen_loses_the_head_first),
        UNIT_TEST(no_row_is_wider_than_the_screen),
        UNIT_TEST(text_imitates_nothing_of_ours),
        UNIT_TEST(a_buffer_says_what_was_written),
        UNIT_TEST(a_buffer_of_others_is_refused),
        UNIT_END,
    };
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 77;
    int status = unit_run("popup_view", tests);
    view_free(view);
    free(screen);
    return status;
}
