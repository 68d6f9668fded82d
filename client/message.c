/* SPDX-License-Identifier: MIT */
#include "client/message.h"

#include "common/mem.h"
#include "common/text.h"

#include <iconv.h>
#include <stdarg.h>
#include <strings.h>

static const struct kind_row {
    const char *name;
    size_t limit;
    int (*check)(struct slice text, struct text_fault *ret_fault);
    bool drops_newline;
} KINDS[] = {
    [MESSAGE_WORDS] = {"message", LIM_TEXT, text_check, false},
    [MESSAGE_STREAM] = {"message", LIM_TEXT, text_check, true},
    [MESSAGE_TITLE] = {"title", LIM_TITLE, text_check_line, false},
    [MESSAGE_ANSWER] = {"answer", LIM_ANSWER, text_check_line, false},
};

int message_refuse(struct message_error *error, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(error->text, sizeof(error->text), format, list);
    va_end(list);
    return -EINVAL;
}

/* ---- charsets -------------------------------------------------------------------------------- */

/* What to convert from; NULL: it is, or must be, UTF-8. */
static const char *source_charset(struct slice raw, const char *charset)
{
    static const char *const UTF8[] = {"UTF-8", "ANSI_X3.4-1968", "US-ASCII"};

    if (slice_begins(raw, SLICE("\xEF\xBB\xBF")))
        return NULL;
    if (slice_begins(raw, SLICE("\xFF\xFE")) || slice_begins(raw, SLICE("\xFE\xFF")))
        return "UTF-16";
    for (size_t i = 0; i < ARRAY_SIZE(UTF8); i++) {
        if (strcasecmp(charset, UTF8[i]) == 0)
            return NULL;
    }
    return charset;
}

/* Where the text ends so far: the place of what could not be converted. */
static void find_end(const char *text, size_t len, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < len; i++) {
        bool continued = ((unsigned char)text[i] & 0xC0) == 0x80;
        line += text[i] == '\n';
        column = text[i] == '\n' ? 1 : column + !continued;
    }
    *ret_line = line;
    *ret_column = column;
}

static int run_iconv(iconv_t converter, struct slice raw, char *out, size_t capacity,
                     size_t *ret_len)
{
    CLEANUP_FREE char *copy = malloc(raw.len + 1);
    char *in = copy, *end = out;
    size_t left = raw.len, room = capacity;

    *ret_len = 0;
    if (!copy)
        return -ENOMEM;
    if (raw.len > 0)
        memcpy(copy, raw.ptr, raw.len);
    size_t failed = iconv(converter, &in, &left, &end, &room);
    int r = failed == (size_t)-1 ? mem_errno() : 0;
    *ret_len = (size_t)(end - out);
    return r;
}

static int convert(struct slice raw, const char *charset, const char *name, char **ret_text,
                   size_t *ret_len, struct message_error *error)
{
    size_t capacity = raw.len * 4 + 4, line, column;
    CLEANUP_FREE char *out = malloc(capacity);
    iconv_t converter = iconv_open("UTF-8", charset);
    int r;

    if (converter == (iconv_t)-1)
        return message_refuse(error, "%s: the charset %.40s cannot be converted", name, charset);
    r = out ? run_iconv(converter, raw, out, capacity, ret_len) : -ENOMEM;
    iconv_close(converter);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        find_end(out, *ret_len, &line, &column);
        return message_refuse(error, "%s line %zu, column %zu: a byte that is not %.40s", name,
                              line, column, charset);
    }
    *ret_text = TAKE(out);
    return 0;
}

static int copy(struct slice raw, char **ret_text, size_t *ret_len)
{
    char *text = malloc(raw.len + 1);

    if (!text)
        return -ENOMEM;
    if (raw.len > 0)
        memcpy(text, raw.ptr, raw.len);
    *ret_text = text;
    *ret_len = raw.len;
    return 0;
}

/* ---- judging --------------------------------------------------------------------------------- */

static int judge(struct slice text, const struct kind_row *kind, struct message_error *error)
{
    struct text_fault fault;
    int r = kind->check(text, &fault);

    if (r < 0 && fault.line > 0)
        return message_refuse(error, "%s line %zu, column %zu: %s", kind->name, fault.line,
                              fault.column, fault.what);
    if (r < 0)
        return message_refuse(error, "the %s is %s", kind->name, fault.what);
    if (text.len > kind->limit)
        return message_refuse(error, "the %s has %zu bytes; at most %zu can be sent", kind->name,
                              text.len, kind->limit);
    return 0;
}

int message_clean(struct slice raw, enum message_kind kind, const char *charset, char **ret_text,
                  size_t *ret_len, struct message_error *ret_error)
{
    const struct kind_row *row = &KINDS[kind];
    CLEANUP_FREE char *text = NULL;
    const char *from;
    size_t len = 0;
    int r;

    if (raw.len > MESSAGE_RAW_MAX)
        return message_refuse(ret_error, "the %s is too long; at most %zu bytes can be sent",
                              row->name, row->limit);
    from = source_charset(raw, charset);
    r = from ? convert(raw, from, row->name, &text, &len, ret_error) : copy(raw, &text, &len);
    if (r < 0)
        return r;
    len = text_normalise(text, len);
    if (row->drops_newline && len > 0 && text[len - 1] == '\n')
        len--;
    r = judge((struct slice){text, len}, row, ret_error);
    if (r < 0)
        return r;
    *ret_text = TAKE(text);
    *ret_len = len;
    return 0;
}

char *message_join(const char *const *words, size_t n)
{
    size_t size = 1;
    char *joined, *end;

    for (size_t i = 0; i < n; i++)
        size += strlen(words[i]) + 1;
    joined = malloc(size);
    if (!joined)
        return NULL;
    end = joined;
    *end = '\0';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *end++ = ' ';
        end = stpcpy(end, words[i]);
    }
    return joined;
}
