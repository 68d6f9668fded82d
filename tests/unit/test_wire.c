/* SPDX-License-Identifier: MIT */
#include "protocol/wire.h"

#include "tests/unit/unit.h"

#include <errno.h>

#define SCAN(...) wire_scan((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void takes_each_allowed_type(void)
{
    CU_ASSERT(SCAN(0xc0));
    CU_ASSERT(SCAN(0xc2));
    CU_ASSERT(SCAN(0xc3));
    CU_ASSERT(SCAN(0x00));
    CU_ASSERT(SCAN(0x7f));
    CU_ASSERT(SCAN(0xe0));
    CU_ASSERT(SCAN(0xff));
    CU_ASSERT(SCAN(0xcc, 0xff));
    CU_ASSERT(SCAN(0xcd, 1, 2));
    CU_ASSERT(SCAN(0xce, 1, 2, 3, 4));
    CU_ASSERT(SCAN(0xcf, 1, 2, 3, 4, 5, 6, 7, 8));
    CU_ASSERT(SCAN(0xd0, 1));
    CU_ASSERT(SCAN(0xd1, 1, 2));
    CU_ASSERT(SCAN(0xd2, 1, 2, 3, 4));
    CU_ASSERT(SCAN(0xd3, 1, 2, 3, 4, 5, 6, 7, 8));
    CU_ASSERT(SCAN(0xa1, 'x'));
    CU_ASSERT(SCAN(0xd9, 1, 'x'));
    CU_ASSERT(SCAN(0xda, 0, 1, 'x'));
    CU_ASSERT(SCAN(0xdb, 0, 0, 0, 1, 'x'));
    CU_ASSERT(SCAN(0xc4, 1, 'x'));
    CU_ASSERT(SCAN(0xc5, 0, 1, 'x'));
    CU_ASSERT(SCAN(0xc6, 0, 0, 0, 1, 'x'));
    CU_ASSERT(SCAN(0x91, 0xc0));
    CU_ASSERT(SCAN(0xdc, 0, 1, 0xc0));
    CU_ASSERT(SCAN(0xdd, 0, 0, 0, 1, 0xc0));
    CU_ASSERT(SCAN(0x81, 0xa1, 'x', 0xc0));
    CU_ASSERT(SCAN(0xde, 0, 1, 0xa1, 'x', 0xc0));
    CU_ASSERT(SCAN(0xdf, 0, 0, 0, 1, 0xa1, 'x', 0xc0));
}

static void refuses_other_types(void)
{
    CU_ASSERT(!SCAN(0xc1));
    CU_ASSERT(!SCAN(0xca, 0, 0, 0, 0));             /* float */
    CU_ASSERT(!SCAN(0xcb, 0, 0, 0, 0, 0, 0, 0, 0)); /* double */
    CU_ASSERT(!SCAN(0xd4, 0, 0));                   /* fixext */
    CU_ASSERT(!SCAN(0xd8, 0));
    CU_ASSERT(!SCAN(0xc7, 1, 0, 0)); /* ext */
    CU_ASSERT(!SCAN(0xc8, 0, 1, 0, 0));
    CU_ASSERT(!SCAN(0xc9, 0, 0, 0, 1, 0, 0));
}

static void refuses_what_is_cut_or_trails(void)
{
    static const uint8_t whole[] = {0x93, 0x10, 0x01, 0x82, 0xa1, 'a', 0xcd,
                                    1,    2,    0xa1, 'b',  0xa2, 'x', 'y'};

    CU_ASSERT(wire_scan(whole, sizeof(whole)));
    for (size_t len = 0; len < sizeof(whole); len++)
        CU_ASSERT(!wire_scan(whole, len));
    CU_ASSERT(!SCAN(0xc0, 0xc0));
    CU_ASSERT(!wire_scan(whole, 0));
}

/* What made a trusting decoder ask for 512 MiB and 137 GB. */
static void refuses_promised_counts(void)
{
    CU_ASSERT(!SCAN(0xdd, 0x00, 0xff, 0xff, 0xff));
    CU_ASSERT(!SCAN(0xdd, 0xff, 0x00, 0x00, 0x00));
    CU_ASSERT(!SCAN(0xdf, 0xff, 0xff, 0xff, 0xff));
    CU_ASSERT(!SCAN(0xdb, 0xff, 0xff, 0xff, 0xff));
    CU_ASSERT(!SCAN(0xc6, 0xff, 0xff, 0xff, 0xff));
}

static bool nested(unsigned depth)
{
    uint8_t bytes[LIM_DEPTH + 2];

    memset(bytes, 0x91, depth);
    bytes[depth] = 0xc0;
    return wire_scan(bytes, depth + 1);
}

static void bounds_depth(void)
{
    CU_ASSERT(nested(LIM_DEPTH));
    CU_ASSERT(!nested(LIM_DEPTH + 1));
}

static bool array_of(size_t items)
{
    uint8_t bytes[3 + LIM_ITEMS + 1] = {0xdc, (uint8_t)(items >> 8), (uint8_t)items};

    return wire_scan(bytes, 3 + items);
}

static void bounds_items(void)
{
    CU_ASSERT(array_of(LIM_ITEMS));
    CU_ASSERT(!array_of(LIM_ITEMS + 1));
}

