/* SPDX-License-Identifier: MIT */
#include "protocol/wire.h"

#include <errno.h>

/* ---- the scan -------------------------------------------------------------------------------- */

struct scan {
    const uint8_t *at, *end;
    unsigned nodes;
};

static bool scan_value(struct scan *scan, unsigned depth);

/* A big-endian number of size bytes, 0, 1, 2 or 4; the scan moves behind it. */
static bool take_number(struct scan *scan, size_t size, size_t *ret_number)
{
    if ((size_t)(scan->end - scan->at) < size)
        return false;
    size_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | *scan->at++;
    *ret_number = number;
    return true;
}

static bool skip(struct scan *scan, size_t len)
{
    if ((size_t)(scan->end - scan->at) < len)
        return false;
    scan->at += len;
    return true;
}

/* The payload of a string: its length is in the tag, or in the 1, 2 or 4 bytes behind it. */
static bool take_string(struct scan *scan, struct slice *ret_string)
{
    size_t len;
    if (scan->at == scan->end)
        return false;
    uint8_t tag = *scan->at++;
    if ((tag & 0xe0) == 0xa0)
        len = tag & 0x1f;
    else if (tag < 0xd9 || tag > 0xdb || !take_number(scan, (size_t)1 << (tag - 0xd9), &len))
        return false;
    const uint8_t *start = scan->at;
    if (!skip(scan, len))
        return false;
    *ret_string = (struct slice){(const char *)start, len};
    return true;
}

static bool scan_map(struct scan *scan, size_t keys, unsigned depth)
{
    struct slice seen[LIM_MAP_KEYS];

    if (keys > LIM_MAP_KEYS)
        return false;
    for (size_t i = 0; i < keys; i++) {
        if (!take_string(scan, &seen[i]) || seen[i].len > LIM_KEY || ++scan->nodes > LIM_NODES)
            return false;
        for (size_t j = 0; j < i; j++)
            if (slice_eq(seen[i], seen[j]))
                return false;
        if (!scan_value(scan, depth))
            return false;
    }
    return true;
}

static bool scan_array(struct scan *scan, size_t items, unsigned depth)
{
    if (items > LIM_ITEMS)
        return false;
    while (items-- > 0)
        if (!scan_value(scan, depth))
            return false;
    return true;
}

/* Tags from 0xc0 on, where the shape is in the tag alone or in a number behind it. */
static bool scan_tagged(struct scan *scan, uint8_t tag, unsigned depth)
{
    size_t number;

    switch (tag) {
    case 0xc0: /* nil, false, true */
    case 0xc2:
    case 0xc3:
        return true;
    case 0xc4: /* bin */
    case 0xc5:
    case 0xc6:
        return take_number(scan, (size_t)1 << (tag - 0xc4), &number) && skip(scan, number);
    case 0xcc: /* unsigned */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return skip(scan, (size_t)1 << (tag - 0xcc));
    case 0xd0: /* signed */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return skip(scan, (size_t)1 << (tag - 0xd0));
    case 0xdc: /* array */
    case 0xdd:
        return take_number(scan, (size_t)2 << (tag - 0xdc), &number) &&
               scan_array(scan, number, depth + 1);
    case 0xde: /* map */
    case 0xdf:
        return take_number(scan, (size_t)2 << (tag - 0xde), &number) &&
               scan_map(scan, number, depth + 1);
    default: /* float, ext and the tag that msgpack never uses */
        return false;
    }
}

static bool scan_value(struct scan *scan, unsigned depth)
{
    if (depth > LIM_DEPTH || ++scan->nodes > LIM_NODES || scan->at == scan->end)
        return false;

    uint8_t tag = *scan->at;
    if ((tag & 0xe0) == 0xa0 || (tag >= 0xd9 && tag <= 0xdb)) {
        struct slice string;
        return take_string(scan, &string);
    }
    scan->at++;
    if (tag < 0x80 || tag >= 0xe0)
        return true;
    if (tag < 0x90)
        return scan_map(scan, tag & 0x0f, depth + 1);
    if (tag < 0xa0)
        return scan_array(scan, tag & 0x0f, depth + 1);
    return scan_tagged(scan, tag, depth);
}

bool wire_scan(const uint8_t *bytes, size_t len)
{
    struct scan scan = {.at = bytes, .end = bytes + len};

    return scan_value(&scan, 0) && scan.at == scan.end;
}

/* ---- the reader ------------------------------------------------------------------------------ */

int wire_read(struct wire_doc *ret_doc, const uint8_t *bytes, size_t len)
{
    struct wire_doc doc;
    size_t used = 0;

    if (!wire_scan(bytes, len))
        return -EBADMSG;
    if (!msgpack_zone_init(&doc.zone, MSGPACK_ZONE_CHUNK_SIZE))
        return -ENOMEM;
    msgpack_unpack_return status =
        msgpack_unpack((const char *)bytes, len, &used, &doc.zone, &doc.root);
    if (status != MSGPACK_UNPACK_SUCCESS || used != len) {
        msgpack_zone_destroy(&doc.zone);
        return status == MSGPACK_UNPACK_NOMEM_ERROR ? -ENOMEM : -EBADMSG;
    }
    *ret_doc = doc;
    return 0;
}

void wire_release(struct wire_doc *doc)
{
    msgpack_zone_destroy(&doc->zone);
}

/* ---- the writer ------------------------------------------------------------------------------ */

static int writer_append(void *context, const char *bytes, size_t len)
{
    struct wire_writer *writer = context;

    if (writer->full || len > writer->capacity - writer->len) {
        writer->full = true;
        return -1;
    }
    if (len > 0) /* an empty string may come without an address */
        memcpy(writer->buffer + writer->len, bytes, len);
    writer->len += len;
    return 0;
}

void wire_writer_init(struct wire_writer *writer, uint8_t *buffer, size_t capacity)
{
    *writer = (struct wire_writer){.buffer = buffer, .capacity = capacity};
    msgpack_packer_init(&writer->packer, writer, writer_append);
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence that begins here, 0 if there is none. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80             ? 1
                 : (at[0] & 0xe0) == 0xc0 ? 2
                 : (at[0] & 0xf0) == 0xe0 ? 3
                 : (at[0] & 0xf8) == 0xf0 ? 4
                                          : 0;
    if (len == 0 || len > left)
        return 0;

    uint32_t point = len == 1 ? at[0] : at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < lowest[len] || point > 0x10ffff || surrogate ? 0 : len;
}

bool wire_utf8(struct slice text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_sequence((const uint8_t *)text.ptr + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}
