/* SPDX-License-Identifier: MIT */
/*
 * Who uses how much: counts and rates of accounts, and the gate that strangers pass before any
 * cryptography is spent on them. Pure: time and dice come in, nothing is logged or sent.
 *
 * An account is the uid, the authorized line, or a signer and a name; what does not authenticate
 * has only a source: an IPv4 address or an IPv6 /64.
 */
#ifndef MSG_DAEMON_NET_ACCOUNT_H
#define MSG_DAEMON_NET_ACCOUNT_H

#include "common/any_key.h"
#include "daemon/net_hash.h"
#include "protocol/limits.h"
#include "protocol/noise.h"

#include <sys/socket.h>

struct book_request;

/* Whoever owns uids and requests: a uid of this host, or a static key. Compared as bytes. */
struct principal {
    uint8_t kind; /* enum principal_kind */
    uint8_t id[NOISE_KEY];
};
enum principal_kind { PRINCIPAL_UNIX = 1, PRINCIPAL_KEY = 2, PRINCIPAL_ENDORSED = 3 };

struct principal principal_of_uid(uint32_t uid);
struct principal principal_of_key(const struct noise_public *key);
/* Only ever an account's: all static keys that a signer endorses under one name. */
struct principal principal_of_endorsed(const struct any_key *signer, const char *name);

/* ---- a rate ---------------------------------------------------------------------------------- */

/*
 * So many a period, all of them at once if need be (the generic cell rate algorithm): `next` is the
 * time at which the bucket is full again. Zero-initialized it is full. Times in microseconds.
 */
struct bucket {
    int64_t next;
};

/* 0, or after how many microseconds it can be tried again; then nothing was taken. */
int64_t bucket_take(struct bucket *bucket, uint32_t rate, int64_t period_us, int64_t now_us);

/* ---- accounts -------------------------------------------------------------------------------- */

struct account {
    struct principal principal;
    uint64_t number; /* the presenter's name for it: counted up, never 0 */
    unsigned connections;
    unsigned uids; /* remembered requests */
    struct bucket messages, asks, grants, records;
    struct book_request *finals; /* net_book's: finished ones, the oldest first */
    UT_hash_handle hh;
};

struct accounts {
    struct account *table;
    uint64_t last_number;
};

/* The account, made if missing; NULL if there is no memory. */
struct account *account_of(struct accounts *accounts, const struct principal *principal);
/* Forgets accounts that hold nothing and whose buckets are full: call now and then. */
void accounts_sweep(struct accounts *accounts, int64_t now_us);
void accounts_clear(struct accounts *accounts);

/* One message of `a_minute`: 0, or microseconds to wait. */
int64_t account_message(struct account *account, uint32_t a_minute, int64_t now_us);
/* The same for WHO, of somebody who may send `messages` a minute. */
int64_t account_ask(struct account *account, uint32_t messages, int64_t now_us);
/* The same for what GRANT writes to the disk. */
int64_t account_grant(struct account *account, uint32_t a_minute, int64_t now_us);
/* The same for the audit's records of what is not a message. */
int64_t account_record(struct account *account, int64_t now_us);

/* ---- the gate -------------------------------------------------------------------------------- */

struct gate_limits {
    uint32_t unauthenticated;   /* connections, in all; from half of it on some are dropped early */
    uint32_t source_unauth;     /* connections, of one source */
    uint32_t source_handshakes; /* a second */
    uint32_t handshakes;        /* a second, in all */
};

struct source {
    uint8_t prefix[8];
    unsigned open;
    struct bucket handshakes;
    UT_hash_handle hh;
};

struct gate {
    struct gate_limits limits;
    struct source *sources;
    unsigned open; /* unauthenticated connections */
    struct bucket handshakes;
};

/* The source of an address; false if it is neither IPv4 nor IPv6. */
bool gate_prefix(const struct sockaddr *address, uint8_t ret_prefix[static 8]);

/*
 * A stranger knocks. 0: he is counted until gate_leave(), which comes exactly once, when he has
 * authenticated or has gone. -EBUSY: not now; nothing is counted. dice: any 32 random bits.
 */
int gate_enter(struct gate *gate, const uint8_t prefix[static 8], int64_t now_us, uint32_t dice);
void gate_leave(struct gate *gate, const uint8_t prefix[static 8], int64_t now_us);
void gate_sweep(struct gate *gate, int64_t now_us);
void gate_clear(struct gate *gate);

#endif
