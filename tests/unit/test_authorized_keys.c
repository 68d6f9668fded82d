/* SPDX-License-Identifier: MIT */
#include "common/authorized_keys.h"

#include "common/any_key.h"
#include "common/cidr.h"
#include "common/date.h"
#include "common/keys.h"
#include "common/mem.h"
#include "common/revoked_keys.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_C "x25519:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define SSH_A "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
#define SSH_B "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOr"

static struct any_key key_a, key_b, key_c;

static bool read_key(const char *text, struct any_key *ret_key)
{
    struct slice line = slice_of(text);
    return any_key_take(&line, ret_key) == 0;
}

static void test_signers(void)
{
    struct authorized_key key;
    struct any_key ssh;
    CU_ASSERT_TRUE_FATAL(read_key(SSH_A, &ssh));
    CU_ASSERT_EQUAL_FATAL(authorized_key_parse(SLICE(SSH_A " who alice@laptop"), &key, NULL), 0);
    CU_ASSERT_EQUAL(any_key_compare(&key.key, &ssh), 0);
    CU_ASSERT_TRUE(key.who && !key.ca);
    CU_ASSERT_EQUAL_FATAL(
        authorized_key_parse(SLICE("ca:" SSH_A " names=al*,bob all org"), &key, NULL), 0);
    CU_ASSERT_TRUE(key.ca && key.all);
    CU_ASSERT_TRUE(slice_eq(key.names, SLICE("al*,bob")));
}

static bool endorses(const char *names, const char *name)
{
    const struct authorized_key key = {.ca = true, .names = slice_of(names)};
    return authorized_key_endorses(&key, slice_of(name));
}

static void test_whom_an_organisation_endorses(void)
{
    CU_ASSERT_TRUE(endorses("al*,bob", "alice"));
    CU_ASSERT_FALSE(endorses("al*,bob", "carol"));
    CU_ASSERT_FALSE(endorses("*", "root"));
    CU_ASSERT_FALSE(endorses("roo?,r*,*t", "root"));
    CU_ASSERT_TRUE(endorses("*,root", "root"));
    CU_ASSERT_TRUE(endorses("*", "root.ops"));
}

static void test_plain_line(void)
{
    struct authorized_key key;
    CU_ASSERT_EQUAL_FATAL(authorized_key_parse(SLICE(KEY_B " alice"), &key, NULL), 0);
    CU_ASSERT_TRUE(any_key_compare(&key.key, &key_b) == 0);
    CU_ASSERT_STRING_EQUAL(key.name, "alice");
    CU_ASSERT_FALSE(key.all || key.who || key.override);
    CU_ASSERT_EQUAL(key.rate, 0);
    CU_ASSERT_FALSE(authorized_key_expired(&key, INT64_MAX));
    CU_ASSERT_TRUE(authorized_key_reaches(&key, SLICE("anybody"), false));
}

static void test_options(void)
{
    struct authorized_key key;
    CU_ASSERT_EQUAL_FATAL(
        authorized_key_parse(SLICE(KEY_A "\tto=bob,session:console all  who override rate=1000000"
                                         " from=192.0.2.0/24,2001:db8::/32 expires=2027-02-28 a@b"),
                             &key, NULL),
        0);
    CU_ASSERT_TRUE(key.all && key.who && key.override);
    CU_ASSERT_EQUAL(key.rate, 1000000);
    CU_ASSERT_STRING_EQUAL(key.name, "a@b");
    CU_ASSERT_TRUE(authorized_key_reaches(&key, SLICE("bob"), false));
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE("bo"), false));
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE("carol"), false));
    CU_ASSERT_TRUE(authorized_key_reaches(&key, SLICE("carol"), true));
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE(""), false));
    /* 2027-03-01 00:00 UTC */
    CU_ASSERT_FALSE(authorized_key_expired(&key, 1803859199));
    CU_ASSERT_TRUE(authorized_key_expired(&key, 1803859200));
    CU_ASSERT_EQUAL(authorized_key_parse(SLICE(KEY_A " to=bob alice"), &key, NULL), 0);
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE("carol"), true));
    CU_ASSERT_TRUE(authorized_key_reaches(&key, SLICE("bob"), true));
}

