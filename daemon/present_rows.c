/* SPDX-License-Identifier: MIT */
#include "daemon/present_rows.h"

#include "common/mem.h"
#include "protocol/utf8.h"

#include <wchar.h>

#define SYMBOLS     0x2190 /* from the arrows on */
#define EMOJI_STYLE 0xFE0F /* variation selector 16 */

/*
 * The most columns that any terminal gives it. One that is wider than we think would run on at the
 * start of the next row, with no prefix before it. Terminals follow newer tables than the C library
 * has, which make more of the symbols wide, and U+FE0F makes the one before it so.
 */
static unsigned char_width(uint32_t code, unsigned column)
{
    if (code == '\t')
        return 8 - column % 8;
    if (code == EMOJI_STYLE)
        return 1;
    int width = wcwidth((wchar_t)code);
    if (width < 0 || (width == 1 && code >= SYMBOLS))
        return 2;
    return (unsigned)width;
}

struct slice rows_next(struct rows *rows)
{
    struct slice all = rows->rest;
    size_t at = 0, blank = 0;
    unsigned column = 0;
    while (at < all.len && all.ptr[at] != '\n') {
        uint32_t code = ' ';
        size_t len = utf8_next(slice_from(all, at), &code);
        len = len > 0 ? len : 1;
        if (code == ' ' || code == '\t')
            blank = at;
        column += char_width(code, column);
        if ((column > rows->columns || at + len > ROWS_BYTES) && at > 0) {
            size_t end = blank > 0 ? blank : at;
            rows->rest = slice_from(all, blank > 0 ? blank + 1 : at);
            return (struct slice){all.ptr, end};
        }
        at += len;
    }
    rows->rest = slice_from(all, at < all.len ? at + 1 : at);
    return (struct slice){all.ptr, at};
}

struct slice rows_cut(struct slice line, unsigned columns)
{
    struct slice rest = line;
    unsigned column = 0;
    while (rest.len > 0) {
        uint32_t code = ' ';
        size_t len = utf8_next(rest, &code);
        column += char_width(code, column);
        if (column > columns)
            break;
        rest = slice_from(rest, len > 0 ? len : 1);
    }
    return (struct slice){line.ptr, line.len - rest.len};
}

unsigned rows_width(struct slice line)
{
    unsigned column = 0;
    while (line.len > 0) {
        uint32_t code = ' ';
        size_t len = utf8_next(line, &code);
        column += char_width(code, column);
        line = slice_from(line, len > 0 ? len : 1);
    }
    return column;
}

size_t rows_count(struct rows rows)
{
    size_t count = 0;
    for (; rows.rest.len > 0; count++)
        rows_next(&rows);
    return count;
}

size_t rows_head(struct slice line, unsigned columns, struct slice ret_rows[static ROWS_HEAD])
{
    struct rows rows = {line, columns};
    size_t count = 0;
    while (count < ROWS_HEAD && rows.rest.len > 0) {
        ret_rows[count++] = rows_next(&rows);
        if (count == ROWS_HEAD - 1 && rows_count(rows) > 1)
            rows.rest = SLICE("...");
    }
    return count;
}

size_t rows_expand(struct slice row, char out[static ROWS_EXPANDED])
{
    unsigned column = 0;
    size_t used = 0;
    while (row.len > 0) {
        uint32_t code = ' ';
        size_t len = utf8_next(row, &code);
        unsigned width = char_width(code, column);
        len = len > 0 ? len : 1;
        struct slice shown =
            code == '\t' ? (struct slice){"        ", width} : (struct slice){row.ptr, len};
        if (shown.len > ROWS_EXPANDED - used)
            break;
        memcpy(out + used, shown.ptr, shown.len);
        used += shown.len;
        column += width;
        row = slice_from(row, len);
    }
    return used;
}
