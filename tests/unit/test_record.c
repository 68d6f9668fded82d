/* SPDX-License-Identifier: MIT */
#include "daemon/net_record.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct record record;
static char out[65536];

static void put(enum record_field field, const char *value)
{
    record_put(&record, field, slice_of(value));
}

static bool journal_is(struct slice expected)
{
    return slice_eq((struct slice){out, record_journal(&record, out, sizeof(out))}, expected);
}

static bool line_is(const char *expected)
{
    size_t len = record_line(&record, out, sizeof(out));
    if (len != strlen(out) || strcmp(out, expected) != 0)
        printf("said: %s ", out);
    return len == strlen(out) && strcmp(out, expected) == 0;
}

static void test_both_forms(void)
{
    record_begin(&record);
    put(RECORD_MESSAGE, "to people");
    put(RECORD_REQUEST, "send");
    record_format(&record, RECORD_PRINCIPAL, "unix:%d", 1000);
    put(RECORD_DELIVERY, "bob pts/1 displayed");
    put(RECORD_DELIVERY, "bob :0 failed");
    put(RECORD_KEY, "");
    CU_ASSERT_TRUE(journal_is(SLICE("MESSAGE=to people\nMSG_REQUEST=send\nMSG_PRINCIPAL=unix:1000\n"
                                    "MSG_DELIVERY=bob pts/1 displayed\n"
                                    "MSG_DELIVERY=bob :0 failed\n")));
    CU_ASSERT_TRUE(line_is("request=send principal=unix:1000 delivery=\"bob pts/1 displayed\" "
                           "delivery=\"bob :0 failed\""));
    CU_ASSERT_TRUE(slice_eq(record_get(&record, RECORD_DELIVERY), SLICE("bob pts/1 displayed")));
    CU_ASSERT_EQUAL(record_get(&record, RECORD_KEY).len, 0);
}

/* A line's end in a value begins no field: its length stands before it. */
static void test_no_field_is_smuggled_in(void)
{
    record_begin(&record);
    put(RECORD_TEXT, "a\nMSG_PRINCIPAL=unix:0\n");
    put(RECORD_REQUEST, "send");
    CU_ASSERT_TRUE(journal_is(SLICE("MSG_TEXT\n\x17\0\0\0\0\0\0\0a\nMSG_PRINCIPAL=unix:0\n\n"
                                    "MSG_REQUEST=send\n")));
    CU_ASSERT_TRUE(line_is("request=send text=a\\x0AMSG_PRINCIPAL=unix:0\\x0A"));
    record_begin(&record);
    put(RECORD_NAME, "a\" outcome=\"ok\" \\ \x1B[2J \xE2\x80\xAE \xFF");
    put(RECORD_OUTCOME, "forbidden");
    CU_ASSERT_TRUE(line_is("outcome=forbidden "
                           "name=\"a\\\" outcome=\\\"ok\\\" \\\\ \\x1B[2J <U+202E> \\xFF\""));
    record_begin(&record);
    record_put(&record, RECORD_TEXT, (struct slice){"a\0b", 3});
    CU_ASSERT_TRUE(journal_is((struct slice){"MSG_TEXT=a\0b\n", 13}));
}

static void test_length_of_long_values(void)
{
    char *text = malloc(0x12345);
    memset(text, '\n', 0x12345);
    record_begin(&record);
    record_put(&record, RECORD_TEXT, (struct slice){text, 0x0345});
    size_t len = record_journal(&record, out, sizeof(out));
    CU_ASSERT_EQUAL(len, 9 + 8 + 0x0345 + 1);
    CU_ASSERT_EQUAL(memcmp(out + 9, "\x45\x03\0\0\0\0\0\0", 8), 0);
    CU_ASSERT_EQUAL(record_journal(&record, out, len), len);
    CU_ASSERT_EQUAL(record_journal(&record, out, len - 1), 0);
    record_begin(&record);
    record_put(&record, RECORD_TEXT, (struct slice){text, 0x12345});
    CU_ASSERT_EQUAL(record_journal(&record, out, sizeof(out)), 0);
    free(text);
}

