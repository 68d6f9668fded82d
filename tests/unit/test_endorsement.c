/* SPDX-License-Identifier: MIT */
#include "common/endorsement.h"

#include "common/keys.h"
#include "common/mem.h"
#include "common/pattern.h"
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

#include <sodium.h>

#define KEY  "x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"
#define N64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD "msg-endorse-v1\nkind: user\nkey: " KEY "\n"
#define HOST "msg-endorse-v1\nkind: host\nkey: " KEY "\n"
#define REST "serial: 17\nafter: 1\nbefore: 2\nperm:\n"

static const char *reason;

static int parse(const char *text, struct endorsement *e)
{
    size_t len = 0;
    reason = NULL;
    int r = endorsement_parse(slice_of(text), e, &len, &reason);
    CU_ASSERT_EQUAL(r == 0, reason == NULL);
    CU_ASSERT_EQUAL(len, r == 0 ? strlen(text) : 0);
    return r;
}

static void test_statement(void)
{
    struct endorsement e;
    struct slice text = golden("endorsement/statement");
    char out[ENDORSEMENT_STATEMENT], key[KEY_TEXT_LEN + 1];
    size_t len = 0;
    CU_ASSERT_EQUAL_FATAL(endorsement_parse(text, &e, &len, &reason), 0);
    key_format(&e.key, key);
    CU_ASSERT_STRING_EQUAL(key, KEY);
    CU_ASSERT_EQUAL(e.kind, ENDORSEMENT_USER);
    CU_ASSERT_TRUE(slice_eq(e.names, SLICE("alice")));
    CU_ASSERT_EQUAL(e.serial, 17);
    CU_ASSERT_EQUAL(e.after, 1767225600);
    CU_ASSERT_EQUAL(e.before, 1798761600);
    CU_ASSERT_EQUAL(e.perm, PERM_ALL | PERM_WHO);
    CU_ASSERT_EQUAL(len, text.len);
    CU_ASSERT_EQUAL(endorsement_format(&e, out), (int)text.len);
    CU_ASSERT_EQUAL(memcmp(out, text.ptr, text.len), 0);
}

static void test_accepted(void)
{
    static const char *const good[] = {
        HEAD "name: a\n" REST,
        HEAD "name: " N64 "\n" REST,
        HEAD "name: a.b_c-9\n" REST,
        HOST "name: a,b,c,d,e,f,g,h\n" REST,
        HEAD "name: a\nserial: 18446744073709551615\nafter: 0\nbefore: 1\nperm: all,who,override\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 4611686018427387903\nperm: override\n",
    };
    struct endorsement e;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        CU_ASSERT_EQUAL(parse(good[i], &e), 0);
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "",
        "msg-endorse-v2\nkind: user\nkey: " KEY "\nname: a\n" REST,
        " " HEAD "name: a\n" REST,
        "msg-endorse-v1 \nkind: user\nkey: " KEY "\nname: a\n" REST,
        "msg-endorse-v1\r\nkind: user\nkey: " KEY "\nname: a\n" REST,
        "msg-endorse-v1\nkind: group\nkey: " KEY "\nname: a\n" REST,
        "msg-endorse-v1\nkind:user\nkey: " KEY "\nname: a\n" REST,
        "msg-endorse-v1\nkind: user\nkey: " KEY "A\nname: a\n" REST,
        "msg-endorse-v1\nkey: " KEY "\nkind: user\nname: a\n" REST,
        HEAD "name:\n" REST,
        HEAD "name: A\n" REST,
        HEAD "name: a b\n" REST,
        HEAD "name: a,b\n" REST,
        HEAD "name: " N64 "a\n" REST,
        HEAD "name:  a\n" REST,
        HOST "name: a,b,c,d,e,f,g,h,i\n" REST,
        HOST "name: a,,b\n" REST,
        HOST "name: a,\n" REST,
        HEAD "name: a\nserial: 18446744073709551616\nafter: 0\nbefore: 1\nperm:\n",
        HEAD "name: a\nserial: 01\nafter: 0\nbefore: 1\nperm:\n",
        HEAD "name: a\nserial: -1\nafter: 0\nbefore: 1\nperm:\n",
        HEAD "name: a\nserial:\nafter: 0\nbefore: 1\nperm:\n",
        HEAD "name: a\nserial: 0\nafter: 1\nbefore: 1\nperm:\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 4611686018427387904\nperm:\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm: \n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm: who,all\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm: all,all\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm: root\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm: all,\n",
        HEAD "name: a\nserial: 0\nafter: 0\nbefore: 1\nperm:",
    };
    struct endorsement e;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i], &e) != -EBADMSG)
            CU_FAIL_FATAL(bad[i]);
}

