/* SPDX-License-Identifier: MIT */
/*
 * What every unit test program shares: a list of tests, run by CUnit, with the exit status and the
 * last line that scripts/test counts. Included by the one file a test program consists of.
 */
#ifndef MSG_TESTS_UNIT_H
#define MSG_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_TEST(function)                                                                        \
    {                                                                                              \
#function, function                                                                        \
    }
#define UNIT_END CU_TEST_INFO_NULL

static unsigned unit_skipped;

/* Says why the running test cannot do its work here, and counts it as skipped; then return. */
static inline void unit_skip(const char *why)
{
    printf("skipped: %s ", why);
    unit_skipped++;
}

/* It keeps limits of descriptors and memory to itself: they cannot be set, or do not hold. */
static inline bool unit_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "/vgpreload_");
}

static inline int unit_run(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {{name, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();

    unsigned run = CU_get_number_of_tests_run(), failed = CU_get_number_of_tests_failed();

    CU_cleanup_registry();
    printf("%u passed, %u failed, %u skipped\n", run - failed - unit_skipped, failed, unit_skipped);
    return failed == 0 && run > 0 ? 0 : 1;
}

#endif
