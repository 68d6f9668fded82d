/* SPDX-License-Identifier: MIT */
/*
 * messages.def as a table: what the one decoder (messages_read.c) and the one encoder
 * (messages_write.c) walk. Nobody else includes this.
 */
#ifndef MSG_PROTOCOL_MESSAGES_TABLE_H
#define MSG_PROTOCOL_MESSAGES_TABLE_H

#include "protocol/messages.h"

enum kind { K_UINT, K_BOOL, K_NAME, K_TEXT, K_BIN, K_BLOB, K_NAMES, K_BLOBS, K_MAP, K_MAPS };
enum need { OPT, REQ };

struct record;

struct field {
    struct slice key;
    enum kind kind;
    enum need need;
    uint64_t max; /* value, or bytes of one string */
    size_t items; /* of an array */
    size_t offset;
    const struct record *record; /* MAP, MAPS */
};

struct record {
    const struct field *fields;
    size_t n;
    size_t size; /* of its struct */
};

/* NULL for an unknown type. */
const struct record *record_of(uint32_t type);
extern const struct record *const record_of_hello2, *const record_of_hello3;

/* NULL if the string may stand in a field of this kind, else the ERROR code. */
const char *field_judge(const struct field *field, struct slice string);
/* UTF-8 without control characters. */
bool field_is_clean(struct slice string);
/* True if the field holds bytes, not text. */
bool field_is_bytes(const struct field *field);
/*
 * Rules that a table cannot say: a selector has exactly one key, an EVENT exactly one kind, GRANT
 * at most one of its two.
 */
bool record_is_valid(const struct record *record, const void *item);

#endif
