/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bytes. A slice owns nothing: it is valid as long as what it was taken from, and whoever
 * keeps it longer copies it.
 */
#ifndef MSG_PROTOCOL_SLICE_H
#define MSG_PROTOCOL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr; /* not terminated; NULL when absent */
    size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *string)
{
    return (struct slice){string, string ? strlen(string) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Decimal digits and nothing else, at least one, of a number up to max. */
static inline bool slice_number(struct slice digits, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(digits.ptr[i] - '0');
        if (digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (digits.len > 0)
        *ret_number = number;
    return digits.len > 0;
}

/* What is left behind the first `count` bytes; count is at most len. */
static inline struct slice slice_from(struct slice s, size_t count)
{
    return (struct slice){count ? s.ptr + count : s.ptr, s.len - count};
}

static inline bool slice_begins(struct slice s, struct slice with)
{
    return s.len >= with.len && (with.len == 0 || memcmp(s.ptr, with.ptr, with.len) == 0);
}

/* Takes the literal from the front; false if something else stands there. */
static inline bool slice_take(struct slice *s, struct slice literal)
{
    bool found = slice_begins(*s, literal);
    if (found)
        *s = slice_from(*s, literal.len);
    return found;
}

/* Into a string of `size` bytes, at least one; of a longer one the beginning. */
static inline void slice_copy(char *out, size_t size, struct slice s)
{
    size_t len = s.len < size ? s.len : size - 1;
    if (len > 0)
        memcpy(out, s.ptr, len);
    out[len] = '\0';
}

/* Takes a line from the front, with the LF that ends it, which the last one may lack. */
static inline struct slice slice_take_line(struct slice *rest)
{
    const char *end = rest->len ? (const char *)memchr(rest->ptr, '\n', rest->len) : NULL;
    struct slice line = {rest->ptr, end ? (size_t)(end - rest->ptr) + 1 : rest->len};
    *rest = slice_from(*rest, line.len);
    return line;
}

/* What stands on a line, without LF or CR LF at its end. */
static inline struct slice slice_of_line(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

#endif
