/* SPDX-License-Identifier: MIT */
#include "protocol/messages_table.h"

#define FIELD(owner, member, name, kind, need, max, items, record)                                 \
    {{name, sizeof(name) - 1},                                                                     \
     kind,                                                                                         \
     need,                                                                                         \
     max,                                                                                          \
     items,                                                                                        \
     offsetof(struct msg_##owner, member),                                                         \
     record},
#define RECORD(name)                        static const struct field fields_##name[] = {
#define MESSAGE(NAME, name, type, FROM)     static const struct field fields_##name[] = {
#define UINT(owner, key, need, max)         FIELD(owner, key, #key, K_UINT, need, max, 0, NULL)
#define COUNT(owner, member, key, max)      FIELD(owner, member, key, K_UINT, OPT, max, 0, NULL)
#define BOOL(owner, key, need)              FIELD(owner, key, #key, K_BOOL, need, 1, 0, NULL)
#define NAME(owner, key, need, max)         FIELD(owner, key, #key, K_NAME, need, max, 0, NULL)
#define TEXT(owner, key, need, max)         FIELD(owner, key, #key, K_TEXT, need, max, 0, NULL)
#define BIN(owner, key, need, size)         FIELD(owner, key, #key, K_BIN, need, size, 0, NULL)
#define BLOB(owner, key, need, max)         FIELD(owner, key, #key, K_BLOB, need, max, 0, NULL)
#define NAMES(owner, key, need, items, max) FIELD(owner, key, #key, K_NAMES, need, max, items, NULL)
#define BLOBS(owner, key, need, items, max) FIELD(owner, key, #key, K_BLOBS, need, max, items, NULL)
#define MAP(owner, key, need, record)       FIELD(owner, key, #key, K_MAP, need, 0, 0, &record_##record)
#define MAPS(owner, key, need, record, items)                                                      \
    FIELD(owner, key, #key, K_MAPS, need, 0, items, &record_##record)
#define END(name)                                                                                  \
    }                                                                                              \
    ;                                                                                              \
    static const struct record record_##name = {fields_##name,                                     \
                                                sizeof(fields_##name) / sizeof(fields_##name[0]),  \
                                                sizeof(struct msg_##name)};
#include "protocol/messages.def"

static const struct {
    uint32_t type;
    int from;
    const char *name;
    const struct record *record;
} table[] = {
#define MESSAGE(NAME, name, type, FROM) {type, MSG_FROM_##FROM, #NAME, &record_##name},
#include "protocol/messages.def"
};

const struct record *const record_of_hello2 = &record_hello2;
const struct record *const record_of_hello3 = &record_hello3;

const struct record *record_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].type == type)
            return table[i].record;
    return NULL;
}

int msg_sender(uint32_t type)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].type == type)
            return table[i].from;
    return 0;
}

const char *msg_name(uint32_t type)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].type == type)
            return table[i].name;
    return "unknown";
}

/* ---- what can be built fits: the longest and the most numerous form of each record ----------- */

#define KEY_SIZE(key)                   (1 + (int)sizeof(key) - 1)
#define RECORD(name)                    enum { SIZE_##name = 3
#define MESSAGE(NAME, name, type, FROM) enum { SIZE_##name = 3 + 1 + 5 + 5 /* [type, id, {}] */
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#define UINT(owner, key, need, max)           +KEY_SIZE(#key) + 9
#define COUNT(owner, member, key, max)        +KEY_SIZE(key) + 9
#define BOOL(owner, key, need)                +KEY_SIZE(#key) + 1
#define NAME(owner, key, need, max)           +KEY_SIZE(#key) + 3 + (max)
#define TEXT(owner, key, need, max)           +KEY_SIZE(#key) + 3 + (max)
#define BIN(owner, key, need, size)           +KEY_SIZE(#key) + 3 + (size)
#define BLOB(owner, key, need, max)           +KEY_SIZE(#key) + 3 + (max)
#define NAMES(owner, key, need, items, max)   +KEY_SIZE(#key) + 3 + (items) * (3 + (max))
#define BLOBS(owner, key, need, items, max)   +KEY_SIZE(#key) + 3 + (items) * (3 + (max))
#define MAP(owner, key, need, record)         +KEY_SIZE(#key) + SIZE_##record
#define MAPS(owner, key, need, record, items) +KEY_SIZE(#key) + 3 + (items)*SIZE_##record
#include "protocol/messages.def"

