/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bytes. A slice owns nothing: it is valid as long as what it was taken from, and whoever
 * keeps it longer copies it.
 */
#ifndef MSG_PROTOCOL_SLICE_H
#define MSG_PROTOCOL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
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

/* What is left behind the first `count` bytes; count is at most len. */
static inline struct slice slice_from(struct slice s, size_t count)
{
    return (struct slice){count ? s.ptr + count : s.ptr, s.len - count};
}

#endif