static bool map_of(unsigned keys)
{
    uint8_t bytes[3 + (LIM_MAP_KEYS + 1) * 3] = {0xde, 0, (uint8_t)keys};

    for (unsigned i = 0; i < keys; i++) {
        bytes[3 + i * 3] = 0xa1;
        bytes[4 + i * 3] = (uint8_t)('A' + i);
        bytes[5 + i * 3] = 0xc0;
    }
    return wire_scan(bytes, 3 + keys * 3);
}

static void bounds_keys_of_a_map(void)
{
    CU_ASSERT(map_of(LIM_MAP_KEYS));
    CU_ASSERT(!map_of(LIM_MAP_KEYS + 1));
}

static bool key_of(unsigned len)
{
    uint8_t bytes[3 + LIM_KEY + 2] = {0x81, 0xd9, (uint8_t)len};

    memset(bytes + 3, 'k', len);
    bytes[3 + len] = 0xc0;
    return wire_scan(bytes, 4 + len);
}

static void bounds_the_length_of_keys(void)
{
    CU_ASSERT(key_of(LIM_KEY));
    CU_ASSERT(!key_of(LIM_KEY + 1));
}

/* Five arrays of up to 1,024 nils: 1 + rows + nils nodes. */
static bool nodes_of(size_t nodes)
{
    uint8_t bytes[1 + 5 * (3 + LIM_ITEMS)];
    size_t at = 0, left = nodes - 1 - 5;

    bytes[at++] = 0x95;
    for (int row = 0; row < 5; row++) {
        size_t items = left < LIM_ITEMS ? left : LIM_ITEMS;
        bytes[at++] = 0xdc;
        bytes[at++] = (uint8_t)(items >> 8);
        bytes[at++] = (uint8_t)items;
        memset(bytes + at, 0xc0, items);
        at += items;
        left -= items;
    }
    return left == 0 && wire_scan(bytes, at);
}

static void bounds_nodes(void)
{
    CU_ASSERT(nodes_of(LIM_NODES));
    CU_ASSERT(!nodes_of(LIM_NODES + 1));
}

static void refuses_bad_keys(void)
{
    CU_ASSERT(!SCAN(0x81, 0x01, 0xc0));                          /* not a string */
    CU_ASSERT(!SCAN(0x81, 0xc4, 1, 'x', 0xc0));                  /* bytes */
    CU_ASSERT(!SCAN(0x82, 0xa1, 'x', 0xc0, 0xa1, 'x', 0xc0));    /* twice */
    CU_ASSERT(!SCAN(0x82, 0xa1, 'x', 0xc0, 0xd9, 1, 'x', 0xc0)); /* twice, written otherwise */
    CU_ASSERT(SCAN(0x82, 0xa1, 'x', 0x81, 0xa1, 'x', 0xc0, 0xa1, 'y', 0xc0)); /* in another map */
}

static void reads_what_was_scanned(void)
{
    static const uint8_t bytes[] = {0x92, 0x2a, 0xa2, 'o', 'k'};
    struct wire_doc doc;

    CU_ASSERT_EQUAL_FATAL(wire_read(&doc, bytes, sizeof(bytes)), 0);
    CU_ASSERT_EQUAL(doc.root.type, MSGPACK_OBJECT_ARRAY);
    CU_ASSERT_EQUAL(doc.root.via.array.ptr[0].via.u64, 42);
    /* Strings are borrowed, not copied. */
    CU_ASSERT_PTR_EQUAL(doc.root.via.array.ptr[1].via.str.ptr, (const char *)bytes + 3);
    wire_release(&doc);
    CU_ASSERT_EQUAL(wire_read(&doc, bytes, sizeof(bytes) - 1), -EBADMSG);
}

static void writer_stops_when_full(void)
{
    uint8_t buffer[4];
    struct wire_writer writer;

    wire_writer_init(&writer, buffer, sizeof(buffer));
    msgpack_pack_str_with_body(&writer.packer, "abc", 3);
    CU_ASSERT(!writer.full);
    CU_ASSERT_EQUAL(writer.len, 4);
    msgpack_pack_nil(&writer.packer);
    CU_ASSERT(writer.full);
    CU_ASSERT_EQUAL(writer.len, 4);
}

static void frame_length_is_big_endian(void)
{
    uint8_t header[2];

    wire_put_length(header, 0x1234);
    CU_ASSERT_EQUAL(header[0], 0x12);
    CU_ASSERT_EQUAL(header[1], 0x34);
    CU_ASSERT_EQUAL(wire_length(header), 0x1234);
    wire_put_length(header, LIM_FRAME);
    CU_ASSERT_EQUAL(wire_length(header), 65535);
}

static CU_TestInfo tests[] = {
    UNIT_TEST(takes_each_allowed_type),
    UNIT_TEST(refuses_other_types),
    UNIT_TEST(refuses_what_is_cut_or_trails),
    UNIT_TEST(refuses_promised_counts),
    UNIT_TEST(bounds_depth),
    UNIT_TEST(bounds_items),
    UNIT_TEST(bounds_keys_of_a_map),
    UNIT_TEST(bounds_the_length_of_keys),
    UNIT_TEST(bounds_nodes),
    UNIT_TEST(refuses_bad_keys),
    UNIT_TEST(reads_what_was_scanned),
    UNIT_TEST(writer_stops_when_full),
    UNIT_TEST(frame_length_is_big_endian),
    UNIT_END,
};

int main(void)
{
    return unit_run("wire", tests);
}
