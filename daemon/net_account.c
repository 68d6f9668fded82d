/* SPDX-License-Identifier: MIT */
#include "daemon/net_account.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>

#define SECOND      INT64_C(1000000) /* in microseconds */
#define MINUTE      (60 * SECOND)
#define MAX_SOURCES 65536u

struct principal principal_of_uid(uint32_t uid)
{
    struct principal principal = {.kind = PRINCIPAL_UNIX};

    memcpy(principal.id, &uid, sizeof(uid));
    return principal;
}

struct principal principal_of_key(const struct noise_public *key)
{
    struct principal principal = {.kind = PRINCIPAL_KEY};

    memcpy(principal.id, key->bytes, sizeof(principal.id));
    return principal;
}

struct principal principal_of_endorsed(const struct any_key *signer, const char *name)
{
    struct principal principal = {.kind = PRINCIPAL_ENDORSED};

    crypto_generichash(principal.id, sizeof(principal.id), (const uint8_t *)name, strlen(name),
                       signer->bytes, sizeof(signer->bytes));
    return principal;
}

int64_t bucket_take(struct bucket *bucket, uint32_t rate, int64_t period_us, int64_t now_us)
{
    int64_t cost = period_us / rate;
    int64_t full = bucket->next > now_us ? bucket->next : now_us;

    if (full + cost - now_us > period_us)
        return full + cost - now_us - period_us;
    bucket->next = full + cost;
    return 0;
}

/* ---- accounts -------------------------------------------------------------------------------- */

struct account *account_of(struct accounts *accounts, const struct principal *principal)
{
    struct account *account;

    HASH_FIND(hh, accounts->table, principal, sizeof(*principal), account);
    if (account)
        return account;
    account = calloc(1, sizeof(*account));
    if (!account)
        return NULL;
    account->principal = *principal;
    account->number = ++accounts->last_number;
    HASH_ADD(hh, accounts->table, principal, sizeof(*principal), account);
    if (account->hh.tbl)
        return account;
    free(account);
    return NULL;
}

static void forget_account(struct accounts *accounts, struct account *account)
{
    HASH_DEL(accounts->table, account);
    free(account);
}

void accounts_sweep(struct accounts *accounts, int64_t now_us)
{
    struct account *account, *next;

    HASH_ITER(hh, accounts->table, account, next)
    {
        if (account->connections == 0 && account->uids == 0 && account->messages.next <= now_us &&
            account->asks.next <= now_us && account->grants.next <= now_us &&
            account->records.next <= now_us)
            forget_account(accounts, account);
    }
}

void accounts_clear(struct accounts *accounts)
{
    struct account *account, *next;

    HASH_ITER(hh, accounts->table, account, next)
    forget_account(accounts, account);
}

int64_t account_message(struct account *account, uint32_t a_minute, int64_t now_us)
{
    return bucket_take(&account->messages, a_minute, MINUTE, now_us);
}

int64_t account_ask(struct account *account, uint32_t messages, int64_t now_us)
{
    uint32_t a_minute = messages > LIM_ASKS_A_MINUTE / 2 ? 2 * messages : LIM_ASKS_A_MINUTE;

    return bucket_take(&account->asks, a_minute, MINUTE, now_us);
}

int64_t account_grant(struct account *account, uint32_t a_minute, int64_t now_us)
{
    return bucket_take(&account->grants, a_minute, MINUTE, now_us);
}

int64_t account_record(struct account *account, int64_t now_us)
{
    return bucket_take(&account->records, LIM_RECORDS_A_MINUTE, MINUTE, now_us);
}

/* ---- the gate -------------------------------------------------------------------------------- */

bool gate_prefix(const struct sockaddr *address, uint8_t ret_prefix[static 8])
{
    const uint8_t *v4 = NULL;

    if (address->sa_family == AF_INET) {
        v4 = (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(v6)) {
            memcpy(ret_prefix, v6, 8);
            return true;
        }
        v4 = v6->s6_addr + 12;
    } else {
        return false;
    }
    memset(ret_prefix, 0xff, 4); /* ff00::/8 is multicast: no IPv6 source begins so */
    memcpy(ret_prefix + 4, v4, 4);
    return true;
}

static struct source *source_of(struct gate *gate, const uint8_t prefix[static 8], int64_t now_us)
{
    struct source *source;

    HASH_FIND(hh, gate->sources, prefix, sizeof(source->prefix), source);
    if (source)
        return source;
    if (HASH_COUNT(gate->sources) >= MAX_SOURCES)
        gate_sweep(gate, now_us);
    if (HASH_COUNT(gate->sources) >= MAX_SOURCES)
        return NULL;
    source = calloc(1, sizeof(*source));
    if (!source)
        return NULL;
    memcpy(source->prefix, prefix, sizeof(source->prefix));
    HASH_ADD(hh, gate->sources, prefix, sizeof(source->prefix), source);
    if (source->hh.tbl)
        return source;
    free(source);
    return NULL;
}

/* From half of the limit on, the fuller the gate the likelier a stranger is turned away. */
static bool drop_early(const struct gate *gate, uint32_t dice)
{
    uint32_t half = gate->limits.unauthenticated / 2;

    if (gate->open < half)
        return false;
    return dice % (gate->limits.unauthenticated - half) < gate->open - half;
}

int gate_enter(struct gate *gate, const uint8_t prefix[static 8], int64_t now_us, uint32_t dice)
{
    const struct gate_limits *limits = &gate->limits;

    if (gate->open >= limits->unauthenticated || drop_early(gate, dice))
        return -EBUSY;
    struct source *source = source_of(gate, prefix, now_us);
    if (!source || source->open >= limits->source_unauth)
        return -EBUSY;
    if (bucket_take(&source->handshakes, limits->source_handshakes, SECOND, now_us) > 0 ||
        bucket_take(&gate->handshakes, limits->handshakes, SECOND, now_us) > 0)
        return -EBUSY;
    source->open++;
    gate->open++;
    return 0;
}

static void forget_source(struct gate *gate, struct source *source)
{
    HASH_DEL(gate->sources, source);
    free(source);
}

void gate_leave(struct gate *gate, const uint8_t prefix[static 8], int64_t now_us)
{
    struct source *source;

    HASH_FIND(hh, gate->sources, prefix, sizeof(source->prefix), source);
    if (!source || source->open == 0)
        return;
    gate->open--;
    if (--source->open == 0 && source->handshakes.next <= now_us)
        forget_source(gate, source);
}

void gate_sweep(struct gate *gate, int64_t now_us)
{
    struct source *source, *next;

    HASH_ITER(hh, gate->sources, source, next)
    {
        if (source->open == 0 && source->handshakes.next <= now_us)
            forget_source(gate, source);
    }
}

void gate_clear(struct gate *gate)
{
    struct source *source, *next;

    HASH_ITER(hh, gate->sources, source, next)
    forget_source(gate, source);
}