static void test_groups(void)
{
    struct authorized_key key;
    struct slice group;
    CU_ASSERT_EQUAL_FATAL(
        authorized_key_parse(SLICE(KEY_A " to=bob,%ops,%1,session:console,%2,%3,%4,%5,%6,%7,%8,%9,"
                                         "%10,%11,%12,%13,%14,%15 alice"),
                             &key, NULL),
        0);
    CU_ASSERT_TRUE(authorized_key_group(&key, 0, &group) && slice_eq(group, SLICE("ops")));
    CU_ASSERT_TRUE(authorized_key_group(&key, 15, &group) && slice_eq(group, SLICE("15")));
    CU_ASSERT_FALSE(authorized_key_group(&key, 16, &group));
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE("%ops"), false));
    CU_ASSERT_FALSE(authorized_key_reaches(&key, SLICE("ops"), false));
    CU_ASSERT_TRUE(authorized_key_reaches(&key, SLICE("bob"), false));
    CU_ASSERT_EQUAL_FATAL(authorized_key_parse(SLICE(KEY_A " alice"), &key, NULL), 0);
    CU_ASSERT_FALSE(authorized_key_group(&key, 0, &group));
}

static void refused(const char *line, const char *what)
{
    struct authorized_key key = {.rate = 7};
    struct diag diag = {""};
    CU_ASSERT_EQUAL(authorized_key_parse(slice_of(line), &key, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, what));
    CU_ASSERT_EQUAL(key.rate, 7);
}

static void test_refused(void)
{
    refused("alice", "does not begin with a key");
    refused(KEY_A, "no name behind the key");
    refused(KEY_A " who", "no name behind the options");
    refused(KEY_A " to=bob", "no name behind the options");
    refused(KEY_A " alice bob", "unknown option `alice`");
    refused(KEY_A " WHO alice", "unknown option `WHO`");
    refused(KEY_A " whoever alice", "unknown option `whoever`");
    refused(KEY_A " who who alice", "option `who` is there twice");
    refused(KEY_A " to=a to=b alice", "option `to=` is there twice");
    refused(KEY_A " a/b", "is not 1 to 64");
    refused(KEY_A " names=* alice", "names= is for an organisation's key (ca:) only");
    refused(SSH_A " names=* alice", "names= is for an organisation's key (ca:) only");
    refused("ca:" SSH_A " org", "wants names=");
    refused("ca:" SSH_A " names= org", "`names=` wants names and patterns");
    refused("ca:" SSH_A " names=A org", "`names=` wants names and patterns");
    refused("ca:" KEY_A " names=* org", "is an ssh-ed25519 key");
    refused("ca: " SSH_A " names=* org", "does not begin with a key");
    refused("ssh-ed25519 AAAA alice", "does not begin with a key");
    refused("ssh-rsa AAAA alice", "only ssh-ed25519 can serve");
    refused(SSH_A, "no name behind the key");
    refused(KEY_A " to= alice", "`to=` wants user names");
    refused(KEY_A " to=bob, alice", "`to=` wants user names");
    refused(KEY_A " to=% alice", "`to=` wants user names, %groups");
    refused(KEY_A " to=%a/b alice", "`to=` wants user names, %groups");
    refused(KEY_A " to=%%a alice", "`to=` wants user names, %groups");
    refused(KEY_A " to=%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17 alice",
            "%groups (at most 16)");
    refused(KEY_A " to=session:2 alice", "`to=` wants user names");
}

static void test_refused_values(void)
{
    refused(KEY_A " rate= a", "`rate=` wants a number from 1 to 1000000");
    refused(KEY_A " rate=0 a", "`rate=` wants");
    refused(KEY_A " rate=01 a", "`rate=` wants");
    refused(KEY_A " rate=1000001 a", "`rate=` wants");
    refused(KEY_A " rate=-1 a", "`rate=` wants");
    refused(KEY_A " rate=18446744073709551617 a", "`rate=` wants");
    refused(KEY_A " from= a", "`from=` wants networks");
    refused(KEY_A " from=192.0.2.1/24 a", "`from=` wants networks");
    refused(KEY_A " from=10.0.0.0/8,example.org a", "`from=` wants networks");
    refused(KEY_A " expires=2027-02-29 a", "`expires=` wants a date");
    refused(KEY_A " expires= a", "`expires=` wants a date");
}

static void check_date(struct slice text, int64_t expected)
{
    int64_t seconds = -1;
    CU_ASSERT_EQUAL(date_parse_end(text, &seconds), expected < 0 ? -EBADMSG : 0);
    CU_ASSERT_EQUAL(seconds, expected);
}

