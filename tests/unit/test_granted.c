/* SPDX-License-Identifier: MIT */
#include "common/granted.h"

#include "common/keys.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_C "x25519:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define N_64  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static struct noise_public key_a, key_b, key_c;
static struct diag diag;

static int parse(const char *text, struct granted *ret_granted)
{
    return granted_parse("f", slice_of(text), ret_granted, &diag);
}

static void test_lines(void)
{
    struct granted granted;

    CU_ASSERT_EQUAL_FATAL(parse("# of users\n\n1001 " KEY_B " bob\n1000\t" KEY_A "  alice \r\n"
                                "1001 " KEY_C " EXAMPLE\\bob the second\n",
                                &granted),
                          0);
    CU_ASSERT_EQUAL(granted.count, 3);
    CU_ASSERT_EQUAL(granted_find(&granted, &key_a)->uid, 1000);
    CU_ASSERT_STRING_EQUAL(granted_find(&granted, &key_a)->name, "alice");
    CU_ASSERT_STRING_EQUAL(granted_find(&granted, &key_c)->name, "EXAMPLE\\bob the second");
    CU_ASSERT_EQUAL(granted_count(&granted, 1001), 2);
    CU_ASSERT_EQUAL(granted_count(&granted, 1002), 0);
    granted_free(&granted);
    CU_ASSERT_EQUAL_FATAL(parse("", &granted), 0);
    CU_ASSERT_PTR_NULL(granted_find(&granted, &key_a));
    granted_free(&granted);
}

static void accepts(const char *text)
{
    struct granted granted;

    CU_ASSERT_EQUAL(parse(text, &granted), 0);
    granted_free(&granted);
}

static void refuses(const char *text, const char *reason)
{
    struct granted granted = {.count = 7};

    CU_ASSERT_EQUAL(parse(text, &granted), -EBADMSG);
    CU_ASSERT_EQUAL(granted.count, 7); /* untouched */
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, reason));
}

static void test_limits(void)
{
    accepts("1 " KEY_A " a\n");
    accepts("4294967294 " KEY_A " a\n");
    accepts("65533 " KEY_A " a\n65535 " KEY_B " b\n");
    accepts("1000 " KEY_A " " N_64 "\n");
    refuses("0 " KEY_A " root\n", "f:1: the line does not begin with a user's uid");
    refuses("65534 " KEY_A " nobody\n", "f:1: the line does not begin");
    refuses("4294967295 " KEY_A " a\n", "f:1: the line does not begin");
    refuses("18446744073709551617 " KEY_A " a\n", "f:1: the line does not begin");
    refuses("01000 " KEY_A " a\n", "f:1: the line does not begin");
    refuses("-1 " KEY_A " a\n", "f:1: the line does not begin");
    refuses("alice " KEY_A " a\n", "f:1: the line does not begin");
    refuses(KEY_A " a\n", "f:1: the line does not begin");
    refuses("1000 " KEY_A " a\n1001\n", "f:2: no key");
    refuses("1000 ssh-ed25519 AAAA a\n", "f:1: no key");
    refuses("1000 " KEY_A "A a\n", "f:1: no key");
    refuses("1000 " KEY_A "\n", "f:1: no name");
    refuses("1000 " KEY_A " n" N_64 "\n", "f:1: no name");
    refuses("1000 " KEY_A " a\tb\n", "f:1: no name");
    refuses("1000 " KEY_A " a\x1b[31m\n", "f:1: ");
    refuses("1000 " KEY_A " a\n1001 " KEY_A " b\n", "is there twice");
    refuses("1000 " KEY_A " a\n1000 " KEY_A " a\n", "is there twice");
}

static struct granted_key entry(const struct noise_public *key, uint32_t uid, const char *name)
{
    struct granted_key made = {.key = *key, .uid = uid};

    snprintf(made.name, sizeof(made.name), "%s", name);
    return made;
}

static int add(const struct noise_public *key, uint32_t uid, const char *name)
{
    struct granted_key made = entry(key, uid, name);

    return granted_add(in_folder("granted"), &made, &diag);
}

