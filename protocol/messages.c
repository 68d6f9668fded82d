/* SPDX-License-Identifier: MIT */
#include "protocol/messages.h"

#include <errno.h>
#include <stdio.h>

/* ---- the list as a table ------------------------------------------------------------------------
 */

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
#define RECORD(name)
#define MESSAGE(NAME, name, type, FROM) {type, MSG_FROM_##FROM, #NAME, &record_##name},
#define END(name)
#define UINT(owner, key, need, max)
#define COUNT(owner, member, key, max)
#define BOOL(owner, key, need)
#define NAME(owner, key, need, max)
#define TEXT(owner, key, need, max)
#define BIN(owner, key, need, size)
#define BLOB(owner, key, need, max)
#define NAMES(owner, key, need, items, max)
#define BLOBS(owner, key, need, items, max)
#define MAP(owner, key, need, record)
#define MAPS(owner, key, need, record, items)
#include "protocol/messages.def"
};

static const struct record *record_of(uint32_t type)
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

/* ---- what can be built fits: the longest and the most numerous form of each record
 * ---------------- */

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
    SIZE_event_rest = SIZE_events - LIM_EVENTS * SIZE_event - LIM_SELECTORS * SIZE_miss -
                      LIM_EVENTS * SIZE_session - SIZE_message
};
_Static_assert(SIZE_event_rest + LIM_EVENTS * SIZE_event <= LIM_PLAINTEXT, "events");
_Static_assert(SIZE_event_rest + LIM_SELECTORS * SIZE_miss <= LIM_PLAINTEXT, "misses");
_Static_assert(SIZE_event_rest + LIM_EVENTS * SIZE_session <= LIM_PLAINTEXT, "sessions");
_Static_assert(SIZE_event_rest + SIZE_message <= LIM_PLAINTEXT, "a message for LIST");
_Static_assert(SIZE_welcome <= LIM_PLAINTEXT && SIZE_result <= LIM_PLAINTEXT, "WELCOME, RESULT");
_Static_assert(SIZE_error <= LIM_PLAINTEXT && SIZE_goaway <= LIM_PLAINTEXT, "ERROR, GOAWAY");
_Static_assert(SIZE_hello2 + 96 <= LIM_HANDSHAKE_2 + LIM_ENDORSEMENTS * LIM_ENDORSEMENT, "hello");
_Static_assert(SIZE_hello3 - LIM_ENDORSEMENTS * LIM_ENDORSEMENT + 64 <= LIM_HANDSHAKE_3, "hello");
/* Nodes of the most numerous: a map, a key and a value for each field. */
_Static_assert(LIM_SELECTORS *(1 + 2 * 3) + 16 <= LIM_NODES, "misses");
_Static_assert(LIM_EVENTS *(1 + 2 * 12) + 16 <= LIM_NODES, "events, sessions");

/* ---- reading
 * -------------------------------------------------------------------------------------- */

struct reader {
    struct wire_doc *doc;
    struct msg_fault *fault;
};

/* Names the field: its key alone, or key.index in an array. */
static int refuse(struct reader *reader, const char *code, const struct field *field, size_t index)
{
    struct msg_fault *fault = reader->fault;

    if (fault->at[0] != '\0' || code == NULL)
        return -EBADMSG; /* an inner record has spoken */
    fault->code = code;
    if (field->kind == K_NAMES || field->kind == K_BLOBS || field->kind == K_MAPS)
        snprintf(fault->at, sizeof(fault->at), "%s.%zu", field->key.ptr, index);
    else
        snprintf(fault->at, sizeof(fault->at), "%s", field->key.ptr);
    return -EBADMSG;
}

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

/* NULL if the string may stand in a field of this kind, else the ERROR code. */
static const char *judge_string(const struct field *field, struct slice string)
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
        return string.len == 0 || !wire_utf8(string) || has_control(string) ? "bad-message" : NULL;
    case K_UINT:
    case K_BOOL:
    case K_MAP:
    case K_MAPS:
        break;
    }
    return "bad-message";
}

static bool is_bytes(const struct field *field)
{
    return field->kind == K_BIN || field->kind == K_BLOB || field->kind == K_BLOBS;
}

