/* SPDX-License-Identifier: MIT */
/* Targets to selectors: the words, the file and each of its refusals and limits. */
#include "client/targets.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

static struct targets targets;
static struct targets_fault fault;

static int read_file(const char *bytes, size_t len)
{
    char *exact = malloc(len + !len);
    int r;

    memcpy(exact, bytes, len);
    targets_release(&targets);
    r = targets_from_file((struct slice){exact, len}, &targets, &fault);
    free(exact); /* nothing is borrowed from the file */
    return r;
}
#define FILE_IS(literal) read_file(literal, sizeof(literal) - 1)

/* One selector as text, to be compared at sight. */
static const char *show(size_t i)
{
    static char shown[100];
    const struct msg_selector *s = &targets.items[i];
    const struct {
        const char *kind;
        struct slice value;
    } parts[] = {{"user", s->user}, {"session", s->session}, {"id", s->id}, {"name", s->name}};

    snprintf(shown, sizeof(shown), "%s", s->all ? "all" : "");
    for (size_t k = 0; k < 4; k++) {
        size_t len = strlen(shown);
        if (parts[k].value.ptr)
            snprintf(shown + len, sizeof(shown) - len, "%s=%.*s", parts[k].kind,
                     (int)parts[k].value.len, parts[k].value.ptr);
    }
    return shown;
}

static void word_is(const char *word, const char *selector)
{
    CU_ASSERT_EQUAL(targets_from_word(word, &targets, &fault), 0);
    CU_ASSERT_EQUAL(targets.n, 1);
    CU_ASSERT_STRING_EQUAL(show(0), selector);
    targets_release(&targets);
}

static void word_refused(const char *word, const char *why)
{
    CU_ASSERT_EQUAL(targets_from_word(word, &targets, &fault), -EINVAL);
    CU_ASSERT_EQUAL(fault.line, 0);
    CU_ASSERT_STRING_EQUAL(fault.what, why);
}

static void refused_at(size_t line, const char *why)
{
    CU_ASSERT_EQUAL(fault.line, line);
    CU_ASSERT_STRING_EQUAL(fault.what, why);
}

static void test_words(void)
{
    word_is("bob", "name=bob");
    word_is("*", "all");
    word_is("7", "name=7");
    word_is("user:bob", "user=bob");
    word_is("session:pts/3", "session=pts/3");
    word_is("id:c7", "id=c7");
    word_is(":0", "name=:0");
    word_is("USER:bob", "name=USER:bob");
    word_is("user:*", "user=*");
    word_is("user:user:x", "user=user:x");
    word_is("with blank", "name=with blank");
}

static void test_refused_words(void)
{
    char word[80];

    word_refused("user:", "a name is missing");
    word_refused("a\x1b[2J", "not a name: control character ESC");
    word_refused("a\xff", "not a name: byte 0xFF, which is not UTF-8");
    word_refused("session:  ", "not a name: nothing but white space");
    memset(word, 'x', sizeof(word));
    word[64] = '\0';
    CU_ASSERT_EQUAL(targets_from_word(word, &targets, &fault), 0);
    targets_release(&targets);
    word[64] = 'x';
    word[65] = '\0';
    word_refused(word, "a name has at most 64 bytes");
}

static void test_file(void)
{
    CU_ASSERT_EQUAL(FILE_IS("\xEF\xBB\xBF# the operators\r\n"
                            "bob  user:alice\tpts/3\r\n"
                            "\n"
                            "\"John Smith\" user:\"a b\" bob\n"
                            "  #7 * bob#2"),
                    0);
    CU_ASSERT_EQUAL(targets.n, 8);
    CU_ASSERT_STRING_EQUAL(show(0), "name=bob");
    CU_ASSERT_STRING_EQUAL(show(1), "user=alice");
    CU_ASSERT_STRING_EQUAL(show(2), "name=pts/3");
    CU_ASSERT_STRING_EQUAL(show(3), "name=John Smith");
    CU_ASSERT_STRING_EQUAL(show(4), "user=a b");
    CU_ASSERT_STRING_EQUAL(show(5), "name=#7");
    CU_ASSERT_STRING_EQUAL(show(6), "all");
    CU_ASSERT_STRING_EQUAL(show(7), "name=bob#2");
}

static void test_duplicates_keep_the_first_place(void)
{
    CU_ASSERT_EQUAL(FILE_IS("b a b user:b a * *\nsession:b\n"), 0);
    CU_ASSERT_EQUAL(targets.n, 5);
    CU_ASSERT_STRING_EQUAL(show(0), "name=b");
    CU_ASSERT_STRING_EQUAL(show(1), "name=a");
    CU_ASSERT_STRING_EQUAL(show(2), "user=b");
    CU_ASSERT_STRING_EQUAL(show(4), "session=b");
}

