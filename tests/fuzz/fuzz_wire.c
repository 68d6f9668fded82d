/* SPDX-License-Identifier: MIT */
/*
 * The scan's verdict on any bytes agrees with msgpack-c and with a walk over what that decodes to.
 * What the scan accepts is written and read again without a change. Input: the bytes.
 */
#include "protocol/wire.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static struct slice key_of(const msgpack_object *key)
{
    return (struct slice){key->via.str.ptr, key->via.str.size};
}

static bool obeys(const msgpack_object *value, unsigned depth, unsigned *nodes);

static bool map_obeys(const msgpack_object_map *map, unsigned depth, unsigned *nodes)
{
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        if (key->type != MSGPACK_OBJECT_STR || key->via.str.size > LIM_KEY || ++*nodes > LIM_NODES)
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (slice_eq(key_of(key), key_of(&map->ptr[j].key)))
                return false;
        if (!obeys(&map->ptr[i].val, depth, nodes))
            return false;
    }
    return map->size <= LIM_MAP_KEYS;
}

/* The rules of wire.h, said once more over the decoded value. */
static bool obeys(const msgpack_object *value, unsigned depth, unsigned *nodes)
{
    if (depth > LIM_DEPTH || ++*nodes > LIM_NODES)
        return false;
    if (value->type == MSGPACK_OBJECT_MAP)
        return map_obeys(&value->via.map, depth + 1, nodes);
    if (value->type != MSGPACK_OBJECT_ARRAY)
        return value->type != MSGPACK_OBJECT_FLOAT32 && value->type != MSGPACK_OBJECT_FLOAT64 &&
               value->type != MSGPACK_OBJECT_EXT;
    for (uint32_t i = 0; i < value->via.array.size; i++)
        if (!obeys(&value->via.array.ptr[i], depth + 1, nodes))
            return false;
    return value->via.array.size <= LIM_ITEMS;
}

/*
 * What all counts in the bytes come to at most, wherever one may stand: with few enough msgpack-c
 * may be asked about what the scan refused, otherwise it would allocate whatever they say.
 */
static uint64_t counts_together(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        uint64_t count = 0;
        if (data[i] < 0xdc || data[i] > 0xdf)
            continue;
        for (size_t j = i + 1; j <= i + (data[i] % 2 ? 4 : 2) && j < size; j++)
            count = count << 8 | data[j];
        sum += count;
    }
    return sum;
}

static void check_refused(const uint8_t *data, size_t size)
{
    msgpack_object root;
    msgpack_zone zone;
    size_t used = 0;
    unsigned nodes = 0;

    require(msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE));
    if (msgpack_unpack((const char *)data, size, &used, &zone, &root) == MSGPACK_UNPACK_SUCCESS)
        require(used != size || !obeys(&root, 0, &nodes));
    msgpack_zone_destroy(&zone);
}

static void check_accepted(const struct wire_doc *doc, size_t size)
{
    struct wire_writer writer;
    struct wire_doc again;
    unsigned nodes = 0;
    uint8_t *buffer = malloc(size);

    require(obeys(&doc->root, 0, &nodes) && buffer);
    wire_writer_init(&writer, buffer, size);
    require(msgpack_pack_object(&writer.packer, doc->root) == 0 && !writer.full);
    require(wire_read(&again, buffer, writer.len) == 0);
    require(msgpack_object_equal(doc->root, again.root));
    wire_release(&again);
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_doc doc;
    bool accepted = wire_scan(data, size);

    require(wire_read(&doc, data, size) == (accepted ? 0 : -EBADMSG));
    if (accepted) {
        check_accepted(&doc, size);
        wire_release(&doc);
    } else if (counts_together(data, size) < 4 * LIM_NODES) {
        check_refused(data, size);
    }
    wire_utf8((struct slice){(const char *)data, size});
    return 0;
}