static const char *read_string(const struct field *field, const msgpack_object *value,
                               struct slice *ret_string)
{
    struct slice string;

    if (is_bytes(field) && value->type == MSGPACK_OBJECT_BIN)
        string = (struct slice){value->via.bin.ptr, value->via.bin.size};
    else if (!is_bytes(field) && value->type == MSGPACK_OBJECT_STR)
        string = (struct slice){value->via.str.ptr, value->via.str.size};
    else
        return "bad-message";
    const char *code = judge_string(field, string);
    if (code == NULL)
        *ret_string = string;
    return code;
}

static int read_record(struct reader *reader, const struct record *record,
                       const msgpack_object *value, void *out);

static bool is_valid_item(const struct record *record, const void *item)
{
    return record != &record_selector || msg_selector_kind(item) != SEL_NONE;
}

/* An array of strings or of records, into memory of the document's. */
static int read_list(struct reader *reader, const struct field *field, const msgpack_object *value,
                     void *out)
{
    size_t size = field->kind == K_MAPS ? field->record->size : sizeof(struct slice);
    struct slice_list *list = out; /* lists of records have the same shape */

    if (value->type != MSGPACK_OBJECT_ARRAY)
        return refuse(reader, "bad-message", field, 0);
    size_t n = value->via.array.size;
    if (n > field->items)
        return refuse(reader, "too-many", field, field->items);
    if (n == 0)
        return field->need == REQ ? refuse(reader, "bad-message", field, 0) : 0;

    char *items = msgpack_zone_malloc(&reader->doc->zone, n * size);
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const msgpack_object *item = &value->via.array.ptr[i];
        if (field->kind == K_MAPS) {
            int result = read_record(reader, field->record, item, items + i * size);
            if (result == -ENOMEM)
                return result;
            if (result < 0 || !is_valid_item(field->record, items + i * size)) {
                reader->fault->at[0] = '\0'; /* the place in the array says more than its inside */
                return refuse(reader, result < 0 ? reader->fault->code : "bad-message", field, i);
            }
        } else {
            const char *code = read_string(field, item, (struct slice *)(void *)items + i);
            if (code != NULL)
                return refuse(reader, code, field, i);
        }
    }
    *list = (struct slice_list){(const void *)items, n};
    return 0;
}

static int read_field(struct reader *reader, const struct field *field, const msgpack_object *value,
                      void *out)
{
    const char *code = "bad-message";

    switch (field->kind) {
    case K_UINT:
        if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
            code = value->via.u64 > field->max ? "too-large" : NULL;
            *(uint64_t *)out = value->via.u64;
        }
        break;
    case K_BOOL:
        if (value->type == MSGPACK_OBJECT_BOOLEAN) {
            code = NULL;
            *(bool *)out = value->via.boolean;
        }
        break;
    case K_NAME:
    case K_TEXT:
    case K_BIN:
    case K_BLOB:
        code = read_string(field, value, out);
        break;
    case K_NAMES:
    case K_BLOBS:
    case K_MAPS:
        return read_list(reader, field, value, out);
    case K_MAP:
        return read_record(reader, field->record, value, out);
    }
    return code == NULL ? 0 : refuse(reader, code, field, 0);
}

static const struct field *find_field(const struct record *record, struct slice key)
{
    for (size_t i = 0; i < record->n; i++)
        if (slice_eq(record->fields[i].key, key))
            return &record->fields[i];
    return NULL;
}

/* The key may be the other side's own; it is named only if an ERROR could carry it. */
static int refuse_key(struct reader *reader, const char *code, struct slice key)
{
    bool fit = wire_utf8(key) && !has_control(key);

    reader->fault->code = code;
    snprintf(reader->fault->at, sizeof(reader->fault->at), "%.*s", fit ? (int)key.len : 0, key.ptr);
    return -EBADMSG;
}