static void test_added(void)
{
    struct stat st;

    folder_make();
    CU_ASSERT_EQUAL(add(&key_b, 1001, "bob"), 0);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("granted")), "1001 " KEY_B " bob\n");
    CU_ASSERT(stat(in_folder("granted"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CU_ASSERT_EQUAL(add(&key_b, 1001, "bob"), -EEXIST);
    CU_ASSERT_EQUAL(add(&key_b, 1002, "carol"), -EEXIST); /* nobody takes another's over */
    CU_ASSERT_EQUAL(add(&key_a, 0, "root"), -EINVAL);
    CU_ASSERT_EQUAL(add(&key_a, 65534, "nobody"), -EINVAL);
    CU_ASSERT_EQUAL(add(&key_a, 1000, "uid\n1001"), -EINVAL);
    CU_ASSERT_EQUAL(add(&key_a, 1000, " a"), -EINVAL);
    CU_ASSERT_EQUAL(add(&key_a, 1000, "a "), -EINVAL);
    CU_ASSERT_EQUAL(add(&key_a, 1000, ""), -EINVAL);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("granted")), "1001 " KEY_B " bob\n");
    put_file(in_folder("granted"), "# kept\n1001 " KEY_B " bob", 0600); /* no LF */
    CU_ASSERT_EQUAL(add(&key_a, 1000, N_64), 0);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("granted")),
                           "# kept\n1001 " KEY_B " bob\n1000 " KEY_A " " N_64 "\n");
    put_file(in_folder("granted"), "oops\n", 0600);
    CU_ASSERT_EQUAL(add(&key_c, 1000, "alice"), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("granted")), "oops\n");
    put_file(in_folder("granted"), "", 0666); /* others could have written it */
    CU_ASSERT_EQUAL(add(&key_c, 1000, "alice"), -EPERM);
    folder_remove();
}

static void test_taken(void)
{
    const char *file;

    folder_make();
    file = in_folder("granted");
    CU_ASSERT_EQUAL(granted_take(file, 1000, &key_a, &diag), -ENOENT);
    put_file(file, "# 1000 " KEY_A " alice\n1000 " KEY_A " alice\n\n1001 " KEY_B " bob", 0600);
    CU_ASSERT_EQUAL(granted_take(file, 1001, &key_a, &diag), -ENOENT); /* another's */
    CU_ASSERT_EQUAL(granted_take(file, 1000, &key_c, &diag), -ENOENT);
    CU_ASSERT_EQUAL(granted_take(file, 1000, &key_a, &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(file), "# 1000 " KEY_A " alice\n\n1001 " KEY_B " bob");
    CU_ASSERT_EQUAL(granted_take(file, 1000, &key_a, &diag), -ENOENT);
    CU_ASSERT_EQUAL(granted_take(file, 1001, &key_b, &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(file), "# 1000 " KEY_A " alice\n\n");
    put_file(file, "oops\n", 0600);
    CU_ASSERT_EQUAL(granted_take(file, 1000, &key_a, &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(get_file(file), "oops\n");
    folder_remove();
}

static void test_many_are_found(void)
{
    static char text[300 * 80];
    struct granted granted;
    size_t len = 0;

    for (uint32_t i = 0; i < 300; i++) {
        struct noise_public key = {.bytes = {(uint8_t)(i * 7), (uint8_t)(i >> 4), (uint8_t)i}};
        char shown[KEY_TEXT_LEN + 1];
        key_format(&key, shown);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%u %s n\n", 1000 + i % 3, shown);
    }
    CU_ASSERT_EQUAL_FATAL(parse(text, &granted), 0);
    for (uint32_t i = 0; i < 300; i++) {
        struct noise_public key = {.bytes = {(uint8_t)(i * 7), (uint8_t)(i >> 4), (uint8_t)i}};
        CU_ASSERT_EQUAL(granted_find(&granted, &key)->uid, 1000 + i % 3);
    }
    CU_ASSERT_EQUAL(granted_count(&granted, 1001), 100);
    granted_free(&granted);
}

static CU_TestInfo tests[] = {
    UNIT_TEST(test_lines), UNIT_TEST(test_limits),         UNIT_TEST(test_added),
    UNIT_TEST(test_taken), UNIT_TEST(test_many_are_found), UNIT_END,
};

int main(void)
{
    if (sodium_init() < 0 || key_parse(slice_of(KEY_A), &key_a) < 0 ||
        key_parse(slice_of(KEY_B), &key_b) < 0 || key_parse(slice_of(KEY_C), &key_c) < 0)
        return 2;
    return unit_run("granted", tests);
}
