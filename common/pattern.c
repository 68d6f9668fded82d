/* SPDX-License-Identifier: MIT */
#include "common/pattern.h"

#include "common/lines.h"

static bool is_pattern(struct slice pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._-*?:[]%", c))))
            return false;
    }
    return pattern.len > 0;
}

bool patterns_valid(struct slice list)
{
    struct slice pattern;
    if (!list.ptr || list.len == 0)
        return false;
    while (lines_entry(&list, &pattern))
        if (!is_pattern(pattern))
            return false;
    return true;
}

/* After a mismatch the last `*` takes one character more: only that one can help. */
static bool matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = pattern.len, star_n = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_n = n;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == name.ptr[n])) {
            p++;
            n++;
        } else if (star < pattern.len) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool patterns_match(struct slice list, struct slice name)
{
    struct slice pattern;
    while (lines_entry(&list, &pattern))
        if (matches(pattern, name))
            return true;
    return false;
}

bool patterns_have(struct slice list, struct slice name)
{
    struct slice pattern;
    while (lines_entry(&list, &pattern))
        if (slice_eq(pattern, name))
            return true;
    return false;
}
