/* SPDX-License-Identifier: MIT */
/*
 * One record of the audit: fields, put in one after the other, and written out in one of two forms:
 * as a datagram of the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), or as
 * key=value on one line. Whatever bytes a value holds, neither form can be broken out of. Pure.
 *
 * Bounded: a record takes RECORD_ITEMS fields and RECORD_BYTES bytes of what was formatted for it;
 * what does not fit is left out and counted.
 */
#ifndef MSG_DAEMON_NET_RECORD_H
#define MSG_DAEMON_NET_RECORD_H

#include "protocol/slice.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * X(ID, "the journal's name", "the line's key"); NULL: not in the line. In the order of the line.
 */
#define RECORD_FIELDS(X)                                                                           \
    X(MESSAGE, "MESSAGE", NULL)                                                                    \
    X(MESSAGE_ID, "MESSAGE_ID", NULL)                                                              \
    X(PRIORITY, "PRIORITY", NULL)                                                                  \
    X(IDENTIFIER, "SYSLOG_IDENTIFIER", NULL)                                                       \
    X(REQUEST, "MSG_REQUEST", "request")                                                           \
    X(OUTCOME, "MSG_OUTCOME", "outcome")                                                           \
    X(PRINCIPAL, "MSG_PRINCIPAL", "principal")                                                     \
    X(ACCOUNT, "MSG_ACCOUNT", "account")                                                           \
    X(NAME, "MSG_NAME", "name")                                                                    \
    X(ADDRESS, "MSG_ADDRESS", "address")                                                           \
    X(KEY, "MSG_KEY", "key")                                                                       \
    X(SIGNER, "MSG_SIGNER", "signer")                                                              \
    X(SERIAL, "MSG_SERIAL", "serial")                                                              \
    X(UID, "MSG_UID", "uid")                                                                       \
    X(AT, "MSG_AT", "at")                                                                          \
    X(NUMBER, "MSG_NUMBER", "number")                                                              \
    X(GRANTED, "MSG_GRANTED_KEY", "granted-key")                                                   \
    X(INVITATION, "MSG_INVITATION", "invitation")                                                  \
    X(STEP, "MSG_STEP", "step")                                                                    \
    X(REASON, "MSG_REASON", "reason")                                                              \
    X(FIELD, "MSG_FIELD", "field")                                                                 \
    X(TARGETS, "MSG_TARGETS", "targets")                                                           \
    X(COUNT, "MSG_DELIVERIES", "deliveries")                                                       \
    X(DELIVERY, "MSG_DELIVERY", "delivery")                                                        \
    X(MISS, "MSG_MISS", "miss")                                                                    \
    X(LEFT_OUT, "MSG_LEFT_OUT", "left-out")                                                        \
    X(TITLE, "MSG_TITLE", "title")                                                                 \
    X(TEXT, "MSG_TEXT", "text")

enum record_field {
#define X(ID, name, key) RECORD_##ID,
    RECORD_FIELDS(X)
#undef X
        RECORD_FIELD_COUNT
};

#define RECORD_ITEMS 128
#define RECORD_BYTES 12288
#define RECORD_LINE  3800 /* with its head below PIPE_BUF: no other line comes in between */

struct record_item {
    enum record_field field;
    struct slice value;
};

struct record {
    struct record_item items[RECORD_ITEMS];
    size_t n;
    char text[RECORD_BYTES]; /* values that were formatted */
    size_t len;
    unsigned left_out;
};

/* Begins; the large array stays as it lies. */
void record_begin(struct record *ret_record);
/* The value is borrowed as long as the record is used; an empty one is no field. */
void record_put(struct record *record, enum record_field field, struct slice value);
/* Formatted into the record; all or nothing. */
void record_format(struct record *record, enum record_field field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The first value of a field; empty if there is none. */
struct slice record_get(const struct record *record, enum record_field field);

/*
 * A word of a list: blanks, quotes, backslashes, and what cannot be printed, as \x20. Cut at the
 * capacity, terminated; returns the length.
 */
size_t record_word(struct slice word, char *out, size_t capacity);

/* A datagram for the journal; 0 if it does not fit. */
size_t record_journal(const struct record *record, char *out, size_t capacity);
/*
 * One line, without LF, terminated: key=value parted by blanks, a value in quotes where it holds
 * blanks or quotes, in the order of RECORD_FIELDS. From the first that does not fit they are left
 * out, and the line ends in cut=yes.
 */
size_t record_line(const struct record *record, char *out, size_t capacity);

/*
 * A record in one piece of memory, until there is more to say: NULL without memory, freed by the
 * caller. What is loaded from it is borrowed from it.
 */
struct record_kept;
struct record_kept *record_keep(const struct record *record);
void record_load(const struct record_kept *kept, struct record *ret_record);

#endif
