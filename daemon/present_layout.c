/* SPDX-License-Identifier: MIT */
#include "daemon/present_layout.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_rows.h"
#include "daemon/present_text.h"
#include "daemon/present_words.h"

#include <stdio.h>

#define HEAD_SIZE 4096
#define NOTE_SIZE 128

/* ---- the page -------------------------------------------------------------------------------- */

struct page {
    char *out;
    size_t used;
    unsigned rows;
    unsigned columns; /* of text: the terminal's less prefix and last column */
    unsigned escape;  /* flags of text_escape() for all that comes from outside */
};

static void put(struct page *page, struct slice bytes)
{
    if (bytes.len > LIM_TERMINAL_WRITE - page->used)
        bytes.len = LIM_TERMINAL_WRITE - page->used;
    if (bytes.len > 0)
        memcpy(page->out + page->used, bytes.ptr, bytes.len);
    page->used += bytes.len;
}

static void put_row(struct page *page, const char *prefix, struct slice row)
{
    char expanded[ROWS_EXPANDED];
    put(page, slice_of(prefix));
    put(page, (struct slice){expanded, rows_expand(row, expanded)});
    put(page, SLICE("\r\n"));
    page->rows++;
}

/* Bytes that put_row would take, tabs expanded. */
static size_t row_size(const char *prefix, struct slice row)
{
    size_t size = strlen(prefix) + row.len + strlen("\r\n");
    for (size_t i = 0; i < row.len; i++)
        size += row.ptr[i] == '\t' ? 7 : 0;
    return size;
}

/* One of our lines with what came from outside in it: a few rows at most, then cut. */
static void put_head(struct page *page, const char *line, const char *prefix)
{
    struct slice rows[ROWS_HEAD];
    size_t count = rows_head(slice_of(line), page->columns, rows);
    for (size_t i = 0; i < count; i++)
        put_row(page, i == 0 ? "" : prefix, rows[i]);
}

static void put_header(struct page *page, const struct layout_message *message)
{
    char sender[TEXT_ESCAPED(PRESENT_SENDER)], host[TEXT_ESCAPED(LIM_NAME)], line[HEAD_SIZE];
    char user[TEXT_ESCAPED(LIM_NAME)];
    text_escape(message->sender, TEXT_ONE_LINE | page->escape, sender, sizeof(sender));
    text_escape(slice_of(message->host), TEXT_ONE_LINE | page->escape, host, sizeof(host));
    text_escape(slice_of(message->user), TEXT_ONE_LINE | page->escape, user, sizeof(user));
    words_fill(line, sizeof(line), WORD_HEADER,
               (const char *[]){sender, user, host, message->time});
    put(page, SLICE("\r\n\a"));
    put_head(page, line, "  ");
}

static void put_title(struct page *page, struct slice title)
{
    char escaped[TEXT_ESCAPED(LIM_TITLE)], line[HEAD_SIZE];
    if (title.len == 0)
        return;
    text_escape(title, TEXT_ONE_LINE | page->escape, escaped, sizeof(escaped));
    snprintf(line, sizeof(line), "%s%s", words[WORD_TITLE], escaped);
    put_head(page, line, words[WORD_TEXT]);
}

/* What follows the text: the answers there are, and what to do. */
struct foot {
    struct slice answers;
    char confirm[NOTE_SIZE];
    unsigned rows;
    size_t bytes;
};

/* An answer's one row, numbered, cut at the last column. */
static struct slice answer_row(const struct page *page, struct slice label, unsigned number,
                               char line[static HEAD_SIZE])
{
    char escaped[TEXT_ESCAPED(LIM_ANSWER)], numbered[8];
    text_escape(label, TEXT_ONE_LINE | page->escape, escaped, sizeof(escaped));
    snprintf(numbered, sizeof(numbered), "%u", number);
    words_fill(line, HEAD_SIZE, WORD_CHOICE, (const char *[]){numbered, escaped});
    return rows_cut(slice_of(line), page->columns);
}

