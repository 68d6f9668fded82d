/* SPDX-License-Identifier: MIT */
#include "client/ca_list.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <sodium.h>

#define KEY "x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"

static void test_list(void)
{
    struct lines lines = {.rest = SLICE("# staff\n\nuser alice " KEY " all,who\n"
                                        "host h2,h2.example.org\t" KEY "\nuser bob " KEY)};
    struct endorsement e;
    const char *reason = NULL;
    CU_ASSERT_EQUAL_FATAL(ca_list_next(&lines, &e, &reason), 1);
    CU_ASSERT_EQUAL(e.kind, ENDORSEMENT_USER);
    CU_ASSERT_TRUE(slice_eq(e.names, SLICE("alice")));
    CU_ASSERT_EQUAL(e.perm, PERM_ALL | PERM_WHO);
    CU_ASSERT_EQUAL_FATAL(ca_list_next(&lines, &e, &reason), 1);
    CU_ASSERT_EQUAL(e.kind, ENDORSEMENT_HOST);
    CU_ASSERT_TRUE(slice_eq(e.names, SLICE("h2,h2.example.org")));
    CU_ASSERT_EQUAL(ca_list_next(&lines, &e, &reason), 1);
    CU_ASSERT_EQUAL(e.perm, 0);
    CU_ASSERT_EQUAL(ca_list_next(&lines, &e, &reason), 0);
    CU_ASSERT_PTR_NULL(reason);
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "alice " KEY,          "user",
        "user alice",          "user alice x25519:AAAA",
        "user " KEY " alice",  "user alice " KEY " root",
        "user Alice " KEY,     "user a,b " KEY,
        "host h2 " KEY " all", "user alice " KEY " all more",
        "host h2,, " KEY,      "user alice " KEY " \x1B",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct lines lines = {.rest = slice_of(bad[i])};
        struct endorsement e = {.serial = 7};
        const char *reason = NULL;
        if (ca_list_next(&lines, &e, &reason) != -EBADMSG)
            CU_FAIL_FATAL(bad[i]);
        CU_ASSERT_PTR_NOT_NULL(reason);
        CU_ASSERT_EQUAL(lines.number, 1);
        CU_ASSERT_EQUAL(e.serial, 7);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {UNIT_TEST(test_list), UNIT_TEST(test_refused), UNIT_END};
    return sodium_init() < 0 ? 2 : unit_run("ca_list", tests);
}
