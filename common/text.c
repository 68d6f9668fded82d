/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include "common/mem.h"
#include "protocol/limits.h"
#include "protocol/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

struct range {
    uint32_t first, last;
};

/* Shows nothing: Unicode's White_Space (without the refused controls) and what has no width. */
static const struct range white[] = {
    {0x09, 0x0A},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200D},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x2060}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF},
};

/* Would break or turn a printed line: C1, marks and embeddings of direction, separators, tags. */
static const struct range unprintable[] = {
    {0x80, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E},
    {0x2066, 0x2069}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

/*
 * U+FDD0..U+FDEF and the last two of each plane are no characters; sd-bus refuses a text with one.
 */
static bool is_noncharacter(uint32_t code)
{
    return (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
}

bool text_is_unprintable(uint32_t code)
{
    return is_control(code) || is_noncharacter(code) ||
           in_ranges(unprintable, ARRAY_SIZE(unprintable), code);
}

static void describe_control(uint32_t code, char *out, size_t capacity)
{
    static const char names[][4] = {
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS",  "TAB", "LF",
        "VT",  "FF",  "CR",  "SO",  "SI",  "DLE", "DC1", "DC2", "DC3", "DC4", "NAK",
        "SYN", "ETB", "CAN", "EM",  "SUB", "ESC", "FS",  "GS",  "RS",  "US",
    };
    if (code < ARRAY_SIZE(names))
        snprintf(out, capacity, "control character %s", names[code]);
    else if (code == 0x7F)
        snprintf(out, capacity, "control character DEL");
    else
        snprintf(out, capacity, "control character U+%04X", (unsigned)code);
}

static int fault_byte(struct text_fault *fault, char byte)
{
    snprintf(fault->what, sizeof(fault->what), "byte 0x%02X, which is not UTF-8", (uint8_t)byte);
    return -EBADMSG;
}

static int fault_white(struct text_fault *fault, bool empty)
{
    *fault = (struct text_fault){0};
    snprintf(fault->what, sizeof(fault->what), empty ? "empty" : "nothing but white space");
    return -EBADMSG;
}

static int check(struct slice text, const char *allowed, struct text_fault *fault)
{
    bool empty = text.len == 0, visible = false;
    *fault = (struct text_fault){.line = 1, .column = 1};
    while (text.len) {
        uint32_t code = 0;
        size_t len = utf8_next(text, &code);
        if (len == 0)
            return fault_byte(fault, text.ptr[0]);
        if (is_control(code) && (code == 0 || code > 0x7F || !strchr(allowed, (int)code))) {
            describe_control(code, fault->what, sizeof(fault->what));
            return -EBADMSG;
        }
        visible = visible || !in_ranges(white, ARRAY_SIZE(white), code);
        fault->column = code == '\n' ? 1 : fault->column + 1;
        fault->line += code == '\n';
        text = slice_from(text, len);
    }
    return visible ? 0 : fault_white(fault, empty);
}

static int check_into(struct slice text, const char *allowed, struct text_fault *ret_fault)
{
    struct text_fault fault;
    int r = check(text, allowed, &fault);
    if (r < 0 && ret_fault)
        *ret_fault = fault;
    return r;
}

int text_check(struct slice text, struct text_fault *ret_fault)
{
    return check_into(text, "\t\n", ret_fault);
}

int text_check_line(struct slice text, struct text_fault *ret_fault)
{
    return check_into(text, "", ret_fault);
}

bool text_is_name(struct slice name)
{
    if (name.len < 1 || name.len > LIM_NAME)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '@' && c != '-')
            return false;
    }
    return true;
}

static bool has_c1(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((bytes.ptr[i] & 0xE0) == 0x80)
            return true;
    return false;
}

/* One character as it is to be printed, into piece (at least 16 bytes); the bytes it takes of text.
 */
static size_t escape_next(struct slice text, unsigned flags, char *piece)
{
    uint32_t code = 0;
    size_t len = utf8_next(text, &code);
    bool kept = (flags & TEXT_KEEP_LINES) && (code == '\t' || code == '\n');
    if (len == 0 || (len == 1 && is_control(code) && !kept)) {
        snprintf(piece, 16, "\\x%02X", (uint8_t)text.ptr[0]);
        return 1;
    }
    bool control = (flags & TEXT_NO_C1) && has_c1((struct slice){text.ptr, len});
    if (control || (!kept && text_is_unprintable(code))) {
        snprintf(piece, 16, "<U+%04X>", (unsigned)code);
        return len;
    }
    memcpy(piece, text.ptr, len);
    piece[len] = '\0';
    return len;
}

size_t text_escape(struct slice text, unsigned flags, char *out, size_t capacity)
{
    size_t used = 0, fits = 0; /* fits: as much as leaves room for the mark */
    assert(capacity >= 4);
    while (text.len) {
        char piece[16];
        size_t taken = escape_next(text, flags, piece), len = strlen(piece);
        if (used + len + 1 > capacity) {
            memcpy(out + fits, "...", 4);
            return fits + 3;
        }
        memcpy(out + used, piece, len);
        used += len;
        if (used + 4 <= capacity)
            fits = used;
        text = slice_from(text, taken);
    }
    out[used] = '\0';
    return used;
}

size_t text_normalise(char *text, size_t len)
{
    size_t from = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, to = 0;
    while (from < len) {
        bool pair = text[from] == '\r' && from + 1 < len && text[from + 1] == '\n';
        text[to++] = text[from] == '\r' ? '\n' : text[from];
        from += pair ? 2 : 1;
    }
    return to;
}