static void test_refused_files(void)
{
    CU_ASSERT_EQUAL(FILE_IS(""), -EINVAL);
    refused_at(0, "no target in it");
    CU_ASSERT_EQUAL(FILE_IS("# only\n \t\r\n#this"), -EINVAL);
    refused_at(0, "no target in it");
    CU_ASSERT_EQUAL(FILE_IS("a\nb @other\n"), -EINVAL);
    refused_at(2, "target files do not nest");
    CU_ASSERT_EQUAL(FILE_IS("\"@other\""), 0);
    CU_ASSERT_EQUAL(FILE_IS("a\n\n\"b c\nd\" e"), -EINVAL);
    refused_at(3, "a double quote is not closed");
    CU_ASSERT_EQUAL(FILE_IS("a \"\""), -EINVAL);
    refused_at(1, "a name is missing");
    CU_ASSERT_EQUAL(read_file("a\0b", 3), -EINVAL);
    refused_at(1, "not a name: control character NUL");
    CU_ASSERT_EQUAL(FILE_IS("a\rb"), -EINVAL);
    refused_at(1, "not a name: control character CR");
    CU_ASSERT_EQUAL(FILE_IS("a\n\xC3"), -EINVAL);
    refused_at(2, "not a name: byte 0xC3, which is not UTF-8");
    CU_ASSERT_EQUAL(FILE_IS("\xFF\xFE\x61"), -EINVAL);
    refused_at(1, "not a name: byte 0xFF, which is not UTF-8");
}

/* n entries, all different or all the same. */
static char *entries(size_t n, bool different, size_t *ret_len)
{
    char *file = malloc(n * 8 + 1), *end = file;

    for (size_t i = 0; i < n; i++)
        end += sprintf(end, "u%zu\n", different ? i : 0);
    *ret_len = (size_t)(end - file);
    return file;
}

static void test_number_of_targets(void)
{
    for (size_t n = LIM_TARGETS - 1; n <= LIM_TARGETS + 1; n++) {
        for (int different = 0; different <= 1; different++) {
            size_t len = 0;
            char *file = entries(n, different, &len);
            CU_ASSERT_EQUAL(read_file(file, len), n <= LIM_TARGETS ? 0 : -EINVAL);
            CU_ASSERT_TRUE(n > LIM_TARGETS || targets.n == (different ? n : 1));
            free(file);
        }
    }
    refused_at(LIM_TARGETS + 1, "more than 4096 targets");
}

static void test_size_of_file(void)
{
    for (size_t len = LIM_TARGET_FILE - 1; len <= LIM_TARGET_FILE + 1; len++) {
        char *file = malloc(len);
        memset(file, ' ', len);
        file[len - 1] = 'x';
        CU_ASSERT_EQUAL(read_file(file, len), len <= LIM_TARGET_FILE ? 0 : -EINVAL);
        free(file);
    }
    refused_at(0, "a target file has at most 65536 bytes");
}

/* How many requests the targets take; each is what a server reads, with the longest text. */
static size_t requests(void)
{
    static char text[LIM_TEXT], uid[16];
    static uint8_t frame[LIM_PLAINTEXT];
    struct msg msg = {.type = MSG_SEND, .id = UINT32_MAX};
    size_t n = 0;

    memset(text, 'x', sizeof(text));
    msg.u.send = (struct msg_send){.uid = {uid, 16},
                                   .text = {text, LIM_TEXT},
                                   .title = {text, LIM_TITLE},
                                   .wait = true,
                                   .each = true,
                                   .time_ms = LIM_MAX_TIME,
                                   .lost_ms = UINT32_MAX};
    for (size_t from = 0; from < targets.n; n++) {
        struct msg_selector_list list = targets_request(&targets, from);
        CU_ASSERT_FATAL(list.n > 0 && list.n <= LIM_SELECTORS);
        CU_ASSERT_PTR_EQUAL(list.items, targets.items + from);
        msg.u.send.to = list;
        CU_ASSERT_TRUE(msg_encode(&msg, frame, sizeof(frame)) > 0);
        from += list.n;
    }
    return n;
}

static void test_requests(void)
{
    static const size_t SIZES[][2] = {{1, 1}, {511, 1}, {512, 1}, {513, 2}, {1024, 2}, {1025, 3}};

    for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
        size_t len = 0;
        char *file = entries(SIZES[i][0], true, &len);
        CU_ASSERT_EQUAL(read_file(file, len), 0);
        CU_ASSERT_EQUAL(requests(), SIZES[i][1]);
        free(file);
    }
    CU_ASSERT_EQUAL(targets_request(&targets, targets.n).n, 0);
    targets_release(&targets);
}

static void test_requests_of_long_names(void)
{
    size_t n = LIM_TARGET_FILE / 74, len = 0;
    char *file = malloc(LIM_TARGET_FILE);

    for (size_t i = 0; i < n; i++) /* names of 64 bytes */
        len += (size_t)sprintf(file + len, "session:%064zu\n", i);
    CU_ASSERT_EQUAL(read_file(file, len), 0);
    CU_ASSERT_EQUAL(targets.n, n);
    CU_ASSERT_EQUAL(requests(), 3);
    targets_release(&targets);
    free(file);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_words),
        UNIT_TEST(test_refused_words),
        UNIT_TEST(test_file),
        UNIT_TEST(test_duplicates_keep_the_first_place),
        UNIT_TEST(test_refused_files),
        UNIT_TEST(test_number_of_targets),
        UNIT_TEST(test_size_of_file),
        UNIT_TEST(test_requests),
        UNIT_TEST(test_requests_of_long_names),
        UNIT_END,
    };

    return unit_run("targets", tests);
}