/* An EVENT holds one of its lists at a time; what is left of it beside any of them: */
enum {
    SIZE_event_rest = SIZE_events - LIM_EVENTS * SIZE_event - LIM_MISSES * SIZE_miss -
                      LIM_EVENTS * SIZE_session - SIZE_message
};
_Static_assert(SIZE_event_rest + LIM_EVENTS * SIZE_event <= LIM_PLAINTEXT, "events");
_Static_assert(SIZE_event_rest + LIM_MISSES * SIZE_miss <= LIM_PLAINTEXT, "misses");
_Static_assert(SIZE_event_rest + LIM_EVENTS * SIZE_session <= LIM_PLAINTEXT, "sessions");
_Static_assert(SIZE_event_rest + SIZE_message <= LIM_PLAINTEXT, "a message for LIST");
_Static_assert(SIZE_welcome <= LIM_PLAINTEXT && SIZE_result <= LIM_PLAINTEXT, "WELCOME, RESULT");
_Static_assert(SIZE_granted <= LIM_PLAINTEXT, "GRANTED");
_Static_assert(SIZE_error <= LIM_PLAINTEXT && SIZE_goaway <= LIM_PLAINTEXT, "ERROR, GOAWAY");
_Static_assert(SIZE_hello2 + 96 <= LIM_HANDSHAKE_2, "the server's hello");
_Static_assert(SIZE_hello3 + 64 <= LIM_HANDSHAKE_3, "the client's hello");
/* Nodes of the most numerous: a map, a key and a value for each field. */
_Static_assert(LIM_MISSES *(1 + 2 * 5) + 16 <= LIM_NODES, "misses");
_Static_assert(LIM_OWN_KEYS *(1 + 2 * 2) + 24 <= LIM_NODES, "own keys");
_Static_assert(LIM_EVENTS *(1 + 2 * 13) + 16 <= LIM_NODES, "events, sessions");

/* ---- rules of fields ------------------------------------------------------------------------- */

static bool has_control(struct slice string)
{
    for (size_t i = 0; i < string.len; i++) {
        uint8_t byte = (uint8_t)string.ptr[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
        if (byte == 0xc2 && i + 1 < string.len && (uint8_t)string.ptr[i + 1] < 0xa0)
            return true; /* C1 */
    }
    return false;
}

bool field_is_clean(struct slice string)
{
    return wire_utf8(string) && !has_control(string);
}

const char *field_judge(const struct field *field, struct slice string)
{
    switch (field->kind) {
    case K_TEXT: /* its words are judged by the request's owner */
        return string.len > field->max ? "too-large" : NULL;
    case K_BIN:
        return string.len != field->max ? "bad-message" : NULL;
    case K_BLOB:
    case K_BLOBS:
        return string.len == 0 ? "bad-message" : string.len > field->max ? "too-large" : NULL;
    case K_NAME:
    case K_NAMES:
        if (string.len > field->max)
            return "too-large";
        return string.len == 0 || !field_is_clean(string) ? "bad-message" : NULL;
    case K_UINT:
    case K_BOOL:
    case K_MAP:
    case K_MAPS:
        break;
    }
    return "bad-message";
}

bool field_is_bytes(const struct field *field)
{
    return field->kind == K_BIN || field->kind == K_BLOB || field->kind == K_BLOBS;
}

/* An EVENT tells of one kind of thing. */
static bool events_are_valid(const struct msg_events *events)
{
    bool message = events->message.sess.len > 0; /* required in it, and never empty */

    return (events->ev.n > 0) + (events->miss.n > 0) + (events->who.n > 0) + message == 1;
}

static bool grant_is_valid(const struct msg_grant *grant)
{
    return grant->add.len == 0 || grant->take.len == 0;
}

bool record_is_valid(const struct record *record, const void *item)
{
    if (record == &record_selector)
        return msg_selector_kind(item) != SEL_NONE;
    if (record == &record_grant)
        return grant_is_valid(item);
    return record != &record_events || events_are_valid(item);
}

/* ---- selectors ------------------------------------------------------------------------------- */

enum selector_kind msg_selector_kind(const struct msg_selector *selector)
{
    const struct {
        bool there;
        enum selector_kind kind;
    } keys[] = {
        {selector->user.len > 0, SEL_USER}, {selector->session.len > 0, SEL_SESSION},
        {selector->id.len > 0, SEL_ID},     {selector->name.len > 0, SEL_NAME},
        {selector->all, SEL_ALL},           {selector->me, SEL_ME},
    };
    enum selector_kind kind = SEL_NONE;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!keys[i].there)
            continue;
        if (kind != SEL_NONE)
            return SEL_NONE;
        kind = keys[i].kind;
    }
    return kind;
}
