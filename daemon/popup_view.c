/* SPDX-License-Identifier: MIT */
#include "daemon/popup_view.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_rows.h"
#include "daemon/present_text.h"
#include "daemon/present_words.h"

#include <inttypes.h>

#define LINE_SIZE  4096
#define MORE_SIZE  128
#define HOME       "\033[?25l\033[H" /* no cursor, to the first column of the first row */
#define ROW_END    "\033[K"          /* what stood behind it is erased */
#define SCREEN_END "\033[J"

struct view {
    char head[LINE_SIZE], title[LINE_SIZE];
    char *text;
    size_t text_len;
    struct slice answers; /* borrowed from bytes */
    char wait[LINE_SIZE], act[LINE_SIZE];
    unsigned columns, lines; /* of the screen; 0: too small, or not known yet */
    size_t rows, top;        /* of the text: all, and above the window */
    size_t window;           /* rows of the text that are shown */
    size_t head_rows, title_rows;
    char bytes[];
};

static unsigned prefixed(unsigned columns)
{
    return columns - (unsigned)strlen(words[WORD_TEXT]);
}

/* ---- what is in it --------------------------------------------------------------------------- */

static void fill_head(struct view *view, const struct popup_message *message)
{
    char sender[TEXT_ESCAPED(PRESENT_SENDER)], host[TEXT_ESCAPED(LIM_NAME)];
    char title[TEXT_ESCAPED(LIM_TITLE)], number[16];
    text_escape(message->texts.sender, TEXT_ONE_LINE, sender, sizeof(sender));
    text_escape(slice_of(message->host), TEXT_ONE_LINE, host, sizeof(host));
    text_escape(message->texts.title, TEXT_ONE_LINE, title, sizeof(title));
    words_fill(view->head, sizeof(view->head), WORD_FROM,
               (const char *[]){sender, host, message->time});
    if (message->texts.title.len > 0)
        snprintf(view->title, sizeof(view->title), "%s%s", words[WORD_TITLE], title);
    snprintf(number, sizeof(number), "%" PRIu32, message->number);
    words_fill(view->act, sizeof(view->act),
               message->texts.answers.len > 0 ? WORD_PRESS_DIGIT : WORD_PRESS_O,
               (const char *[]){message->number > 0 ? number : ""});
    snprintf(view->wait, sizeof(view->wait), "%s", words[WORD_STILL]);
}

struct view *view_new(const struct popup_message *message)
{
    size_t capacity = TEXT_ESCAPED(message->texts.body.len);
    struct view *view = calloc(1, sizeof(*view) + message->texts.answers.len);
    if (!view)
        return NULL;
    view->text = malloc(capacity);
    if (!view->text) {
        free(view);
        return NULL;
    }
    view->text_len = text_escape(message->texts.body, TEXT_KEEP_LINES, view->text, capacity);
    if (message->texts.answers.len > 0)
        memcpy(view->bytes, message->texts.answers.ptr, message->texts.answers.len);
    view->answers = (struct slice){view->bytes, message->texts.answers.len};
    fill_head(view, message);
    return view;
}

void view_free(struct view *view)
{
    if (view)
        free(view->text);
    free(view);
}

/* ---- how it is laid out ---------------------------------------------------------------------- */

static size_t line_rows(const char *line, unsigned columns)
{
    struct slice rows[ROWS_HEAD];
    return rows_head(slice_of(line), columns, rows);
}

static size_t answers_count(const struct view *view)
{
    struct slice answers = view->answers, label;
    size_t count = 0;
    while (present_answers_next(&answers, &label))
        count++;
    return count;
}

/* What to do takes the same rows before and after, so that nothing jumps. */
static size_t act_rows(const struct view *view, unsigned columns)
{
    size_t wait = line_rows(view->wait, columns), act = line_rows(view->act, columns);
    return wait > act ? wait : act;
}

static size_t text_rows(const struct view *view, unsigned columns)
{
    struct rows rows = {{view->text, view->text_len}, prefixed(columns)};
    return rows_count(rows);
}

static unsigned fit_columns(unsigned columns)
{
    return columns > ROWS_COLUMNS ? ROWS_COLUMNS : columns;
}

unsigned view_lines_wanted(const struct view *view, unsigned columns)
{
    if (columns < VIEW_COLUMNS_MIN)
        return VIEW_LINES_MAX;
    columns = fit_columns(columns);
    size_t wanted = line_rows(view->head, columns) + line_rows(view->title, prefixed(columns)) +
                    text_rows(view, columns) + answers_count(view) + act_rows(view, columns);
    return wanted < VIEW_LINES_MAX ? (unsigned)wanted : VIEW_LINES_MAX;
}

