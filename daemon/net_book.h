/* SPDX-License-Identifier: MIT */
/*
 * Every request msgd knows, by (principal, uid): found again when it is sent twice, stepped through
 * its life, forgotten LIM_UID_TIME after its end. Owns the requests, the receivers' entries and all
 * deadlines; bounds what is open and held. Pure: what is to be done comes back as actions.
 */
#ifndef MSG_DAEMON_NET_BOOK_H
#define MSG_DAEMON_NET_BOOK_H

#include "common/trust.h"
#include "daemon/net_account.h"
#include "daemon/net_heap.h"
#include "daemon/net_readers.h"
#include "daemon/net_resolve.h"

struct follow;
struct record_kept;

#define BOOK_UID  16
#define BOOK_HASH 32

struct book_key { /* bytes only: hashed and compared as they lie */
    struct principal principal;
    uint8_t uid[BOOK_UID];
};

/* Delivery d of a request: to[d - 1]. */
struct book_target {
    uint64_t session; /* the presenter's handle */
    uint32_t uid;
    uint32_t reach, shown_reach; /* enum session_reach: when it was accepted, and as it was shown */
    char user[LIM_NAME + 1];
    char sess[LIM_NAME + 1];
    char id[LIM_NAME + 1];
    char terminal[LIM_NAME + 1];
    char state[16];             /* of the session, where it is neither active nor online */
    char by[LIM_NAME + 1];      /* the program that shows it, as it names itself; or empty */
    struct reader_entry *entry; /* NULL once the delivery is final */
};

struct book_request {
    struct book_key key;
    uint8_t body[BOOK_HASH]; /* of the map's bytes */
    uint64_t number;         /* counted up; the deliveries' names begin with it */
    struct account *account;
    struct trust_claim claim; /* on what its sender was let in; of a key */
    struct request life;
    struct book_target *to;  /* life.n of them */
    struct msg_miss *misses; /* their strings lie behind them, in the same memory */
    size_t n_misses;
    struct held_message *message;
    struct record_kept *record; /* net_audit's, until the end: one piece of memory */
    bool override;
    int64_t accepted_ms;   /* on the clock that counts */
    struct follow *holder; /* the connection's id that follows it; NULL: nobody */
    struct deadline deadline;
    int64_t forget_at;                            /* once it is finished */
    struct book_request *final_next, *final_prev; /* of its account, the oldest first */
    UT_hash_handle hh, by_number;
};

struct book_limits {
    uint64_t deliveries; /* open ones, in all */
    uint64_t text;       /* bytes held, in all */
    uint64_t uids;       /* remembered for one account */
};

struct book {
    struct book_limits limits;
    struct book_request *table, *numbers;
    struct readers readers;
    struct heap heap;
    uint64_t last_number;
    uint64_t open; /* deliveries */
};

struct book_new {
    struct book_key key;
    uint8_t body[BOOK_HASH];
    struct account *account;
    struct trust_claim claim;
    struct held_new message;
    struct request_terms terms; /* failures is taken from resolved */
    bool override;
    const struct net_sessions *sessions;
    const struct resolved *resolved; /* at least one session */
};

struct book_request *book_find(const struct book *book, const struct book_key *key);

/* The delivery's name between msgd and the presenter; and back: NULL for one that is not known. */
uint64_t book_delivery_name(const struct book_request *request, uint32_t d);
struct book_request *book_by_delivery(const struct book *book, uint64_t name, uint32_t *ret_d);

/*
 * Makes room for one more request of n deliveries, at the cost of the account's own oldest finished
 * one and of the receivers' oldest ended messages. 0, or -EBUSY.
 */
int book_make_room(struct book *book, struct account *account, size_t n, size_t bytes);

/* Enters a request and gives each receiver his number; it has not started. 0 or -ENOMEM. */
int book_add(struct book *book, const struct book_new *new, struct book_request **ret_request);

/* request_step(), and what follows from it for receivers, counts and deadlines. */
void book_step(struct book *book, struct book_request *request, const struct request_event *event,
               struct moment now, struct request_actions *ret_actions);

/* When book_due() has something; NEVER. */
int64_t book_next(const struct book *book);
/* A request to be given EVENT_TICK, or NULL; forgets what is over. Call until it gives NULL. */
struct book_request *book_due(struct book *book, struct moment now);

/*
 * The delivery that an ACK of this entry acknowledges: of those that wait that in the session sess
 * (by its name or terminal), else the first; 0: it is too late.
 */
uint32_t book_awaiting(const struct reader_entry *entry, struct slice sess);

void book_clear(struct book *book);

#endif
