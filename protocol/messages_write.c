/* SPDX-License-Identifier: MIT */
#include "protocol/messages_table.h"

#include <errno.h>

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
    if (field_judge(field, string) != NULL)
        return -EINVAL;
    if (field_is_bytes(field))
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

    if (!record_is_valid(record, in))
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
    return encode_payload(record_of_hello2, hello, buffer, capacity);
}

ssize_t msg_encode_hello3(const struct msg_hello3 *hello, uint8_t *buffer, size_t capacity)
{
    return encode_payload(record_of_hello3, hello, buffer, capacity);
}
