/* SPDX-License-Identifier: MIT */
#include "daemon/present_caps.h"

#include "common/mem.h"
#include "protocol/limits.h"
#include "tests/unit/unit.h"

static unsigned take(struct caps *caps, uid_t uid, uint64_t now_ms, unsigned wanted)
{
    unsigned taken = 0;

    while (taken < wanted && caps_take(caps, uid, now_ms) == 0)
        taken++;
    return taken;
}

static void release(struct caps *caps, uid_t uid, unsigned count)
{
    while (count-- > 0)
        caps_release(caps, uid);
}

static void no_more_than_so_many_are_up(void)
{
    struct caps caps = {0};

    CU_ASSERT_EQUAL(take(&caps, 1000, 1, 9999), LIM_PRESENTED);
    CU_ASSERT_EQUAL(caps_take(&caps, 1000, 3600000), -EBUSY); /* time alone does not help */
    CU_ASSERT_EQUAL(caps_take(&caps, 1001, 1), 0);            /* another user's own */
    release(&caps, 1000, 1);
    CU_ASSERT_EQUAL(take(&caps, 1000, 3600000, 9999), 1);
    caps_free(&caps);
}

static void they_come_no_faster_than_the_rate(void)
{
    struct caps caps = {0};

    CU_ASSERT_EQUAL(take(&caps, 1000, 1000, 9999), LIM_PRESENTED);
    release(&caps, 1000, LIM_PRESENTED);
    CU_ASSERT_EQUAL(take(&caps, 1000, 1000, 9999), 0);
    CU_ASSERT_EQUAL(take(&caps, 1000, 1000 + 1000 / LIM_PRESENTS_SECOND - 1, 9999), 0);
    CU_ASSERT_EQUAL(take(&caps, 1000, 1000 + 1000 / LIM_PRESENTS_SECOND, 9999), 1);
    CU_ASSERT_EQUAL(take(&caps, 1000, 2000, 9999), LIM_PRESENTS_SECOND - 1);
    CU_ASSERT_EQUAL(take(&caps, 1000, 1500, 9999), 0); /* a clock never goes back, but if it did */
    release(&caps, 1000, LIM_PRESENTED);
    CU_ASSERT_EQUAL(take(&caps, 1000, UINT64_MAX, 9999), LIM_PRESENTED);
    release(&caps, 1000, LIM_PRESENTED);
    caps_free(&caps);
    CU_ASSERT_EQUAL(take(&caps, 1000, 1000, 1), 1); /* what is saved up is no more than a burst */
    CU_ASSERT_EQUAL(take(&caps, 1000, 2000, 9999), LIM_PRESENTED - 1);
    release(&caps, 1000, LIM_PRESENTED);
    CU_ASSERT_EQUAL(take(&caps, 1000, 2000, 9999), 1);
    caps_free(&caps);
}

static void all_users_together_have_an_end(void)
{
    struct caps caps = {0};
    unsigned taken = 0;

    for (uid_t uid = 0; uid < 200; uid++)
        taken += take(&caps, uid, 1, 9999);
    CU_ASSERT_EQUAL(taken, LIM_OPEN_DELIVERIES);
    release(&caps, 0, 1);
    CU_ASSERT_EQUAL(take(&caps, 199, 1, 9999), 1);
    caps_free(&caps);
}

static void idle_users_are_forgotten(void)
{
    struct caps caps = {0};

    for (uid_t uid = 0; uid < 10000; uid++) {
        CU_ASSERT_EQUAL(caps_take(&caps, uid, 1 + uid * 1000), 0);
        caps_release(&caps, uid);
    }
    CU_ASSERT(caps.capacity <= 64);
    CU_ASSERT_EQUAL(caps.up, 0);
    caps_release(&caps, 4711); /* one that is not there */
    CU_ASSERT_EQUAL(caps.up, 0);
    caps_free(&caps);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(no_more_than_so_many_are_up),
        UNIT_TEST(they_come_no_faster_than_the_rate),
        UNIT_TEST(all_users_together_have_an_end),
        UNIT_TEST(idle_users_are_forgotten),
        UNIT_END,
    };

    return unit_run("present_caps", tests);
}