static int read_record(struct reader *reader, const struct record *record,
                       const msgpack_object *value, void *out)
{
    uint32_t seen = 0;

    memset(out, 0, record->size);
    if (value->type != MSGPACK_OBJECT_MAP)
        return refuse_key(reader, "bad-message", SLICE("map"));
    for (size_t i = 0; i < value->via.map.size; i++) {
        const msgpack_object_kv *entry = &value->via.map.ptr[i];
        struct slice key = {entry->key.via.str.ptr, entry->key.via.str.size};
        const struct field *field = find_field(record, key);
        if (field == NULL) {
            if (key.len > 0 && key.ptr[0] == '!')
                return refuse_key(reader, "unsupported", key);
            continue;
        }
        int result = read_field(reader, field, &entry->val, (char *)out + field->offset);
        if (result < 0)
            return result;
        seen |= 1u << (field - record->fields);
    }
    for (size_t i = 0; i < record->n; i++)
        if (record->fields[i].need == REQ && !(seen & 1u << i))
            return refuse_key(reader, "bad-message", record->fields[i].key);
    return 0;
}

static bool read_u32(const msgpack_object *value, uint32_t *ret_number)
{
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER || value->via.u64 > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)value->via.u64;
    return true;
}

static int decode_body(struct msg *msg, struct wire_doc *doc, struct msg_fault *fault)
{
    struct reader reader = {doc, fault};
    const msgpack_object *root = &doc->root;

    if (root->type != MSGPACK_OBJECT_ARRAY || root->via.array.size != 3 ||
        !read_u32(&root->via.array.ptr[0], &msg->type) ||
        !read_u32(&root->via.array.ptr[1], &msg->id) ||
        root->via.array.ptr[2].type != MSGPACK_OBJECT_MAP) {
        *fault = (struct msg_fault){.code = "bad-message", .fatal = true};
        return -EBADMSG;
    }
    const struct record *record = record_of(msg->type);
    return record ? read_record(&reader, record, &root->via.array.ptr[2], &msg->u) : 0;
}

int msg_decode(struct msg *ret_msg, struct wire_doc *doc, const uint8_t *bytes, size_t len,
               struct msg_fault *ret_fault)
{
    struct msg msg = {0};
    struct msg_fault fault = {.code = "bad-message", .fatal = true};
    struct wire_doc read;

    int result = wire_read(&read, bytes, len);
    if (result == 0) {
        fault = (struct msg_fault){.code = "bad-message"};
        result = decode_body(&msg, &read, &fault);
        if (result < 0)
            wire_release(&read);
        else
            *doc = read;
    }
    if (result == -EBADMSG)
        *ret_fault = fault;
    *ret_msg = msg;
    return result;
}

static int decode_payload(const struct record *record, void *out, struct wire_doc *doc,
                          const uint8_t *bytes, size_t len)
{
    struct msg_fault fault = {0};
    struct wire_doc read;
    struct reader reader = {&read, &fault};

    int result = wire_read(&read, bytes, len);
    if (result < 0)
        return result;
    result = read_record(&reader, record, &read.root, out);
    if (result < 0)
        wire_release(&read);
    else
        *doc = read;
    return result;
}

int msg_decode_hello2(struct msg_hello2 *ret_hello, struct wire_doc *doc, const uint8_t *bytes,
                      size_t len)
{
    return decode_payload(&record_hello2, ret_hello, doc, bytes, len);
}

int msg_decode_hello3(struct msg_hello3 *ret_hello, struct wire_doc *doc, const uint8_t *bytes,
                      size_t len)
{
    return decode_payload(&record_hello3, ret_hello, doc, bytes, len);
}

/* ---- writing
 * -------------------------------------------------------------------------------------- */

static int write_record(msgpack_packer *packer, const struct record *record, const void *in);

/* Whether a field says anything; a map does if one of its fields does, required ones or not. */
static bool says_something(const struct field *field, const void *in)
{
    switch (field->kind) {
    case K_UINT:
        return *(const uint64_t *)in != 0;
    case K_BOOL:
        return *(const bool *)in;
    case K_NAME:
    case K_TEXT:
    case K_BIN:
    case K_BLOB:
        return ((const struct slice *)in)->len > 0;
    case K_NAMES:
    case K_BLOBS:
    case K_MAPS:
        return ((const struct slice_list *)in)->n > 0;
    case K_MAP:
        break;
    }
    for (size_t i = 0; i < field->record->n; i++) {
        const struct field *inner = &field->record->fields[i];
        if (says_something(inner, (const char *)in + inner->offset))
            return true;
    }
    return false;
}

