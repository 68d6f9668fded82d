/* SPDX-License-Identifier: MIT */
/* The text of a message: what is converted, what is dropped, and each refusal with its place. */
#include "client/input.h"
#include "client/message.h"
#include "protocol/limits.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct message_error error;

static void gives(struct slice raw, enum message_kind kind, const char *charset, const char *wanted)
{
    char *text = NULL;
    size_t len = 0;

    CU_ASSERT_EQUAL(message_clean(raw, kind, charset, &text, &len, &error), 0);
    CU_ASSERT_EQUAL(len, strlen(wanted));
    CU_ASSERT_TRUE(text && len == strlen(wanted) && memcmp(text, wanted, len) == 0);
    free(text);
}

static void refused(struct slice raw, enum message_kind kind, const char *charset, const char *why)
{
    char *text = NULL;
    size_t len = 0;

    CU_ASSERT_EQUAL(message_clean(raw, kind, charset, &text, &len, &error), -EINVAL);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_STRING_EQUAL(error.text, why);
}

static void test_newlines(void)
{
    gives(SLICE("a\r\nb\rc\n\n"), MESSAGE_STREAM, "UTF-8", "a\nb\nc\n");
    gives(SLICE("a\r\n"), MESSAGE_STREAM, "UTF-8", "a");
    gives(SLICE("a\n"), MESSAGE_WORDS, "UTF-8", "a\n");
    gives(SLICE("\ta"), MESSAGE_STREAM, "UTF-8", "\ta");
}

static void test_charsets(void)
{
    gives(SLICE("\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F"), MESSAGE_STREAM, "ISO-8859-1", "gr\u00fc\u00df");
    gives(SLICE("gr\xFC\xDF"), MESSAGE_WORDS, "ISO-8859-1", "gr\u00fc\u00df");
    gives(SLICE("gr\xC3\xBC"), MESSAGE_WORDS, "ANSI_X3.4-1968", "gr\u00fc");
    gives(SLICE("gr\xC3\xBC"), MESSAGE_WORDS, "utf-8", "gr\u00fc");
    gives(SLICE("\xFF\xFE"
                "a\0\xFC\0\r\0\n\0b\0"),
          MESSAGE_STREAM, "UTF-8", "a\u00fc\nb");
    gives(SLICE("\xFE\xFF\0a\0\xFC"), MESSAGE_STREAM, "ISO-8859-1", "a\u00fc");
    gives(SLICE("\xA4"), MESSAGE_WORDS, "ISO-8859-15", "\u20ac");
}

static void test_places(void)
{
    refused(SLICE("a\nb\n\u00fc23456\x1b[2J"), MESSAGE_STREAM, "UTF-8",
            "message line 3, column 7: control character ESC");
    refused(SLICE("a\xFF"), MESSAGE_WORDS, "UTF-8",
            "message line 1, column 2: byte 0xFF, which is not UTF-8");
    refused(SLICE("a\n\xFF"), MESSAGE_WORDS, "EUC-JP",
            "message line 2, column 1: a byte that is not EUC-JP");
    refused(SLICE("\xFF\xFE"
                  "a\0\0\xDC"),
            MESSAGE_STREAM, "UTF-8", "message line 1, column 2: a byte that is not UTF-16");
    refused(SLICE("a"), MESSAGE_WORDS, "KLINGON",
            "message: the charset KLINGON cannot be converted");
    refused(SLICE("a\0b"), MESSAGE_STREAM, "UTF-8",
            "message line 1, column 2: control character NUL");
}

static void test_empty(void)
{
    refused(SLICE(""), MESSAGE_WORDS, "UTF-8", "the message is empty");
    refused((struct slice){NULL, 0}, MESSAGE_STREAM, "ISO-8859-1", "the message is empty");
    refused(SLICE("\n"), MESSAGE_STREAM, "UTF-8", "the message is empty");
    refused(SLICE("\xEF\xBB\xBF"), MESSAGE_STREAM, "UTF-8", "the message is empty");
    refused(SLICE(" \t\n\n"), MESSAGE_STREAM, "UTF-8", "the message is nothing but white space");
}