static void test_how_many_fields(void)
{
    record_begin(&record);
    for (int i = 0; i < RECORD_ITEMS; i++)
        put(RECORD_DELIVERY, "x");
    CU_ASSERT_EQUAL(record.left_out, 0);
    put(RECORD_DELIVERY, "x");
    CU_ASSERT_EQUAL(record.left_out, 1);
    CU_ASSERT_EQUAL(record.n, RECORD_ITEMS);
}

static void test_how_many_bytes(void)
{
    char *text = calloc(1, RECORD_BYTES + 1);
    memset(text, 'x', RECORD_BYTES);
    record_begin(&record);
    record_format(&record, RECORD_TEXT, "%s", text);
    CU_ASSERT_EQUAL(record.left_out, 1);
    CU_ASSERT_EQUAL(record.n, 0);
    record_format(&record, RECORD_TEXT, "%s", text + 1); /* with what ends it, exactly */
    CU_ASSERT_EQUAL(record.left_out, 1);
    CU_ASSERT_EQUAL(record_get(&record, RECORD_TEXT).len, RECORD_BYTES - 1);
    record_format(&record, RECORD_NAME, "%s", "y");
    CU_ASSERT_EQUAL(record.left_out, 2);
    free(text);
}

static void test_a_line_is_cut_between_fields(void)
{
    record_begin(&record);
    put(RECORD_REQUEST, "send");
    put(RECORD_OUTCOME, "ok");
    size_t len = record_line(&record, out, sizeof(out));
    CU_ASSERT_EQUAL(len, strlen("request=send outcome=ok"));
    CU_ASSERT_EQUAL(record_line(&record, out, len + sizeof(" cut=yes")), len);
    CU_ASSERT_EQUAL(record_line(&record, out, len + sizeof(" cut=yes") - 1),
                    strlen("request=send cut=yes"));
    CU_ASSERT_STRING_EQUAL(out, "request=send cut=yes");
    char text[1200];
    memset(text, 'x', sizeof(text));
    record_begin(&record);
    record_put(&record, RECORD_TEXT, (struct slice){text, 1024});
    CU_ASSERT_EQUAL(record_line(&record, out, sizeof(out)), 5 + 1024);
    record_begin(&record);
    record_put(&record, RECORD_TEXT, (struct slice){text, 1025});
    CU_ASSERT_EQUAL(record_line(&record, out, sizeof(out)), 5 + 1024 + 3);
    CU_ASSERT_STRING_EQUAL(out + 5 + 1024, "...");
}

static void test_words(void)
{
    char word[64];
    CU_ASSERT_EQUAL(record_word(SLICE("pts/3"), word, sizeof(word)), 5);
    CU_ASSERT_STRING_EQUAL(word, "pts/3");
    record_word(SLICE("a b\"c\\d\x1B"), word, sizeof(word));
    CU_ASSERT_STRING_EQUAL(word, "a\\x20b\\x22c\\x5Cd\\x1B");
    record_word((struct slice){"a\0b", 3}, word, sizeof(word));
    CU_ASSERT_STRING_EQUAL(word, "a\\x00b");
    record_word(SLICE("abcdefghij"), word, 8);
    CU_ASSERT_STRING_EQUAL(word, "abcd...");
}

static void test_kept(void)
{
    char name[] = "alice";
    record_begin(&record);
    put(RECORD_REQUEST, "send");
    record_put(&record, RECORD_NAME, slice_of(name));
    record_format(&record, RECORD_UID, "%s", "7QK3ZP");
    record.left_out = 7;
    struct record_kept *kept = record_keep(&record);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    memset(name, 'x', sizeof(name) - 1);
    memset(&record, 0x55, sizeof(record));
    record_load(kept, &record);
    put(RECORD_OUTCOME, "ok");
    CU_ASSERT_EQUAL(record.left_out, 7);
    CU_ASSERT_TRUE(line_is("request=send outcome=ok name=alice uid=7QK3ZP"));
    free(kept);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_both_forms),
        UNIT_TEST(test_no_field_is_smuggled_in),
        UNIT_TEST(test_length_of_long_values),
        UNIT_TEST(test_how_many_fields),
        UNIT_TEST(test_how_many_bytes),
        UNIT_TEST(test_a_line_is_cut_between_fields),
        UNIT_TEST(test_words),
        UNIT_TEST(test_kept),
        UNIT_END,
    };
    return unit_run("record", tests);
}
