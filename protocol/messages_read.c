/* SPDX-License-Identifier: MIT */
#include "protocol/messages_table.h"

#include <errno.h>
#include <stdio.h>

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

static const char *read_string(const struct field *field, const msgpack_object *value,
                               struct slice *ret_string)
{
    struct slice string;

    if (field_is_bytes(field) && value->type == MSGPACK_OBJECT_BIN)
        string = (struct slice){value->via.bin.ptr, value->via.bin.size};
    else if (!field_is_bytes(field) && value->type == MSGPACK_OBJECT_STR)
        string = (struct slice){value->via.str.ptr, value->via.str.size};
    else
        return "bad-message";
    const char *code = field_judge(field, string);
    if (code == NULL)
        *ret_string = string;
    return code;
}

static int read_record(struct reader *reader, const struct record *record,
                       const msgpack_object *value, void *out);

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
            if (result < 0 || !record_is_valid(field->record, items + i * size)) {
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
    bool fit = field_is_clean(key);

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

/* How long an array's head or an integer is, by its tag. */
static size_t head_len(uint8_t tag)
{
    if (tag == 0xdc || tag == 0xdd)
        return 1 + ((size_t)2 << (tag - 0xdc));
    return tag >= 0xcc && tag <= 0xd3 ? 1 + ((size_t)1 << (tag % 4)) : 1;
}

/* The third element of bytes that are [integer, integer, map]. */
static struct slice body_of(const uint8_t *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (int i = 0; i < 3; i++)
        at += head_len(*at);
    return (struct slice){(const char *)at, len - (size_t)(at - bytes)};
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
    if (record == NULL)
        return 0;
    int result = read_record(&reader, record, &root->via.array.ptr[2], &msg->u);
    if (result < 0 || record_is_valid(record, &msg->u))
        return result;
    fault->code = "bad-message";
    return -EBADMSG;
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
    if (result == 0)
        msg.map = body_of(bytes, len);
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
    return decode_payload(record_of_hello2, ret_hello, doc, bytes, len);
}

int msg_decode_hello3(struct msg_hello3 *ret_hello, struct wire_doc *doc, const uint8_t *bytes,
                      size_t len)
{
    return decode_payload(record_of_hello3, ret_hello, doc, bytes, len);
}