static void test_dates(void)
{
    check_date(SLICE("1970-01-01"), 86400);
    check_date(SLICE("2000-02-29"), 951868800);
    check_date(SLICE("2024-02-29"), 1709251200);
    check_date(SLICE("2026-12-31"), 1798761600);
    check_date(SLICE("9999-12-31"), 253402300800);
    check_date(SLICE("1969-12-31"), -1);
    check_date(SLICE("2100-02-29"), -1);
    check_date(SLICE("2026-00-01"), -1);
    check_date(SLICE("2026-13-01"), -1);
    check_date(SLICE("2026-04-31"), -1);
    check_date(SLICE("2026-04-00"), -1);
    check_date(SLICE("2026-4-1"), -1);
    check_date(SLICE("2026/04/01"), -1);
    check_date(SLICE("2026-04-0x"), -1);
    check_date(SLICE("2026-04-011"), -1);
    check_date(SLICE(""), -1);
}

static bool holds(const char *network, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct cidr cidr;
    CU_ASSERT_EQUAL_FATAL(cidr_parse(slice_of(network), &cidr), 0);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return cidr_holds(&cidr, (struct sockaddr *)&v4);
    CU_ASSERT_EQUAL(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return cidr_holds(&cidr, (struct sockaddr *)&v6);
}

static void test_networks(void)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct cidr all;
    CU_ASSERT_TRUE(holds("192.0.2.0/24", "192.0.2.255"));
    CU_ASSERT_FALSE(holds("192.0.2.0/24", "192.0.3.0"));
    CU_ASSERT_TRUE(holds("192.0.2.128/25", "192.0.2.128"));
    CU_ASSERT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
    CU_ASSERT_TRUE(holds("192.0.2.1", "::ffff:192.0.2.1"));
    CU_ASSERT_FALSE(holds("192.0.2.1", "192.0.2.2"));
    CU_ASSERT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
    CU_ASSERT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    CU_ASSERT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
    CU_ASSERT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    CU_ASSERT_TRUE(holds("::/0", "192.0.2.1"));
    CU_ASSERT_TRUE(holds("::1/128", "::1"));
    CU_ASSERT_EQUAL(cidr_parse(SLICE("::/0"), &all), 0);
    CU_ASSERT_FALSE(cidr_holds(&all, &local));
}

static void test_networks_refused(void)
{
    static const char *const bad[] = {
        "",           "/24",        "192.0.2.0/33", "192.0.2.0/",     "192.0.2.0/024",
        "10.0.0.1/8", "1.2.3",      "::/129",       "2001:db8::1/32", "192.0.2.0/-1",
        "::1 ",       "fe80::1%lo", "::/0/0",       "192.0.2.0/2x"};
    struct cidr cidr;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CU_ASSERT_EQUAL(cidr_parse(slice_of(bad[i]), &cidr), -EINVAL);
}

