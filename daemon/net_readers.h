/* SPDX-License-Identifier: MIT */
/*
 * The receivers' side: what each uid of this host was sent, by its own rising numbers, for ACK and
 * LIST. An entry is open while a delivery of it is; of the ended ones the last LIM_RECENT stay for
 * LIM_RECENT_TIME. Texts are shared between a request and its entries, and all that are held are
 * counted. Pure: memory only, nothing is kept on disk.
 */
#ifndef MSG_DAEMON_NET_READERS_H
#define MSG_DAEMON_NET_READERS_H

#include "daemon/net_hash.h"
#include "protocol/delivery.h"

struct book_request;

/* What is shown, as it was sent: counted references, one block of memory. */
struct held_message {
    unsigned references;
    size_t bytes; /* what it counts for */
    uint64_t at;  /* wall clock of its acceptance */
    bool wait;
    bool local;                       /* the sender is a user of this host */
    size_t name;                      /* bytes at the sender's front that are his name */
    struct slice sender, title, text; /* within the block, like the answers */
    struct slice answers[LIM_ANSWERS];
    size_t n_answers;
};

struct reader_entry {
    uint32_t number;
    uint32_t uid;
    struct held_message *message;
    struct book_request *request; /* while it is open */
    char sess[LIM_NAME + 1];      /* where it is shown; the first place of several */
    enum delivery_state state;
    uint32_t open;                                /* deliveries that are not final */
    uint64_t ended;                               /* wall clock; 0: not yet */
    int64_t ended_ms;                             /* the same on the clock that counts */
    struct reader_entry *next, *prev;             /* of one reader, by number */
    struct reader_entry *older_next, *older_prev; /* of all ended ones, by end */
};

struct reader {
    uint32_t uid;
    uint32_t last_number;
    uint32_t ended; /* how many of the entries */
    struct reader_entry *entries;
    UT_hash_handle hh;
};

struct readers {
    struct reader *table;
    struct reader_entry *ended; /* of all readers, the oldest first */
    size_t held;                /* bytes of all messages */
};

struct held_new { /* lengths are within the protocol's limits */
    struct slice sender, title, text;
    struct slice_list answers;
    size_t name;
    bool local;
    bool wait;
    uint64_t at;
};

/* Copies it, with one reference; NULL if there is no memory. */
struct held_message *held_make(struct readers *readers, const struct held_new *from);
void held_drop(struct readers *readers, struct held_message *message);
/* What a message would count for. */
size_t held_size(const struct held_new *from);

/* A new entry with the uid's next number; NULL: no memory, or no number left. */
struct reader_entry *reader_add(struct readers *readers, uint32_t uid,
                                struct held_message *message);
/* One more delivery belongs to the entry. */
void reader_entry_opens(struct reader_entry *entry, struct book_request *request, const char *sess);
/* One does not belong to it after all; with the last one the entry goes. */
void reader_entry_closes(struct readers *readers, struct reader_entry *entry);
/* One of its deliveries has come to a state. */
void reader_entry_enters(struct readers *readers, struct reader_entry *entry,
                         const struct delivery_event *event, struct moment now);

const struct reader_entry *reader_first(const struct readers *readers, uint32_t uid);
struct reader_entry *reader_find(const struct readers *readers, uint32_t uid, uint32_t number);

/* Forgets what is older than LIM_RECENT_TIME; and the oldest ended ones until `bytes` are free. */
void readers_sweep(struct readers *readers, int64_t now_ms);
void readers_make_room(struct readers *readers, size_t bytes, size_t limit);
void readers_clear(struct readers *readers);

#endif