static void test_written(void)
{
    struct endorsement e = {.kind = ENDORSEMENT_HOST,
                            .names =
                                SLICE(N64 "," N64 "," N64 "," N64 "," N64 "," N64 "," N64 "," N64),
                            .serial = UINT64_MAX,
                            .after = INT64_MAX / 2 - 1,
                            .before = INT64_MAX / 2,
                            .perm = PERM_EVERY};
    char out[ENDORSEMENT_STATEMENT];
    CU_ASSERT_EQUAL(endorsement_format(&e, out), 715); /* the longest there is */
    e.names = SLICE("a\nperm: all");
    CU_ASSERT_EQUAL(endorsement_format(&e, out), -EINVAL);
    e.names = SLICE("a");
    e.before = e.after;
    CU_ASSERT_EQUAL(endorsement_format(&e, out), -EINVAL);
}

static void test_time(void)
{
    const struct endorsement e = {.after = 1000, .before = 2000};
    CU_ASSERT_EQUAL(endorsement_time(&e, 699), -EAGAIN);
    CU_ASSERT_EQUAL(endorsement_time(&e, 700), 0);
    CU_ASSERT_EQUAL(endorsement_time(&e, 2300), 0);
    CU_ASSERT_EQUAL(endorsement_time(&e, 2301), -ETIME);
}

static void test_names(void)
{
    const struct endorsement e = {.names = SLICE("h2,h2.example.org")};
    CU_ASSERT_TRUE(endorsement_names(&e, SLICE("h2")));
    CU_ASSERT_TRUE(endorsement_names(&e, SLICE("h2.example.org")));
    CU_ASSERT_FALSE(endorsement_names(&e, SLICE("h")));
    CU_ASSERT_FALSE(endorsement_names(&e, SLICE("")));
}

static void test_verify(void)
{
    static struct endorsement_cache cache, empty;
    struct slice entry = golden("endorsement/entry");
    struct endorsed endorsed;
    CU_ASSERT_EQUAL_FATAL(endorsement_open(entry, &endorsed, &reason), 0);
    CU_ASSERT_TRUE(endorsement_verify(&endorsed, NULL));
    CU_ASSERT_TRUE(endorsement_verify(&endorsed, &cache));
    CU_ASSERT_NOT_EQUAL(memcmp(&cache, &empty, sizeof(cache)), 0);
    CU_ASSERT_TRUE(endorsement_verify(&endorsed, &cache));
    endorsed.sig.signature[5] ^= 1; /* what was good is in the cache, this is not */
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, &cache));
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, NULL));
    endorsed.sig.signature[5] ^= 1;
    endorsed.sig.key.bytes[0] ^= 1;
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, &cache));
    endorsed.sig.key.bytes[0] ^= 1;
    endorsed.statement.len--;
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, &cache));
    entry.len--;
    CU_ASSERT_EQUAL(endorsement_open(entry, &endorsed, &reason), -EBADMSG);
}

/* In the cache is what is good, whatever is asked first. */
static void test_bad_is_not_cached(void)
{
    static struct endorsement_cache cache, empty;
    struct endorsed endorsed;
    CU_ASSERT_EQUAL_FATAL(endorsement_open(golden("endorsement/entry"), &endorsed, &reason), 0);
    endorsed.sig.signature[0] ^= 1;
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, &cache));
    CU_ASSERT_EQUAL(memcmp(&cache, &empty, sizeof(cache)), 0);
}

