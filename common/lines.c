/* SPDX-License-Identifier: MIT */
#include "common/lines.h"

#include "common/text.h"
#include "protocol/limits.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice line)
{
    while (line.len && is_blank(line.ptr[0]))
        line = slice_from(line, 1);
    while (line.len && is_blank(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

/* Blanks were trimmed and an empty line skipped, so that text_check() judges only the bytes. */
static const char *judge(struct slice line)
{
    struct text_fault fault;
    if (line.len > LIM_TRUST_LINE)
        return "longer than 2048 bytes";
    return text_check(line, &fault) < 0 ? "a control character, or a byte that is not UTF-8" : NULL;
}

bool lines_next(struct lines *lines, struct slice *ret_line, const char **ret_reason)
{
    *ret_reason = NULL;
    while (lines->rest.len) {
        struct slice line = trim(slice_of_line(slice_take_line(&lines->rest)));
        lines->number++;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        *ret_reason = judge(line);
        if (!*ret_reason)
            *ret_line = line;
        return !*ret_reason;
    }
    return false;
}

bool lines_field(struct slice *line, struct slice *ret_field)
{
    struct slice rest = trim(*line);
    size_t len = 0;
    while (len < rest.len && !is_blank(rest.ptr[len]))
        len++;
    if (len == 0)
        return false;
    *ret_field = (struct slice){rest.ptr, len};
    *line = slice_from(rest, len);
    return true;
}

bool lines_entry(struct slice *list, struct slice *ret_entry)
{
    if (!list->ptr)
        return false;
    const char *comma = list->len ? memchr(list->ptr, ',', list->len) : NULL;
    size_t len = comma ? (size_t)(comma - list->ptr) : list->len;
    *ret_entry = (struct slice){list->ptr, len};
    *list = comma ? slice_from(*list, len + 1) : (struct slice){NULL, 0};
    return true;
}
