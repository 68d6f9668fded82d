/* SPDX-License-Identifier: MIT */
#include "common/receive.h"

#include <errno.h>
#include <stdio.h>

/* ---- names ----------------------------------------------------------------------------------- */

static bool parts(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

static bool take_name(struct slice *line, struct slice *ret_name)
{
    struct slice rest = *line;
    size_t len = 0;
    while (rest.len > 0 && parts(rest.ptr[0]))
        rest = slice_from(rest, 1);
    while (len < rest.len && !parts(rest.ptr[len]))
        len++;
    *ret_name = (struct slice){rest.ptr, len};
    *line = slice_from(rest, len);
    return len > 0;
}

static bool is_remote(struct slice name)
{
    return slice_begins(name, SLICE(RECEIVE_NETWORK));
}

static struct slice bare(struct slice name)
{
    return is_remote(name) ? slice_from(name, sizeof(RECEIVE_NETWORK) - 1) : name;
}

/* What could be meant for more than one sender is refused, not taken for a name nobody has. */
static const char *judge(struct slice name)
{
    name = bare(name);
    if (name.len < 1 || name.len > LIM_NAME)
        return "a name has 1 to 64 bytes";
    for (size_t i = 0; i < name.len; i++) {
        if (strchr(":*%/", name.ptr[i]))
            return "neither the name of a user here nor " RECEIVE_NETWORK "NAME";
    }
    return NULL;
}

struct receive_names receive_names(const struct receive *receive)
{
    return (struct receive_names){.lines = {.rest = receive->text}};
}

bool receive_names_next(struct receive_names *names, struct slice *ret_name)
{
    struct slice word;
    const char *reason;
    while (!take_name(&names->line, ret_name)) {
        if (!lines_next(&names->lines, &names->line, &reason))
            return false;
        lines_field(&names->line, &word); /* `only` */
    }
    return true;
}

/* ---- the wish -------------------------------------------------------------------------------- */

const char *const receive_words[] = {
    [RECEIVE_ON] = "on", [RECEIVE_OFF] = "off", [RECEIVE_ONLY] = "only"};

static const char *read_word(struct slice *line, enum receive_wish *ret_wish)
{
    struct slice word = {0};
    lines_field(line, &word);
    for (enum receive_wish wish = RECEIVE_ON; wish <= RECEIVE_ONLY; wish++) {
        if (slice_eq(word, slice_of(receive_words[wish]))) {
            *ret_wish = wish;
            return NULL;
        }
    }
    return "neither on, nor off, nor only NAMES";
}

static const char *read_line(struct slice line, enum receive_wish *ret_wish)
{
    struct slice name;
    const char *reason = read_word(&line, ret_wish);
    bool any = take_name(&line, &name);
    if (reason)
        return reason;
    if (any != (*ret_wish == RECEIVE_ONLY))
        return any ? "more than one word" : "only whom?";
    for (; any && !reason; any = take_name(&line, &name))
        reason = judge(name);
    return reason;
}

int receive_parse(struct slice text, struct receive *ret_receive, size_t *ret_line,
                  const char **ret_reason)
{
    struct receive receive = {.wish = RECEIVE_ON, .text = text};
    struct lines lines = {.rest = text};
    struct slice line;
    const char *reason;
    for (bool first = true; lines_next(&lines, &line, &reason); first = false) {
        enum receive_wish wish = RECEIVE_ON;
        reason = read_line(line, &wish);
        if (!reason && !first && (wish != RECEIVE_ONLY || receive.wish != RECEIVE_ONLY))
            reason = "a second wish";
        if (reason)
            break;
        receive.wish = wish;
    }
    if (reason) {
        *ret_line = lines.number;
        *ret_reason = reason;
        return -EBADMSG;
    }
    *ret_receive = receive;
    return 0;
}

bool receive_hears(const struct receive *receive, struct slice name, bool local)
{
    struct receive_names names = receive_names(receive);
    struct slice one;
    if (receive->wish != RECEIVE_ONLY)
        return receive->wish == RECEIVE_ON;
    while (receive_names_next(&names, &one)) {
        if (is_remote(one) != local && slice_eq(bare(one), name))
            return true;
    }
    return false;
}

/* A line for each name: a line has an end long before a file has. */
int receive_format(struct slice word, struct slice names, char out[static LIM_RECEIVE_FILE + 1],
                   size_t *ret_len, const char **ret_reason)
{
    struct receive receive;
    struct slice name = {0};
    size_t len = 0, line;
    bool more = take_name(&names, &name);
    do {
        int put = snprintf(out + len, LIM_RECEIVE_FILE + 1 - len, "%.*s%s%.*s\n", (int)word.len,
                           word.ptr, more ? " " : "", (int)name.len, more ? name.ptr : "");
        if (put < 0 || (size_t)put > LIM_RECEIVE_FILE - len)
            return -EFBIG;
        len += (size_t)put;
    } while (more && (more = take_name(&names, &name)));
    int r = receive_parse((struct slice){out, len}, &receive, &line, ret_reason);
    if (r == 0)
        *ret_len = len;
    return r;
}