/* How many rows are left for the text, and a line that counts it where they are too few. */
static size_t rows_left(const struct view *view)
{
    size_t taken =
        view->head_rows + view->title_rows + answers_count(view) + act_rows(view, view->columns);
    if (taken + view->rows > view->lines)
        taken++;
    return taken < view->lines ? view->lines - taken : 0;
}

bool view_resize(struct view *view, unsigned columns, unsigned lines)
{
    view->columns = fit_columns(columns);
    view->lines = lines < VIEW_LINES_MAX ? lines : VIEW_LINES_MAX;
    view->window = 0;
    if (columns >= VIEW_COLUMNS_MIN) {
        view->head_rows = line_rows(view->head, view->columns);
        view->title_rows = line_rows(view->title, prefixed(view->columns));
        view->rows = text_rows(view, view->columns);
        view->window = rows_left(view);
    }
    if (columns >= VIEW_COLUMNS_MIN && view->window < VIEW_TEXT_ROWS && view->window < view->rows) {
        view->head_rows = 1;
        view->title_rows = 0;
        view->window = rows_left(view);
    }
    if (view->window > view->rows)
        view->window = view->rows;
    view_scroll(view, 0, 0);
    return view->window > 0;
}

void view_scroll_to(struct view *view, bool end)
{
    view->top = end ? view->rows - view->window : 0;
}

void view_scroll(struct view *view, int64_t rows, int64_t windows)
{
    const int64_t far = INT32_MAX;
    int64_t most = (int64_t)(view->rows - view->window);
    rows = rows > far ? far : rows < -far ? -far : rows;
    windows = windows > far ? far : windows < -far ? -far : windows;
    int64_t top = (int64_t)view->top + rows + windows * (int64_t)view->window;
    view->top = (size_t)(top > most ? most : top < 0 ? 0 : top);
}

/* ---- how it is drawn ------------------------------------------------------------------------- */

struct pen {
    FILE *out;
    size_t row;
};

/* Rows are parted, not ended, by CR LF: the last one must not scroll the screen. */
static void draw_row(struct pen *pen, const char *prefix, struct slice row)
{
    char expanded[ROWS_EXPANDED];
    if (pen->row++ > 0)
        fputs("\r\n", pen->out);
    fputs(prefix, pen->out);
    fwrite(expanded, 1, rows_expand(row, expanded), pen->out);
    fputs(ROW_END, pen->out);
}

static void draw_line(struct pen *pen, const char *prefix, const char *line, unsigned columns,
                      size_t most)
{
    struct slice rows[ROWS_HEAD];
    size_t count = rows_head(slice_of(line), columns, rows);
    for (size_t i = 0; i < count && i < most; i++)
        draw_row(pen, prefix, rows[i]);
}

static void draw_text(const struct view *view, struct pen *pen)
{
    struct rows rows = {{view->text, view->text_len}, prefixed(view->columns)};
    for (size_t i = 0; i < view->top + view->window && i < view->rows; i++) {
        struct slice row = rows_next(&rows);
        if (i >= view->top)
            draw_row(pen, words[WORD_TEXT], row);
    }
}

static void draw_more(const struct view *view, struct pen *pen)
{
    char first[24], last[24], all[24], line[MORE_SIZE];
    if (view->window == view->rows)
        return;
    snprintf(first, sizeof(first), "%zu", view->top + 1);
    snprintf(last, sizeof(last), "%zu", view->top + view->window);
    snprintf(all, sizeof(all), "%zu", view->rows);
    words_fill(line, sizeof(line), WORD_ROWS, (const char *[]){first, last, all});
    draw_row(pen, "", rows_cut(slice_of(line), view->columns));
}

static void draw_answers(const struct view *view, struct pen *pen)
{
    struct slice answers = view->answers, label;
    char escaped[TEXT_ESCAPED(LIM_ANSWER)], numbered[8], line[LINE_SIZE];
    for (unsigned number = 1; present_answers_next(&answers, &label); number++) {
        text_escape(label, TEXT_ONE_LINE, escaped, sizeof(escaped));
        snprintf(numbered, sizeof(numbered), "%u", number);
        words_fill(line, sizeof(line), WORD_CHOICE, (const char *[]){numbered, escaped});
        draw_row(pen, words[WORD_TEXT], rows_cut(slice_of(line), prefixed(view->columns)));
    }
}

void view_draw(const struct view *view, bool counting, FILE *out)
{
    struct pen pen = {.out = out};
    fputs(HOME, out);
    draw_line(&pen, "", view->head, view->columns, view->head_rows);
    draw_line(&pen, words[WORD_TEXT], view->title, prefixed(view->columns), view->title_rows);
    draw_text(view, &pen);
    draw_more(view, &pen);
    draw_answers(view, &pen);
    draw_line(&pen, "", counting ? view->act : view->wait, view->columns, ROWS_HEAD);
    fputs(SCREEN_END, out);
}
