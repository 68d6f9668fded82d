/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>

#include "daemon/net_account.h"
#include "tests/unit/unit.h"

#define SECOND 1000000

static const uint8_t here[8] = {1}, there[8] = {2};

static void a_bucket_gives_its_rate_at_once_and_then_evenly(void)
{
    struct bucket bucket = {0};

    for (int i = 0; i < 60; i++)
        CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 5 * SECOND) == 0);
    CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 5 * SECOND) == SECOND);
    CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 6 * SECOND - 1) == 1);
    CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 6 * SECOND) == 0);
    CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 6 * SECOND) == SECOND);
    for (int i = 0; i < 60; i++)
        CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 900 * SECOND) == 0);
    CU_ASSERT(bucket_take(&bucket, 60, 60 * SECOND, 900 * SECOND) > 0);
}

static void accounts_are_told_apart(void)
{
    struct accounts accounts = {0};
    struct noise_public key = {{0}};
    struct principal ann = principal_of_uid(1000), bob = principal_of_uid(1001),
                     far = principal_of_key(&key), root = principal_of_uid(0);
    struct account *a = account_of(&accounts, &ann);

    CU_ASSERT_FATAL(a != NULL);
    CU_ASSERT(account_of(&accounts, &ann) == a);
    CU_ASSERT(account_of(&accounts, &bob) != a);
    CU_ASSERT(account_of(&accounts, &far) != account_of(&accounts, &root));
    CU_ASSERT(a->number == 1 && account_of(&accounts, &root)->number == 4);
    CU_ASSERT(account_message(a, 1, 1) == 0);
    CU_ASSERT(account_message(a, 1, 1) == 60 * SECOND);
    CU_ASSERT(account_message(account_of(&accounts, &bob), 1, 1) == 0);
    for (int i = 0; i < LIM_ASKS_A_MINUTE; i++)
        CU_ASSERT(account_ask(a, LIM_ASKS_A_MINUTE / 2, 1) == 0);
    CU_ASSERT(account_ask(a, LIM_ASKS_A_MINUTE / 2, 1) == SECOND / 2);
    CU_ASSERT(account_ask(account_of(&accounts, &bob), 1000, 1) == 0);
    CU_ASSERT(account_of(&accounts, &bob)->asks.next == 1 + 60 * SECOND / 2000);
    CU_ASSERT(account_grant(a, 1, 1) == 0 && account_grant(a, 1, 1) == 60 * SECOND);
    accounts_clear(&accounts);
}

static void only_idle_accounts_are_forgotten(void)
{
    struct accounts accounts = {0};
    struct principal of[5];

    for (uint32_t i = 0; i < 5; i++)
        of[i] = principal_of_uid(i);
    account_of(&accounts, &of[0])->connections = 1;
    account_of(&accounts, &of[1])->uids = 1;
    account_message(account_of(&accounts, &of[2]), 60, 0);
    account_ask(account_of(&accounts, &of[3]), 1, 0); /* half a second */
    account_grant(account_of(&accounts, &of[4]), 120, 0);
    accounts_sweep(&accounts, SECOND / 2 - 1);
    CU_ASSERT(HASH_COUNT(accounts.table) == 5);
    accounts_sweep(&accounts, SECOND - 1);
    CU_ASSERT(HASH_COUNT(accounts.table) == 3);
    accounts_sweep(&accounts, SECOND);
    CU_ASSERT(HASH_COUNT(accounts.table) == 2);
    accounts_clear(&accounts);
    CU_ASSERT(HASH_COUNT(accounts.table) == 0);
}

static struct gate gate_of(uint32_t all, uint32_t source, uint32_t source_rate, uint32_t rate)
{
    return (struct gate){.limits = {.unauthenticated = all,
                                    .source_unauth = source,
                                    .source_handshakes = source_rate,
                                    .handshakes = rate}};
}

static void a_source_has_so_many_open(void)
{
    struct gate gate = gate_of(100, 2, 100, 100);

    CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 0) == -EBUSY);
    CU_ASSERT(gate_enter(&gate, there, 0, 0) == 0);
    gate_leave(&gate, here, 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
    CU_ASSERT(gate.open == 3);
    gate_clear(&gate);
}