static void test_limits(void)
{
    static char big[MESSAGE_RAW_MAX + 2];
    struct slice raw = {big, LIM_TEXT};
    char *text = NULL;
    size_t len = 0;

    memset(big, 'x', sizeof(big));
    CU_ASSERT_EQUAL(message_clean(raw, MESSAGE_WORDS, "UTF-8", &text, &len, &error), 0);
    CU_ASSERT_EQUAL(len, LIM_TEXT);
    free(text);
    raw.len = LIM_TEXT + 1;
    refused(raw, MESSAGE_WORDS, "UTF-8", "the message has 32769 bytes; at most 32768 can be sent");
    big[LIM_TEXT] = '\n'; /* the newline that is dropped does not count */
    CU_ASSERT_EQUAL(message_clean(raw, MESSAGE_STREAM, "UTF-8", &text, &len, &error), 0);
    free(text);
    raw.len = MESSAGE_RAW_MAX + 1;
    refused(raw, MESSAGE_WORDS, "UTF-8",
            "the message is too long; at most 32768 bytes can be sent");
}

static void test_titles_and_answers(void)
{
    static char big[LIM_TITLE + 1];

    memset(big, 'x', sizeof(big));
    gives(SLICE("Maintenance"), MESSAGE_TITLE, "UTF-8", "Maintenance");
    refused(SLICE("a\nb"), MESSAGE_TITLE, "UTF-8", "title line 1, column 2: control character LF");
    refused((struct slice){big, sizeof(big)}, MESSAGE_TITLE, "UTF-8",
            "the title has 257 bytes; at most 256 can be sent");
    refused((struct slice){big, LIM_ANSWER + 1}, MESSAGE_ANSWER, "UTF-8",
            "the answer has 65 bytes; at most 64 can be sent");
    refused(SLICE(" "), MESSAGE_TITLE, "UTF-8", "the title is nothing but white space");
}

static void test_join(void)
{
    static const char *const WORDS[] = {"a ", "", "b"};
    char *joined = message_join(WORDS, 3);

    CU_ASSERT_STRING_EQUAL(joined, "a   b");
    free(joined);
    joined = message_join(WORDS, 0);
    CU_ASSERT_STRING_EQUAL(joined, "");
    free(joined);
}

/* What input_read makes of bytes in a pipe; the length, or what it said. */
static ssize_t from_pipe(const char *bytes, size_t limit, enum input_end end, char *out)
{
    int fds[2];
    char *read_bytes = NULL;
    size_t len = 0;

    if (pipe(fds) < 0 || write(fds[1], bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
        return -1000;
    close(fds[1]);
    int r = input_read(fds[0], limit, end, &read_bytes, &len);
    close(fds[0]);
    if (r == 0)
        strcpy(out, read_bytes);
    free(read_bytes);
    return r < 0 ? r : (ssize_t)len;
}

static void test_input(void)
{
    char out[64];

    CU_ASSERT_EQUAL(from_pipe("abc", 3, INPUT_TO_END, out), 3);
    CU_ASSERT_STRING_EQUAL(out, "abc");
    CU_ASSERT_EQUAL(from_pipe("abcd", 3, INPUT_TO_END, out), -EFBIG);
    CU_ASSERT_EQUAL(from_pipe("", 3, INPUT_TO_END, out), 0);
    CU_ASSERT_EQUAL(from_pipe("a\n.\n", 9, INPUT_TO_END, out), 4);
    CU_ASSERT_EQUAL(from_pipe("a\n.\n", 9, INPUT_TO_DOT, out), 2);
    CU_ASSERT_STRING_EQUAL(out, "a\n");
    CU_ASSERT_EQUAL(from_pipe(".\n", 9, INPUT_TO_DOT, out), 0);
    CU_ASSERT_EQUAL(from_pipe("a.\n", 9, INPUT_TO_DOT, out), 3);
    CU_ASSERT_EQUAL(from_pipe("a\n.", 9, INPUT_TO_DOT, out), 3);
}

static void test_input_files(void)
{
    char *bytes = NULL;
    size_t len = 0;

    CU_ASSERT_EQUAL(input_read_file("/nonexistent/file", 9, &bytes, &len), -ENOENT);
    CU_ASSERT_EQUAL(input_read_file("/", 9, &bytes, &len), -EISDIR);
    CU_ASSERT_EQUAL(input_read_file("/dev/zero", 9, &bytes, &len), -EFBIG);
    CU_ASSERT_EQUAL(input_read_file("/dev/null", 9, &bytes, &len), 0);
    CU_ASSERT_EQUAL(len, 0);
    free(bytes);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_newlines),    UNIT_TEST(test_charsets),
        UNIT_TEST(test_places),      UNIT_TEST(test_empty),
        UNIT_TEST(test_limits),      UNIT_TEST(test_titles_and_answers),
        UNIT_TEST(test_join),        UNIT_TEST(test_input),
        UNIT_TEST(test_input_files), UNIT_END,
    };

    return unit_run("message", tests);
}