/* An optional field is written if it says anything, a required one always. */
static bool is_there(const struct field *field, const void *in)
{
    return field->need == REQ || says_something(field, in);
}

static int write_string(msgpack_packer *packer, const struct field *field, struct slice string)
{
    if (judge_string(field, string) != NULL)
        return -EINVAL;
    if (is_bytes(field))
        msgpack_pack_bin_with_body(packer, string.ptr, string.len);
    else
        msgpack_pack_str_with_body(packer, string.ptr ? string.ptr : "", string.len);
    return 0;
}

static int write_list(msgpack_packer *packer, const struct field *field, const void *in)
{
    const struct slice_list *list = in;

    if (list->n > field->items || list->n == 0)
        return -EINVAL;
    msgpack_pack_array(packer, list->n);
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->items;
        int result = field->kind != K_MAPS
                         ? write_string(packer, field, list->items[i])
                         : write_record(packer, field->record, item + i * field->record->size);
        if (result < 0)
            return result;
    }
    return 0;
}

static int write_field(msgpack_packer *packer, const struct field *field, const void *in)
{
    switch (field->kind) {
    case K_UINT:
        if (*(const uint64_t *)in > field->max)
            return -EINVAL;
        msgpack_pack_uint64(packer, *(const uint64_t *)in);
        return 0;
    case K_BOOL:
        *(const bool *)in ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
        return 0;
    case K_NAME:
    case K_TEXT:
    case K_BIN:
    case K_BLOB:
        return write_string(packer, field, *(const struct slice *)in);
    case K_NAMES:
    case K_BLOBS:
    case K_MAPS:
        return write_list(packer, field, in);
    case K_MAP:
        return write_record(packer, field->record, in);
    }
    return -EINVAL;
}

static int write_record(msgpack_packer *packer, const struct record *record, const void *in)
{
    size_t n = 0;

    if (!is_valid_item(record, in))
        return -EINVAL;
    for (size_t i = 0; i < record->n; i++)
        n += is_there(&record->fields[i], (const char *)in + record->fields[i].offset);
    msgpack_pack_map(packer, n);
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        const char *value = (const char *)in + field->offset;
        if (!is_there(field, value))
            continue;
        msgpack_pack_str_with_body(packer, field->key.ptr, field->key.len);
        int result = write_field(packer, field, value);
        if (result < 0)
            return result;
    }
    return 0;
}

/* What was written is scanned too: the writer refuses what the reader would. */
static ssize_t finish(const struct wire_writer *writer)
{
    if (writer->full)
        return -EMSGSIZE;
    return wire_scan(writer->buffer, writer->len) ? (ssize_t)writer->len : -EMSGSIZE;
}

ssize_t msg_encode(const struct msg *msg, uint8_t *buffer, size_t capacity)
{
    struct wire_writer writer;
    const struct record *record = record_of(msg->type);

    if (record == NULL)
        return -EINVAL;
    wire_writer_init(&writer, buffer, capacity < LIM_PLAINTEXT ? capacity : LIM_PLAINTEXT);
    msgpack_pack_array(&writer.packer, 3);
    msgpack_pack_uint32(&writer.packer, msg->type);
    msgpack_pack_uint32(&writer.packer, msg->id);
    int result = write_record(&writer.packer, record, &msg->u);
    return result < 0 ? result : finish(&writer);
}

static ssize_t encode_payload(const struct record *record, const void *in, uint8_t *buffer,
                              size_t capacity)
{
    struct wire_writer writer;

    wire_writer_init(&writer, buffer, capacity);
    int result = write_record(&writer.packer, record, in);
    return result < 0 ? result : finish(&writer);
}

ssize_t msg_encode_hello2(const struct msg_hello2 *hello, uint8_t *buffer, size_t capacity)
{
    return encode_payload(&record_hello2, hello, buffer, capacity);
}

ssize_t msg_encode_hello3(const struct msg_hello3 *hello, uint8_t *buffer, size_t capacity)
{
    return encode_payload(&record_hello3, hello, buffer, capacity);
}

/* ---- selectors
 * ------------------------------------------------------------------------------------ */

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
