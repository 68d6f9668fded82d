/* SPDX-License-Identifier: MIT */
/* What another host answers to pair, whatever it is. */
#include "client/pair_answer.h"

#include "common/keys.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HEAD  "{\"schema\":1,\"key\":\"" KEY_A "\",\"result\":\"added\",\"user\":"
#define TAIL  ",\"rights\":\"who\",\"host\":\"h2\",\"host_key\":\"" KEY_B "\",\"port\":6743}\n"
#define GOOD  HEAD "\"alice\"" TAIL
#define TEN   "0123456789"

static struct pair_answer answer;

static bool reads(const char *text)
{
    memset(&answer, 0, sizeof(answer));
    return pair_answer_read(slice_of(text), &answer);
}

static void test_what_msgctl_prints(void)
{
    char text[KEY_TEXT_LEN + 1];

    CU_ASSERT_FATAL(reads(GOOD));
    CU_ASSERT_STRING_EQUAL(answer.result, "added");
    CU_ASSERT_STRING_EQUAL(answer.user, "alice");
    CU_ASSERT_EQUAL(answer.port, 6743);
    key_format(&answer.host, text);
    CU_ASSERT_STRING_EQUAL(text, KEY_B);
    key_format(&answer.key, text);
    CU_ASSERT_STRING_EQUAL(text, KEY_A);
}

static void test_amid_what_a_login_says(void)
{
    CU_ASSERT(reads("Welcome!\n{ \"not\": ours }\n\n" GOOD "bye\n"));
    CU_ASSERT(reads("\x1b[2J\xff\n" HEAD "\"alice\",\"rights\":\"\",\"host_key\":\"" KEY_B
                    "\",\"port\":0}\r\n"));
    CU_ASSERT_EQUAL(answer.port, 0);
    CU_ASSERT(reads(HEAD "\"alice\",\"later\":true,\"more\":null,\"n\":17" TAIL));
    CU_ASSERT(reads(HEAD "\"first\"" TAIL HEAD "\"second\"" TAIL));
    CU_ASSERT_STRING_EQUAL(answer.user, "first");
    CU_ASSERT_FALSE(reads("Welcome! " GOOD));
    CU_ASSERT_FALSE(reads(""));
    CU_ASSERT_FALSE(reads("msgctl: authorize takes no --self\n"));
}

static void test_names(void)
{
    CU_ASSERT(reads(HEAD "\"EX\\\\b\\u00f6b \\u20ac\"" TAIL));
    CU_ASSERT_STRING_EQUAL(answer.user, "EX\\b\xc3\xb6"
                                        "b \xe2\x82\xac");
    CU_ASSERT(reads(HEAD "\"" TEN TEN TEN TEN TEN TEN "0123\"" TAIL));        /* 64 */
    CU_ASSERT_FALSE(reads(HEAD "\"" TEN TEN TEN TEN TEN TEN "01234\"" TAIL)); /* 65 */
    CU_ASSERT_FALSE(reads(HEAD "\"\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"a\\u001b[2J\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"a\\nb\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"a\tb\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"\xff\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"\\u0000\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"\\ud83d\\ude00\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"\\u00\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"\\x\"" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "\"alice" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "17" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "[\"alice\"]" TAIL));
    CU_ASSERT_FALSE(reads(HEAD "{\"a\":1}" TAIL));
}

#define PORT(port) HEAD "\"alice\",\"host_key\":\"" KEY_B "\",\"port\":" port "}\n"

static void test_fields(void)
{
    CU_ASSERT(reads(PORT("65535")));
    CU_ASSERT_EQUAL(answer.port, 65535);
    CU_ASSERT_FALSE(reads(PORT("65536")));
    CU_ASSERT_FALSE(reads(PORT("06743")));
    CU_ASSERT_FALSE(reads(PORT("006743")));
    CU_ASSERT_FALSE(reads(PORT("-1")));
    CU_ASSERT_FALSE(reads(PORT("true")));
    CU_ASSERT_FALSE(reads(PORT("\"6743\"")));
    CU_ASSERT_FALSE(reads(PORT("6743,\"port\":6743"))); /* twice */
    CU_ASSERT_FALSE(reads(PORT("6743,\"user\":\"root\"")));
    CU_ASSERT_FALSE(reads(PORT("6743,")));
    CU_ASSERT_FALSE(reads(PORT("6743}{")));
    CU_ASSERT_FALSE(reads(HEAD "\"alice\",\"port\":6743}\n")); /* no host_key */
    CU_ASSERT_FALSE(reads(HEAD "\"alice\",\"port\":6743,\"host_key\":\"" KEY_B "A\"}\n"));
    CU_ASSERT_FALSE(reads(HEAD "\"alice\",\"port\":6743,\"host_key\":\"\"}\n"));
    CU_ASSERT(reads(PORT("1,\"" TEN TEN TEN TEN "\":\"" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
                             TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\"")));
}

/* What lies beyond the bound is not looked at. */
static void test_the_bound(void)
{
    static char text[PAIR_ANSWER + sizeof(GOOD)];
    size_t len = sizeof(GOOD) - 1;

    memset(text, '\n', sizeof(text));
    memcpy(text + PAIR_ANSWER - len, GOOD, len);
    CU_ASSERT(pair_answer_read((struct slice){text, sizeof(text)}, &answer));
    memset(text, '\n', sizeof(text));
    memcpy(text + PAIR_ANSWER - len + 2, GOOD, len);
    CU_ASSERT_FALSE(pair_answer_read((struct slice){text, sizeof(text)}, &answer));
}

static void test_plain_names(void)
{
    static const char *const plain[] = {"alice", "a", "A.b_c-9", "_x"};
    static const char *const others[] = {"",       "-alice", "a b", "a;b",      "$(x)", "a'b",
                                         "alice`", "a/b",    "a@b", "\xc3\xb6", "a\nb"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        CU_ASSERT(pair_is_plain(slice_of(plain[i]), "._-"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CU_ASSERT_FALSE(pair_is_plain(slice_of(others[i]), "._-"));
    CU_ASSERT(pair_is_plain(slice_of("a@b"), "@"));
    CU_ASSERT_FALSE(pair_is_plain(slice_of("-a"), "-"));
    CU_ASSERT_FALSE(pair_is_plain((struct slice){"a\0b", 3}, "._-"));
}

static CU_TestInfo tests[] = {
    UNIT_TEST(test_what_msgctl_prints),
    UNIT_TEST(test_amid_what_a_login_says),
    UNIT_TEST(test_names),
    UNIT_TEST(test_fields),
    UNIT_TEST(test_the_bound),
    UNIT_TEST(test_plain_names),
    UNIT_END,
};

int main(void)
{
    return sodium_init() < 0 ? 2 : unit_run("pair_answer", tests);
}