/* What is in it is believed without another look at the signature, which costs the most. */
static void test_the_cache_is_asked(void)
{
    static struct endorsement_cache cache;
    crypto_generichash_state state;
    struct endorsed endorsed;
    uint8_t hash[32];
    CU_ASSERT_EQUAL_FATAL(endorsement_open(golden("endorsement/entry"), &endorsed, &reason), 0);
    endorsed.sig.signature[0] ^= 1;
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, &cache));
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const uint8_t *)&endorsed.sig, sizeof(endorsed.sig));
    crypto_generichash_update(&state, (const uint8_t *)endorsed.statement.ptr,
                              endorsed.statement.len);
    crypto_generichash_final(&state, hash, sizeof(hash));
    memcpy(cache.hashes[(hash[0] | hash[1] << 8) % ENDORSEMENT_CACHE], hash, sizeof(hash));
    CU_ASSERT_TRUE(endorsement_verify(&endorsed, &cache));
    CU_ASSERT_FALSE(endorsement_verify(&endorsed, NULL));
}

static void test_file(void)
{
    struct slice text = golden("endorsement/two");
    uint8_t entry[LIM_ENDORSEMENT];
    struct endorsed endorsed;
    size_t len = 0;
    CU_ASSERT_EQUAL_FATAL(endorsement_next(&text, entry, &len, &reason), 1);
    CU_ASSERT_TRUE(slice_eq((struct slice){(char *)entry, len}, golden("endorsement/entry")));
    CU_ASSERT_EQUAL_FATAL(endorsement_next(&text, entry, &len, &reason), 1);
    CU_ASSERT_EQUAL(endorsement_open((struct slice){(char *)entry, len}, &endorsed, &reason), 0);
    CU_ASSERT_EQUAL(endorsed.is.kind, ENDORSEMENT_HOST);
    CU_ASSERT_TRUE(endorsement_verify(&endorsed, NULL));
    CU_ASSERT_EQUAL(endorsement_next(&text, entry, &len, &reason), 0);
    text = golden("endorsement/statement");
    CU_ASSERT_EQUAL(endorsement_next(&text, entry, &len, &reason), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(reason, "no armoured signature of ssh behind the statement");
    text = golden("endorsement/namespace");
    CU_ASSERT_EQUAL(endorsement_next(&text, entry, &len, &reason), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(reason, "signed in another namespace");
}

static void match(const char *patterns, const char *name, bool expected)
{
    CU_ASSERT_EQUAL(patterns_match(slice_of(patterns), slice_of(name)), expected);
}

static void test_patterns(void)
{
    match("alice", "alice", true);
    match("alice", "alic", false);
    match("alice", "alicea", false);
    match("bob,al*", "alice", true);
    match("*", "", true);
    match("*", "root", true);
    match("?", "", false);
    match("a?c", "abc", true);
    match("a?c", "ac", false);
    match("*.example.org", "h2.example.org", true);
    match("*.example.org", "example.org", false);
    match("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false);
    match("*ab", "aab", true);
    CU_ASSERT_TRUE(patterns_valid(SLICE("a,*.b-c_9,?")));
    CU_ASSERT_FALSE(patterns_valid(SLICE("")));
    CU_ASSERT_FALSE(patterns_valid(SLICE("a,")));
    CU_ASSERT_FALSE(patterns_valid(SLICE("A")));
    CU_ASSERT_FALSE(patterns_valid(SLICE("!a")));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_statement),
        UNIT_TEST(test_accepted),
        UNIT_TEST(test_refused),
        UNIT_TEST(test_written),
        UNIT_TEST(test_time),
        UNIT_TEST(test_names),
        UNIT_TEST(test_verify),
        UNIT_TEST(test_bad_is_not_cached),
        UNIT_TEST(test_the_cache_is_asked),
        UNIT_TEST(test_file),
        UNIT_TEST(test_patterns),
        UNIT_END,
    };
    return sodium_init() < 0 ? 2 : unit_run("endorsement", tests);
}
