/* SPDX-License-Identifier: MIT */
/* In which order a name's addresses are tried, and whose failure is told first. */
#include "client/race.h"
#include "tests/unit/unit.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One letter an address, as the resolver has them: digits are IPv6, capitals IPv4. */
static const struct {
    const char *found, *order;
} ORDERS[] = {
    {"", ""},
    {"1", "1"},
    {"A", "A"},
    {"12", "12"},
    {"1A", "1A"},
    {"A1", "A1"},
    {"12AB", "1A2B"},
    {"AB12", "A1B2"},
    {"1AB", "1AB"},
    {"123A", "1A23"},
    {"A123", "A123"},
    {"1A2B3C", "1A2B3C"},
    {"1234567", "1234567"},
    {"12345678", "12345678"},
    {"123456789", "12345678"},
    {"1234567A", "1A234567"},
    {"123456789A", "1A234567"},
    {"123456789ABCDEF", "1A2B3C4D"},
};

static struct addrinfo list[16];
static struct sockaddr addresses[16];

static const struct addrinfo *resolved(const char *letters)
{
    size_t n = strlen(letters);

    for (size_t i = 0; i < n; i++) {
        list[i] = (struct addrinfo){.ai_family = letters[i] < 'A' ? AF_INET6 : AF_INET,
                                    .ai_addr = &addresses[i],
                                    .ai_next = i + 1 < n ? &list[i + 1] : NULL};
    }
    return n > 0 ? list : NULL;
}

static void the_families_take_turns(void)
{
    for (size_t i = 0; i < COUNT(ORDERS); i++) {
        const struct sockaddr *order[LIM_ADDRESSES];
        char got[LIM_ADDRESSES + 1] = "";
        size_t n = race_order(resolved(ORDERS[i].found), order);

        for (size_t k = 0; k < n; k++)
            got[k] = ORDERS[i].found[order[k] - addresses];
        CU_ASSERT_STRING_EQUAL(got, ORDERS[i].order);
    }
}

static const struct {
    int errors[3];
    size_t most;
} FAILURES[] = {
    {{-ECONNREFUSED, -ECONNREFUSED, -ECONNREFUSED}, 0},
    {{-ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH}, 1},
    {{-ETIMEDOUT, -ENETUNREACH, -EHOSTUNREACH}, 2},
    {{-ENETUNREACH, -ETIMEDOUT, -ETIMEDOUT}, 1},
    {{-EADDRNOTAVAIL, -EAFNOSUPPORT, -ETIMEDOUT}, 2},
    {{-EACCES, -EHOSTUNREACH, -ETIMEDOUT}, 0},
    {{-ENETUNREACH, -EACCES, -ECONNREFUSED}, 2},
};

static void who_says_no_tells_more_than_who_is_silent(void)
{
    for (size_t i = 0; i < COUNT(FAILURES); i++)
        CU_ASSERT_EQUAL(race_most_telling(FAILURES[i].errors, 3), FAILURES[i].most);
    CU_ASSERT_EQUAL(race_most_telling((const int[]){-ETIMEDOUT}, 1), 0);
}

static CU_TestInfo tests[] = {
    UNIT_TEST(the_families_take_turns),
    UNIT_TEST(who_says_no_tells_more_than_who_is_silent),
    UNIT_END,
};

int main(void)
{
    return unit_run("race", tests);
}
