/* SPDX-License-Identifier: MIT */
#include "daemon/net_record.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *journal, *line;
} names[] = {
#define X(ID, name, key) [RECORD_##ID] = {name, key},
    RECORD_FIELDS(X)
#undef X
};

/* ---- putting in ------------------------------------------------------------------------------ */

void record_begin(struct record *ret_record)
{
    ret_record->n = 0;
    ret_record->len = 0;
    ret_record->left_out = 0;
}

void record_put(struct record *record, enum record_field field, struct slice value)
{
    if (value.len == 0)
        return;
    if (record->n == RECORD_ITEMS)
        record->left_out++;
    else
        record->items[record->n++] = (struct record_item){field, value};
}

void record_format(struct record *record, enum record_field field, const char *format, ...)
{
    size_t room = sizeof(record->text) - record->len;
    char *at = record->text + record->len;
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(at, room, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= room) {
        record->left_out++;
        return;
    }
    record->len += (size_t)len;
    record_put(record, field, (struct slice){at, (size_t)len});
}

struct slice record_get(const struct record *record, enum record_field field)
{
    for (size_t i = 0; i < record->n; i++) {
        if (record->items[i].field == field)
            return record->items[i].value;
    }
    return (struct slice){"", 0};
}

size_t record_word(struct slice word, char *out, size_t capacity)
{
    char marked[4 * 256];
    size_t len = 0;

    for (size_t i = 0; i < word.len && len + 4 < sizeof(marked); i++) {
        if (strchr(" \"\\", word.ptr[i]) && word.ptr[i] != '\0')
            len += (size_t)sprintf(marked + len, "\\x%02X", (unsigned char)word.ptr[i]);
        else
            marked[len++] = word.ptr[i];
    }
    return text_escape((struct slice){marked, len}, TEXT_ONE_LINE, out, capacity);
}

/* ---- the journal ----------------------------------------------------------------------------- */

struct writer {
    char *out;
    size_t capacity, len;
    bool full;
};

static void append(struct writer *writer, struct slice bytes)
{
    writer->full |= bytes.len > writer->capacity - writer->len;
    if (writer->full || bytes.len == 0)
        return;
    memcpy(writer->out + writer->len, bytes.ptr, bytes.len);
    writer->len += bytes.len;
}

/* NAME=value, or NAME, LF, the length in 8 bytes, little end first, and the value. */
static void write_field(struct writer *writer, const struct record_item *item)
{
    uint64_t len = item->value.len;
    char bytes[8];

    append(writer, slice_of(names[item->field].journal));
    if (memchr(item->value.ptr, '\n', item->value.len)) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)(len >> 8 * i & 0xff);
        append(writer, SLICE("\n"));
        append(writer, (struct slice){bytes, sizeof(bytes)});
    } else {
        append(writer, SLICE("="));
    }
    append(writer, item->value);
    append(writer, SLICE("\n"));
}

size_t record_journal(const struct record *record, char *out, size_t capacity)
{
    struct writer writer = {.out = out, .capacity = capacity};

    for (size_t i = 0; i < record->n; i++)
        write_field(&writer, &record->items[i]);
    return writer.full ? 0 : writer.len;
}

/* ---- the line -------------------------------------------------------------------------------- */

#define CUT   " cut=yes"
#define VALUE 1024 /* bytes of one value that are looked at */

/* Quotes and backslashes with a backslash before them, and what cannot be printed escaped. */
static size_t quote(struct slice value, char *out, size_t capacity)
{
    char marked[2 * VALUE + 3];
    size_t len = 0;

    for (size_t i = 0; i < value.len && i < VALUE; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            marked[len++] = '\\';
        marked[len++] = value.ptr[i];
    }
    if (value.len > VALUE) {
        memcpy(marked + len, "...", 3);
        len += 3;
    }
    return text_escape((struct slice){marked, len}, TEXT_ONE_LINE, out, capacity);
}

static void write_pair(struct writer *writer, const struct record_item *item)
{
    char value[TEXT_ESCAPED(2 * VALUE + 3)];
    struct slice is = {value, quote(item->value, value, sizeof(value))};
    const char *key = names[item->field].line;
    bool quoted = memchr(value, ' ', is.len) || memchr(value, '"', is.len);

    if (!key)
        return;
    size_t len = (writer->len > 0) + strlen(key) + 1 + is.len + (quoted ? 2 : 0);
    writer->full |= len > writer->capacity - writer->len;
    if (writer->full)
        return;
    append(writer, writer->len > 0 ? SLICE(" ") : SLICE(""));
    append(writer, slice_of(key));
    append(writer, quoted ? SLICE("=\"") : SLICE("="));
    append(writer, is);
    append(writer, quoted ? SLICE("\"") : SLICE(""));
}

size_t record_line(const struct record *record, char *out, size_t capacity)
{
    struct writer writer = {.out = out, .capacity = capacity - sizeof(CUT)};

    for (enum record_field field = 0; field < RECORD_FIELD_COUNT; field++)
        for (size_t i = 0; i < record->n; i++)
            if (record->items[i].field == field)
                write_pair(&writer, &record->items[i]);
    if (writer.full)
        memcpy(out + writer.len, CUT, sizeof(CUT) - 1);
    writer.len += writer.full ? sizeof(CUT) - 1 : 0;
    out[writer.len] = '\0';
    return writer.len;
}

/* ---- keeping --------------------------------------------------------------------------------- */

struct record_kept {
    size_t n;
    unsigned left_out;
    struct record_item items[];
};

struct record_kept *record_keep(const struct record *record)
{
    size_t items = record->n * sizeof(record->items[0]), bytes = 0;

    for (size_t i = 0; i < record->n; i++)
        bytes += record->items[i].value.len;
    struct record_kept *kept = malloc(sizeof(*kept) + items + bytes);
    if (!kept)
        return NULL;
    kept->n = record->n;
    kept->left_out = record->left_out;
    char *at = (char *)(kept->items + record->n);
    for (size_t i = 0; i < record->n; i++) {
        struct slice value = record->items[i].value;
        kept->items[i] = (struct record_item){record->items[i].field, {at, value.len}};
        at = mempcpy(at, value.ptr, value.len);
    }
    return kept;
}

void record_load(const struct record_kept *kept, struct record *ret_record)
{
    record_begin(ret_record);
    ret_record->left_out = kept->left_out;
    for (size_t i = 0; i < kept->n; i++)
        record_put(ret_record, kept->items[i].field, kept->items[i].value);
}