static void test_file(void)
{
    struct authorized_keys keys;
    struct diag diag;
    CU_ASSERT_EQUAL_FATAL(authorized_keys_parse("f",
                                                SLICE("# people\n\n" KEY_C " who carol\n" KEY_A
                                                      " alice\r\n\t" KEY_B " alice"),
                                                &keys, &diag),
                          0);
    CU_ASSERT_EQUAL(keys.count, 3);
    const struct authorized_key *carol = authorized_keys_find(&keys, &key_c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(carol);
    CU_ASSERT_TRUE(carol->who);
    CU_ASSERT_EQUAL(carol->line, 3);
    CU_ASSERT_EQUAL(authorized_keys_find(&keys, &key_b)->line, 5);
    struct any_key other = {.bytes = {9}};
    CU_ASSERT_PTR_NULL(authorized_keys_find(&keys, &other));
    authorized_keys_free(&keys);
    CU_ASSERT_PTR_NULL(authorized_keys_find(&keys, &key_b));
    CU_ASSERT_EQUAL(authorized_keys_parse("f", SLICE(""), &keys, &diag), 0);
    CU_ASSERT_EQUAL(keys.count, 0);
    authorized_keys_free(&keys);
}

static void file_refused(struct slice text, const char *expected)
{
    struct authorized_keys keys = {.count = 5};
    struct diag diag = {""};
    CU_ASSERT_EQUAL(authorized_keys_parse("f", text, &keys, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(strncmp(diag.text, expected, strlen(expected)), 0);
    CU_ASSERT_EQUAL(keys.count, 5);
}

static void test_file_refused(void)
{
    file_refused(SLICE(KEY_A " a\nnonsense\n"), "f:2: the line does not begin with a key");
    file_refused(SLICE(KEY_A " a\n\n" KEY_B " b\n" KEY_A " c\n"), "f:4: the key is also in line 1");
    file_refused(SLICE(SSH_A " a\nca:" SSH_A " names=* org\n"), "f:2: the key is also in line 1");
    file_refused(SLICE(KEY_A " a\n" KEY_B " \x1B\n"), "f:2: a control character");
    file_refused(SLICE(KEY_A " a\0"), "f:1: a control character");
}

static void test_revoked(void)
{
    struct revoked_keys keys;
    struct diag diag;
    CU_ASSERT_EQUAL_FATAL(
        revoked_keys_parse("r", SLICE("#\n" KEY_C " lost, 2026\n" KEY_A "\n"), &keys, &diag), 0);
    CU_ASSERT_TRUE(revoked_keys_hold(&keys, &key_a));
    CU_ASSERT_FALSE(revoked_keys_hold(&keys, &key_b));
    CU_ASSERT_TRUE(revoked_keys_hold(&keys, &key_c));
    revoked_keys_free(&keys);
    CU_ASSERT_FALSE(revoked_keys_hold(&keys, &key_a));
    CU_ASSERT_EQUAL(revoked_keys_parse("r", SLICE(KEY_A "\nalice\n"), &keys, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(strncmp(diag.text, "r:2: ", 5), 0);
    CU_ASSERT_EQUAL(revoked_keys_parse("r", SLICE(KEY_A "\n\n\x1B"), &keys, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(strncmp(diag.text, "r:3: ", 5), 0);
}

static void test_revoked_signers(void)
{
    struct revoked_keys keys;
    struct any_key a, b;
    struct diag diag;
    CU_ASSERT_TRUE_FATAL(read_key(SSH_A, &a) && read_key(SSH_B, &b));
    CU_ASSERT_EQUAL_FATAL(revoked_keys_parse("r",
                                             SLICE("serial:17 " SSH_A " lost\n" SSH_B " left\n"
                                                   "serial:0 " SSH_B "\n"),
                                             &keys, &diag),
                          0);
    CU_ASSERT_TRUE(revoked_keys_hold_serial(&keys, &a, 17));
    CU_ASSERT_FALSE(revoked_keys_hold_serial(&keys, &a, 16));
    CU_ASSERT_FALSE(revoked_keys_hold_serial(&keys, &a, 0));
    CU_ASSERT_FALSE(revoked_keys_hold_serial(&keys, &b, 17));
    CU_ASSERT_TRUE(revoked_keys_hold_serial(&keys, &b, 0));
    CU_ASSERT_FALSE(revoked_keys_hold(&keys, &a));
    CU_ASSERT_TRUE(revoked_keys_hold(&keys, &b));
    a.kind = b.kind = ANY_KEY_STATIC; /* the same bytes as another kind of key */
    CU_ASSERT_FALSE(revoked_keys_hold(&keys, &b));
    revoked_keys_free(&keys);
    CU_ASSERT_EQUAL(revoked_keys_parse("r", SLICE("serial:17 " KEY_A "\n"), &keys, &diag),
                    -EBADMSG);
    CU_ASSERT_EQUAL(revoked_keys_parse("r", SLICE("serial: " SSH_A "\n"), &keys, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(revoked_keys_parse("r", SLICE("ssh-rsa AAAA\n"), &keys, &diag), -EBADMSG);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_plain_line),
        UNIT_TEST(test_options),
        UNIT_TEST(test_groups),
        UNIT_TEST(test_refused),
        UNIT_TEST(test_refused_values),
        UNIT_TEST(test_dates),
        UNIT_TEST(test_networks),
        UNIT_TEST(test_networks_refused),
        UNIT_TEST(test_file),
        UNIT_TEST(test_file_refused),
        UNIT_TEST(test_revoked),
        UNIT_TEST(test_signers),
        UNIT_TEST(test_whom_an_organisation_endorses),
        UNIT_TEST(test_revoked_signers),
        UNIT_END,
    };
    if (sodium_init() < 0 || !read_key(KEY_A, &key_a) || !read_key(KEY_B, &key_b) ||
        !read_key(KEY_C, &key_c))
        return 2;
    return unit_run("authorized_keys", tests);
}
