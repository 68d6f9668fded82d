/* SPDX-License-Identifier: MIT */
/*
 * A record of whatever values, written in both forms: the datagram is read back as the journal
 * reads it and must hold exactly the fields that were put in; the line must be one, and printable.
 */
#include "daemon/net_record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record record;
static char out[1 << 17];

static uint64_t read_length(const char *at)
{
    uint64_t len = 0;
    for (size_t i = 0; i < 8; i++)
        len |= (uint64_t)(uint8_t)at[i] << 8 * i;
    return len;
}

/* Takes one field off; its value. */
static struct slice take_field(struct slice *rest)
{
    size_t name = strcspn(rest->ptr, "=\n");
    const char *value = rest->ptr + name + 1;
    size_t len;

    if (rest->ptr[name] == '\n') {
        len = read_length(value);
        value += 8;
    } else {
        len = (size_t)((const char *)memchr(value, '\n', rest->len - name - 1) - value);
    }
    size_t used = (size_t)(value - rest->ptr) + len + 1;
    if (used > rest->len || value[len] != '\n')
        abort();
    *rest = slice_from(*rest, used);
    return (struct slice){value, len};
}

/* Each value is a byte for its field, one for its length, and so many bytes. */
static void fill(const uint8_t *data, size_t size)
{
    record_begin(&record);
    while (size >= 2) {
        size_t len = data[1] < size - 2 ? data[1] : size - 2;
        record_put(&record, data[0] % RECORD_FIELD_COUNT,
                   (struct slice){(const char *)data + 2, len});
        data += 2 + len;
        size -= 2 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fill(data, size);
    size_t len = record_journal(&record, out, sizeof(out) - 1);
    out[len] = '\0';
    struct slice rest = {out, len};
    for (size_t i = 0; i < record.n; i++)
        if (!slice_eq(take_field(&rest), record.items[i].value))
            abort();
    if (rest.len != 0)
        abort();
    len = record_line(&record, out, RECORD_LINE);
    if (len >= RECORD_LINE || out[len] != '\0')
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7F)
            abort();
    return 0;
}
