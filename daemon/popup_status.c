/* SPDX-License-Identifier: MIT */
#include "daemon/popup_status.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_rows.h"
#include "daemon/present_words.h"

#include <inttypes.h>

#define LINE_SIZE   4096
#define SENDER_PART 2               /* of the line, the sender gets at most one in so many */
#define TEXT_LEAST  8               /* columns, or none is shown */
#define TEXT_SIZE   (2 * LINE_SIZE) /* title and text */
#define TAIL_SIZE   64

/* ---- the line -------------------------------------------------------------------------------- */

/* Cut to so many columns, and marked where it was. */
static void append(char *line, const char *text, unsigned columns)
{
    struct slice all = slice_of(text), kept = rows_cut(all, columns);
    bool cut = kept.len < all.len && columns > strlen("...");
    if (cut)
        kept = rows_cut(all, columns - (unsigned)strlen("..."));
    size_t used = strlen(line);
    snprintf(line + used, LINE_SIZE - used, "%.*s%s", (int)kept.len, kept.ptr, cut ? "..." : "");
}

/* The first line that is not empty, its tabs as blanks; *ret_more: it is not all of the text. */
static void first_line(struct slice text, char out[static LINE_SIZE], bool *ret_more)
{
    struct rows rows = {text, ROWS_COLUMNS};
    struct slice row = {0};
    char copy[ROWS_BYTES + 4];
    while (rows.rest.len > 0 && row.len == 0)
        row = rows_next(&rows);
    for (size_t i = 0; i < row.len; i++)
        copy[i] = row.ptr[i] == '\t' ? ' ' : row.ptr[i];
    text_escape((struct slice){copy, row.len}, TEXT_ONE_LINE, out, LINE_SIZE);
    *ret_more = rows.rest.len > 0;
}

/* The title before it, where there is one; whether that is all there is to read. */
static bool fill_text(const struct present_texts *texts, char out[static TEXT_SIZE])
{
    char title[TEXT_ESCAPED(LIM_TITLE)], text[LINE_SIZE];
    bool more;
    first_line(texts->body, text, &more);
    text_escape(texts->title, TEXT_ONE_LINE, title, sizeof(title));
    snprintf(out, TEXT_SIZE, "%s%s%s%s", title, title[0] != '\0' ? ": " : "", text,
             more ? " ..." : "");
    return !more;
}

/* Who sent it; where it is and of when only where all of that, the text and the rest has room. */
static void fill_head(const struct popup_message *message, unsigned columns, unsigned behind,
                      char line[static LINE_SIZE])
{
    char sender[TEXT_ESCAPED(PRESENT_SENDER)], host[TEXT_ESCAPED(LIM_NAME)], kept[LINE_SIZE] = "";
    text_escape(message->texts.sender, TEXT_ONE_LINE, sender, sizeof(sender));
    text_escape(slice_of(message->host), TEXT_ONE_LINE, host, sizeof(host));
    words_fill(line, LINE_SIZE, WORD_STATUS_IN_FULL, (const char *[]){sender, host, message->time});
    if (rows_width(slice_of(line)) + behind <= columns)
        return;
    append(kept, sender, columns / SENDER_PART);
    words_fill(line, LINE_SIZE, WORD_STATUS, (const char *[]){kept});
}

/* How to read all of it gives way to the text where that is all of it, and only fits alone. */
static void fill_line(const struct popup_message *message, unsigned columns,
                      char line[static LINE_SIZE])
{
    char text[TEXT_SIZE], tail[TAIL_SIZE] = "", number[16];
    columns = columns > ROWS_COLUMNS ? ROWS_COLUMNS : columns;
    snprintf(number, sizeof(number), "%" PRIu32, message->number);
    if (message->number > 0)
        words_fill(tail, sizeof(tail), WORD_STATUS_MORE, (const char *[]){number});
    bool whole = fill_text(&message->texts, text);
    unsigned wanted = rows_width(slice_of(text)), hint = rows_width(slice_of(tail));
    fill_head(message, columns, wanted + hint, line);
    unsigned taken = rows_width(slice_of(line));
    if (whole && taken + wanted <= columns && taken + wanted + hint > columns) {
        tail[0] = '\0';
        hint = 0;
    }
    if (taken + hint + TEXT_LEAST <= columns)
        append(line, text, columns - taken - hint);
    append(line, tail, ROWS_COLUMNS);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* In single quotes, where only the quote itself means anything; formats want # and % twice. */
static size_t quote(const char *line, char *out, size_t capacity)
{
    size_t used = 0;
    for (const char *at = line; *at != '\0' && used + 8 < capacity; at++) {
        const char twice[] = {*at, *at, '\0'}, once[] = {*at, '\0'};
        const char *put = *at == '\'' ? "'\"'\"'" : *at == '#' || *at == '%' ? twice : once;
        used += (size_t)snprintf(out + used, capacity - used, "%s", put);
    }
    return used;
}

static size_t command(const char *terminal, unsigned shown_ms, const char *line,
                      char out[static STATUS_SIZE])
{
    int len = snprintf(out, STATUS_SIZE, "display-message -c %s -d %u '", terminal, shown_ms);
    size_t used = (size_t)len + quote(line, out + len, STATUS_SIZE - (size_t)len - 4);
    return used + (size_t)snprintf(out + used, STATUS_SIZE - used, "'\n");
}

size_t status_command(const struct popup_message *message, const char *terminal, unsigned columns,
                      unsigned shown_ms, char out[static STATUS_SIZE])
{
    char line[LINE_SIZE];
    fill_line(message, columns, line);
    return command(terminal, shown_ms, line, out);
}

size_t status_clear(const char *terminal, char out[static STATUS_SIZE])
{
    return command(terminal, 1, "", out);
}