static void foot_plan(struct foot *foot, const struct page *page,
                      const struct layout_message *message)
{
    struct slice answers = message->answers, label;
    char number[16] = "", line[HEAD_SIZE];
    if (!message->wait)
        return;
    if (message->number != 0)
        snprintf(number, sizeof(number), "%u", message->number);
    words_fill(foot->confirm, sizeof(foot->confirm), answers.len > 0 ? WORD_ANSWER : WORD_CONFIRM,
               (const char *[]){number});
    foot->answers = answers;
    foot->bytes = row_size("", slice_of(foot->confirm));
    for (foot->rows = 1; present_answers_next(&answers, &label); foot->rows++)
        foot->bytes += row_size(words[WORD_TEXT], answer_row(page, label, foot->rows, line));
}

static void put_foot(struct page *page, const struct foot *foot)
{
    struct slice answers = foot->answers, label;
    char line[HEAD_SIZE];
    for (unsigned number = 1; present_answers_next(&answers, &label); number++)
        put_row(page, words[WORD_TEXT], answer_row(page, label, number, line));
    if (foot->confirm[0] != '\0')
        put_row(page, "", slice_of(foot->confirm));
}

static void fill_more(char out[static NOTE_SIZE], size_t count, uint32_t number)
{
    char counted[24], numbered[16];
    snprintf(counted, sizeof(counted), "%zu", count);
    snprintf(numbered, sizeof(numbered), "%u", number);
    words_fill(out, NOTE_SIZE,
               number == 0  ? WORD_MORE_UNNUMBERED
               : count == 1 ? WORD_MORE_ONE
                            : WORD_MORE,
               (const char *[]){counted, numbered});
}

/* Rows of text as long as they, what must follow them, and a line that counts the rest all fit. */
static void put_text(struct page *page, struct slice text, uint32_t number, const struct foot *foot)
{
    const char *prefix = words[WORD_TEXT];
    struct rows rows = {text, page->columns};
    while (rows.rest.len > 0) {
        struct rows ahead = rows;
        struct slice row = rows_next(&ahead);
        bool last = ahead.rest.len == 0;
        unsigned lines = page->rows + 1 + !last + foot->rows;
        size_t bytes = page->used + row_size(prefix, row) + (last ? 0 : NOTE_SIZE) + foot->bytes;
        if (lines > LIM_TERMINAL_LINES || bytes > LIM_TERMINAL_WRITE) {
            char more[NOTE_SIZE];
            fill_more(more, rows_count(rows), number);
            put_row(page, "", slice_of(more));
            break;
        }
        put_row(page, prefix, row);
        rows = ahead;
    }
}

static unsigned text_columns(unsigned columns)
{
    columns = columns == 0 ? 80 : columns;
    columns = columns < LAYOUT_COLUMNS_MIN ? LAYOUT_COLUMNS_MIN : columns;
    columns = columns > LAYOUT_COLUMNS_MAX ? LAYOUT_COLUMNS_MAX : columns;
    return columns - (unsigned)strlen(words[WORD_TEXT]) - 1;
}

ssize_t layout_message(const struct layout_message *message, unsigned columns,
                       char out[static LIM_TERMINAL_WRITE])
{
    struct page page = {
        .out = out, .columns = text_columns(columns), .escape = message->bytes ? TEXT_NO_C1 : 0};
    size_t capacity = TEXT_ESCAPED(message->text.len);
    struct foot foot = {.confirm = ""};
    CLEANUP_FREE char *text = malloc(capacity);
    if (!text)
        return -ENOMEM;
    size_t len = text_escape(message->text, TEXT_KEEP_LINES | page.escape, text, capacity);
    foot_plan(&foot, &page, message);
    put_header(&page, message);
    put_title(&page, message->title);
    put_text(&page, (struct slice){text, len}, message->number, &foot);
    put_foot(&page, &foot);
    return (ssize_t)page.used;
}

size_t layout_end(enum withdraw_why why, uint32_t number, char out[static LIM_TERMINAL_WRITE])
{
    struct page page = {.out = out};
    char numbered[16], line[NOTE_SIZE];
    if (why == WITHDRAW_SILENT || number == 0)
        return 0;
    snprintf(numbered, sizeof(numbered), "%u", number);
    words_fill(line, sizeof(line), why == WITHDRAW_ANSWERED ? WORD_ELSEWHERE : WORD_WITHDRAWN,
               (const char *[]){numbered});
    put(&page, SLICE("\r\n"));
    put_row(&page, "", slice_of(line));
    return page.used;
}
