/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include "protocol/limits.h"
#include "protocol/utf8.h"
#include "tests/unit/unit.h"

#include <errno.h>

static void check_fault(struct slice text, size_t line, size_t column, const char *what)
{
    struct text_fault fault = {.line = 99};
    CU_ASSERT_EQUAL(text_check(text, &fault), -EBADMSG);
    CU_ASSERT_EQUAL(fault.line, line);
    CU_ASSERT_EQUAL(fault.column, column);
    CU_ASSERT_STRING_EQUAL(fault.what, what);
    CU_ASSERT_EQUAL(text_check(text, NULL), -EBADMSG);
}

static void test_utf8(void)
{
    static const struct slice good[] = {
        SLICE(""),
        SLICE("a"),
        SLICE("\x7F"),
        SLICE("\xC2\x80"),
        SLICE("\xDF\xBF"),
        SLICE("\xE0\xA0\x80"),
        SLICE("\xED\x9F\xBF"),
        SLICE("\xEE\x80\x80"),
        SLICE("\xEF\xBF\xBF"),
        SLICE("\xF0\x90\x80\x80"),
        SLICE("\xF4\x8F\xBF\xBF"),
        SLICE("\0"),
    };
    static const struct slice bad[] = {
        SLICE("\x80"),
        SLICE("\xBF"),
        SLICE("\xC0\x80"),
        SLICE("\xC1\xBF"),
        SLICE("\xC2"),
        SLICE("\xC2\x41"),
        SLICE("\xE0\x9F\xBF"),
        SLICE("\xE2\x82"),
        SLICE("\xED\xA0\x80"),
        SLICE("\xED\xBF\xBF"),
        SLICE("\xF0\x8F\xBF\xBF"),
        SLICE("\xF4\x90\x80\x80"),
        SLICE("\xF8\x88\x80\x80\x80"),
        SLICE("\xFF"),
        SLICE("a\xFE"),
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_TRUE(utf8_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(utf8_valid(bad[i]));
}

static void test_utf8_next(void)
{
    uint32_t code = 7;
    CU_ASSERT_EQUAL(utf8_next(SLICE("\xE2\x82\xAC!"), &code), 3);
    CU_ASSERT_EQUAL(code, 0x20AC);
    CU_ASSERT_EQUAL(utf8_next(SLICE("\xF0\x9F\x98\x80"), &code), 4);
    CU_ASSERT_EQUAL(code, 0x1F600);
    CU_ASSERT_EQUAL(utf8_next(SLICE("\xE2\x82"), &code), 0);
    CU_ASSERT_EQUAL(utf8_next(SLICE(""), &code), 0);
    CU_ASSERT_EQUAL(code, 0x1F600);
}

static void test_fit(void)
{
    struct text_fault fault = {.line = 99};
    CU_ASSERT_EQUAL(text_check(SLICE("Let's meet\n\tat 1PM \xC3\xBC\xE2\x80\xAE"), &fault), 0);
    CU_ASSERT_EQUAL(text_check(SLICE("~"), NULL), 0);
    CU_ASSERT_EQUAL(text_check(SLICE("\xC2\xA1"), NULL), 0);
    CU_ASSERT_EQUAL(fault.line, 99);
}

static void test_controls(void)
{
    check_fault(SLICE("a\nb\ncd\x1B[2J"), 3, 3, "control character ESC");
    check_fault(SLICE("\xC3\xBC\r\n"), 1, 2, "control character CR");
    check_fault(SLICE("a\0b"), 1, 2, "control character NUL");
    check_fault(SLICE("\x7F"), 1, 1, "control character DEL");
    check_fault(SLICE("\xC2\x80"), 1, 1, "control character U+0080");
    check_fault(SLICE("\xC2\x9F"), 1, 1, "control character U+009F");
    for (unsigned c = 0; c < 0x20; c++) {
        char byte = (char)c, text[2] = {'x', byte};
        CU_ASSERT_EQUAL(text_check((struct slice){text, 2}, NULL),
                        c == '\t' || c == '\n' ? 0 : -EBADMSG);
    }
}

static void test_bytes(void)
{
    check_fault(SLICE("ok\n\xC3("), 2, 1, "byte 0xC3, which is not UTF-8");
    check_fault(SLICE("a\xFF"), 1, 2, "byte 0xFF, which is not UTF-8");
}

static void test_white(void)
{
    check_fault(SLICE(""), 0, 0, "empty");
    check_fault((struct slice){NULL, 0}, 0, 0, "empty");
    check_fault(SLICE(" \t\n"), 0, 0, "nothing but white space");
    check_fault(SLICE("\xC2\xA0\xE2\x80\x8B\xE3\x80\x80\xEF\xBB\xBF"), 0, 0,
                "nothing but white space");
    CU_ASSERT_EQUAL(text_check(SLICE(" \t\n."), NULL), 0);
}

static void test_line(void)
{
    struct text_fault fault;
    CU_ASSERT_EQUAL(text_check_line(SLICE("Title"), &fault), 0);
    CU_ASSERT_EQUAL(text_check_line(SLICE("a\nb"), &fault), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.what, "control character LF");
    CU_ASSERT_EQUAL(text_check_line(SLICE("a\tb"), &fault), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.what, "control character TAB");
}

static void test_name(void)
{
    char name[LIM_NAME + 1];
    memset(name, 'x', sizeof(name));
    CU_ASSERT_TRUE(text_is_name((struct slice){name, LIM_NAME}));
    CU_ASSERT_FALSE(text_is_name((struct slice){name, LIM_NAME + 1}));
    CU_ASSERT_TRUE(text_is_name((struct slice){name, 1}));
    CU_ASSERT_FALSE(text_is_name((struct slice){name, 0}));
    CU_ASSERT_TRUE(text_is_name(SLICE("aA-zZ.0_9@h-2")));
    CU_ASSERT_FALSE(text_is_name(SLICE("a b")));
    CU_ASSERT_FALSE(text_is_name(SLICE("a/b")));
    CU_ASSERT_FALSE(text_is_name(SLICE("a[")));
    CU_ASSERT_FALSE(text_is_name(SLICE("a:")));
    CU_ASSERT_FALSE(text_is_name(SLICE("\xC3\xBC")));
}

static void check_escaped(struct slice in, unsigned flag, const char *expected)
{
    char out[128];
    CU_ASSERT_EQUAL(text_escape(in, flag, out, sizeof(out)), strlen(expected));
    CU_ASSERT_STRING_EQUAL(out, expected);
}

static void test_escape(void)
{
    check_escaped(SLICE("a\xC3\xBC"), TEXT_ONE_LINE, "a\xC3\xBC");
    check_escaped(SLICE("\x1B[0m\x7F\0"), TEXT_ONE_LINE, "\\x1B[0m\\x7F\\x00");
    check_escaped(SLICE("\xFF\xC3("), TEXT_ONE_LINE, "\\xFF\\xC3(");
    check_escaped(SLICE("\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6"), TEXT_ONE_LINE,
                  "<U+009B><U+202E><U+2066>");
    check_escaped(SLICE("a\tb\nc"), TEXT_ONE_LINE, "a\\x09b\\x0Ac");
    check_escaped(SLICE("a\tb\nc\r"), TEXT_KEEP_LINES, "a\tb\nc\\x0D");
    check_escaped(SLICE("\xE2\x80\xA8\xF3\xA0\x81\x81"), TEXT_ONE_LINE, "<U+2028><U+E0041>");
    check_escaped(SLICE("\xEF\xB7\x8F\xEF\xB7\x90\xEF\xB7\xAF\xEF\xB7\xB0"), TEXT_ONE_LINE,
                  "\xEF\xB7\x8F<U+FDD0><U+FDEF>\xEF\xB7\xB0");
    check_escaped(SLICE("\xEF\xBF\xBD\xEF\xBF\xBE\xEF\xBF\xBF\xF4\x8F\xBF\xBE"), TEXT_ONE_LINE,
                  "\xEF\xBF\xBD<U+FFFE><U+FFFF><U+10FFFE>");
    check_escaped(SLICE("\xC3\xA4\xC3\x9F\xE2\x82\xAC\n"), TEXT_KEEP_LINES | TEXT_NO_C1,
                  "\xC3\xA4<U+00DF><U+20AC>\n");
}

static void test_escape_cut(void)
{
    char out[8];
    CU_ASSERT_EQUAL(text_escape(SLICE("1234567"), TEXT_ONE_LINE, out, sizeof(out)), 7);
    CU_ASSERT_STRING_EQUAL(out, "1234567");
    CU_ASSERT_EQUAL(text_escape(SLICE("12345678"), TEXT_ONE_LINE, out, sizeof(out)), 7);
    CU_ASSERT_STRING_EQUAL(out, "1234...");
    CU_ASSERT_EQUAL(text_escape(SLICE("123\xE2\x82\xACzz"), TEXT_ONE_LINE, out, sizeof(out)), 6);
    CU_ASSERT_STRING_EQUAL(out, "123...");
    CU_ASSERT_EQUAL(text_escape(SLICE("\x1B\x1B"), TEXT_ONE_LINE, out, sizeof(out)), 7);
    CU_ASSERT_STRING_EQUAL(out, "\\x1B...");
    CU_ASSERT_EQUAL(text_escape(SLICE("abcd"), TEXT_ONE_LINE, out, 4), 3);
    CU_ASSERT_STRING_EQUAL(out, "...");
}

static void check_normalised(struct slice in, const char *expected)
{
    char text[64];
    memcpy(text, in.ptr, in.len);
    size_t len = text_normalise(text, in.len);
    CU_ASSERT_TRUE(slice_eq((struct slice){text, len}, slice_of(expected)));
}

static void test_normalise(void)
{
    check_normalised(SLICE("a\r\nb\rc\n"), "a\nb\nc\n");
    check_normalised(SLICE("\r\r\n\r"), "\n\n\n");
    check_normalised(SLICE("\xEF\xBB\xBFhi"), "hi");
    check_normalised(SLICE("\xEF\xBB"), "\xEF\xBB");
    check_normalised(SLICE("a\xEF\xBB\xBF"), "a\xEF\xBB\xBF");
    check_normalised(SLICE(""), "");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_utf8),       UNIT_TEST(test_utf8_next), UNIT_TEST(test_fit),
        UNIT_TEST(test_controls),   UNIT_TEST(test_bytes),     UNIT_TEST(test_white),
        UNIT_TEST(test_line),       UNIT_TEST(test_name),      UNIT_TEST(test_escape),
        UNIT_TEST(test_escape_cut), UNIT_TEST(test_normalise), UNIT_END,
    };
    return unit_run("text", tests);
}