static void a_source_has_its_rate(void)
{
    struct gate gate = gate_of(100, 100, 20, 1000);

    for (int i = 0; i < 20; i++) {
        CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
        gate_leave(&gate, here, 0);
    }
    CU_ASSERT(gate_enter(&gate, here, 0, 0) == -EBUSY);
    CU_ASSERT(gate_enter(&gate, there, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, here, SECOND / 20, 0) == 0);
    CU_ASSERT(gate_enter(&gate, here, SECOND / 20, 0) == -EBUSY);
    gate_clear(&gate);
}

static void all_sources_have_a_rate(void)
{
    struct gate gate = gate_of(100, 100, 100, 3);

    for (uint8_t i = 0; i < 3; i++)
        CU_ASSERT(gate_enter(&gate, (const uint8_t[8]){i}, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, (const uint8_t[8]){9}, 0, 0) == -EBUSY);
    CU_ASSERT(gate_enter(&gate, (const uint8_t[8]){9}, SECOND, 0) == 0);
    gate_clear(&gate);
}

static void the_fuller_the_likelier_turned_away(void)
{
    struct gate gate = gate_of(8, 100, 100, 100);

    for (int i = 0; i < 4; i++)
        CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);      /* 4 open: chance 0 of 4 */
    CU_ASSERT(gate_enter(&gate, here, 0, 4) == -EBUSY); /* 5 open: 1 of 4 */
    CU_ASSERT(gate_enter(&gate, here, 0, 5) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 5) == -EBUSY);
    CU_ASSERT(gate_enter(&gate, here, 0, 7) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 7) == 0);
    CU_ASSERT(gate_enter(&gate, here, 0, 7) == -EBUSY); /* 8: full */
    gate_clear(&gate);
}

static void sources_are_forgotten_when_nothing_is_left_of_them(void)
{
    struct gate gate = gate_of(100, 100, 10, 100);

    CU_ASSERT(gate_enter(&gate, here, 0, 0) == 0);
    CU_ASSERT(gate_enter(&gate, there, 0, 0) == 0);
    gate_leave(&gate, here, SECOND);
    CU_ASSERT(HASH_COUNT(gate.sources) == 1);
    gate_leave(&gate, there, 1); /* its rate is still to be kept */
    CU_ASSERT(HASH_COUNT(gate.sources) == 1);
    gate_leave(&gate, there, 1);
    CU_ASSERT(gate.open == 0);
    gate_sweep(&gate, SECOND);
    CU_ASSERT(HASH_COUNT(gate.sources) == 0);
}

static void same_source(const char *a, const char *b, bool same)
{
    uint8_t prefix[2][8];
    const char *text[2] = {a, b};

    for (int i = 0; i < 2; i++) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        bool is4 = inet_pton(AF_INET, text[i], &v4.sin_addr) == 1;
        CU_ASSERT(is4 || inet_pton(AF_INET6, text[i], &v6.sin6_addr) == 1);
        const struct sockaddr *address =
            is4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
        CU_ASSERT(gate_prefix(address, prefix[i]));
    }
    CU_ASSERT((memcmp(prefix[0], prefix[1], 8) == 0) == same);
}

static void what_a_source_is(void)
{
    struct sockaddr unix_address = {.sa_family = AF_UNIX};
    uint8_t prefix[8];

    same_source("192.0.2.1", "192.0.2.1", true);
    same_source("192.0.2.1", "192.0.2.2", false);
    same_source("192.0.2.1", "::ffff:192.0.2.1", true);
    same_source("2001:db8:1:2::1", "2001:db8:1:2:ffff::", true);
    same_source("2001:db8:1:2::1", "2001:db8:1:3::1", false);
    CU_ASSERT(!gate_prefix(&unix_address, prefix));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_bucket_gives_its_rate_at_once_and_then_evenly),
        UNIT_TEST(accounts_are_told_apart),
        UNIT_TEST(only_idle_accounts_are_forgotten),
        UNIT_TEST(a_source_has_so_many_open),
        UNIT_TEST(a_source_has_its_rate),
        UNIT_TEST(all_sources_have_a_rate),
        UNIT_TEST(the_fuller_the_likelier_turned_away),
        UNIT_TEST(sources_are_forgotten_when_nothing_is_left_of_them),
        UNIT_TEST(what_a_source_is),
        UNIT_END,
    };

    if (sodium_init() < 0)
        return 2;
    hash_start();
    return unit_run("account", tests);
}
