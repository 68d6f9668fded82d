/* SPDX-License-Identifier: MIT */
/*
 * Bytes to values and back: the frame's length, a scan that bounds untrusted msgpack before
 * anything is allocated, the reader over msgpack-c (the only caller of msgpack_unpack) and the
 * writer. Knows nothing of messages; does no I/O, has no clock and no log.
 */
#ifndef MSG_PROTOCOL_WIRE_H
#define MSG_PROTOCOL_WIRE_H

#include "protocol/limits.h"
#include "protocol/slice.h"

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* The two length bytes of a frame. 0 is not a frame: the caller ends the connection. */
static inline size_t wire_length(const uint8_t header[static 2])
{
    return (size_t)header[0] << 8 | header[1];
}

static inline void wire_put_length(uint8_t header[static 2], size_t length)
{
    header[0] = (uint8_t)(length >> 8);
    header[1] = (uint8_t)length;
}

/*
 * True if the bytes are exactly one msgpack value within LIM_DEPTH, LIM_NODES, LIM_ITEMS,
 * LIM_MAP_KEYS and LIM_KEY, of the types nil, bool, int, str, bin, array and map, with string keys
 * of which none is there twice in one map. Allocates nothing, reads each byte once.
 */
bool wire_scan(const uint8_t *bytes, size_t len);

/* A decoded value; everything in it lives in the zone, its strings in the bytes read. */
struct wire_doc {
    msgpack_zone zone;
    msgpack_object root;
};

/*
 * Scans, then reads. 0, -EBADMSG (the scan refused) or -ENOMEM; on failure *ret_doc is untouched.
 * The bytes must outlive the document. wire_release() frees it.
 */
int wire_read(struct wire_doc *ret_doc, const uint8_t *bytes, size_t len);
void wire_release(struct wire_doc *doc);

/* Writes msgpack into a buffer of the caller's; once it is full, `full` stays set and nothing
 * moves. */
struct wire_writer {
    uint8_t *buffer;
    size_t capacity;
    size_t len;
    bool full;
    msgpack_packer packer;
};

void wire_writer_init(struct wire_writer *writer, uint8_t *buffer, size_t capacity);

/* True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool wire_utf8(struct slice text);

#endif
