/* SPDX-License-Identifier: MIT */
/*
 * The messages of the protocol as structs, expanded from messages.def, and the one encoder and the
 * one decoder for all of them. Decoded strings and lists are borrowed from the frame and from the
 * decoded message: copy what is to be kept. Fields are named as on the wire (PROTOCOL.md).
 */
#ifndef MSG_PROTOCOL_MESSAGES_H
#define MSG_PROTOCOL_MESSAGES_H

#include "protocol/wire.h"

/* An array of strings or byte strings. */
struct slice_list {
    const struct slice *items;
    size_t n;
};

/* Each record and message: its list type, then its struct. */
#define RECORD(name)                                                                               \
    struct msg_##name##_list {                                                                     \
        const struct msg_##name *items;                                                            \
        size_t n;                                                                                  \
    };                                                                                             \
    struct msg_##name {
#define MESSAGE(NAME, name, type, FROM) struct msg_##name {
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#define UINT(owner, key, need, max)           uint64_t key;
#define COUNT(owner, member, key, max)        uint64_t member;
#define BOOL(owner, key, need)                bool key;
#define NAME(owner, key, need, max)           struct slice key;
#define TEXT(owner, key, need, max)           struct slice key;
#define BIN(owner, key, need, size)           struct slice key;
#define BLOB(owner, key, need, max)           struct slice key;
#define NAMES(owner, key, need, items, max)   struct slice_list key;
#define BLOBS(owner, key, need, items, max)   struct slice_list key;
#define MAP(owner, key, need, record)         struct msg_##record key;
#define MAPS(owner, key, need, record, items) struct msg_##record##_list key;
#include "protocol/messages.def"

enum msg_type {
#define MESSAGE(NAME, name, type, FROM) MSG_##NAME = (type),
#include "protocol/messages.def"
};

/* Who may send a message; a peer that sends the other side's gets bad-message. */
enum msg_from { MSG_FROM_CLIENT = 1, MSG_FROM_SERVER = 2, MSG_FROM_BOTH = 3 };

struct msg {
    uint32_t type; /* an enum msg_type, or an unknown one: then `u` is empty */
    uint32_t id;   /* 0: the connection itself */
    union {
#define MESSAGE(NAME, name, type, FROM) struct msg_##name name;
#include "protocol/messages.def"
    } u;
    struct slice map; /* decoded: the bytes of the body, as they came; ignored when encoding */
};

/* Why a frame was refused: an ERROR code, and the field it is about ("" where there is none). */
struct msg_fault {
    const char *code; /* a literal */
    char at[LIM_NAME + 1];
    bool fatal; /* not even [type, id, {map}]: GOAWAY and close; else ERROR on the message's id */
};

/*
 * Reads one frame's plaintext. 0: *ret_msg is filled and must be released, *doc holds its memory.
 * -EBADMSG: *ret_fault says why; ret_msg->type and ->id are set unless it is fatal; nothing to
 * release. -ENOMEM. An unknown type is no error: ret_msg->type holds it (odd ones may be ignored).
 */
int msg_decode(struct msg *ret_msg, struct wire_doc *doc, const uint8_t *bytes, size_t len,
               struct msg_fault *ret_fault);

/* Who sends this type: an enum msg_from; 0 for an unknown type. */
int msg_sender(uint32_t type);

/* The name in messages.def, or "unknown". */
const char *msg_name(uint32_t type);

/*
 * Writes one frame's plaintext; returns its length. -EMSGSIZE: does not fit into capacity (never
 * more than LIM_PLAINTEXT is written). -EINVAL: a field is missing or beyond its limit, that is,
 * the reader would refuse it.
 */
ssize_t msg_encode(const struct msg *msg, uint8_t *buffer, size_t capacity);

/* The handshake's payloads: one map without type and id. Same returns as above. */
int msg_decode_hello2(struct msg_hello2 *ret_hello, struct wire_doc *doc, const uint8_t *bytes,
                      size_t len);
int msg_decode_hello3(struct msg_hello3 *ret_hello, struct wire_doc *doc, const uint8_t *bytes,
                      size_t len);
ssize_t msg_encode_hello2(const struct msg_hello2 *hello, uint8_t *buffer, size_t capacity);
ssize_t msg_encode_hello3(const struct msg_hello3 *hello, uint8_t *buffer, size_t capacity);

/* Which key a selector has: exactly one must be set. */
enum selector_kind { SEL_NONE, SEL_USER, SEL_SESSION, SEL_ID, SEL_NAME, SEL_ALL, SEL_ME };
enum selector_kind msg_selector_kind(const struct msg_selector *selector);

#endif
