/* SPDX-License-Identifier: MIT */
#include "daemon/popup_text.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_words.h"
#include "protocol/utf8.h"

#define LINE_SIZE 4096

/* ---- the text, as it is put together --------------------------------------------------------- */

static void put(FILE *out, struct slice text, enum popup_text_kind kind)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (kind == POPUP_TEXT_MARKUP && c == '&')
            fputs("&amp;", out);
        else if (kind == POPUP_TEXT_MARKUP && c == '<')
            fputs("&lt;", out);
        else if (kind == POPUP_TEXT_MARKUP && c == '>')
            fputs("&gt;", out);
        else
            fputc(c, out);
    }
}

/* A line of ours, set off from the sender's where that can be done. */
static void put_ours(FILE *out, const char *line, const char *tag, enum popup_text_kind kind)
{
    bool marked = kind == POPUP_TEXT_MARKUP;
    if (marked)
        fprintf(out, "<%s>", tag);
    put(out, slice_of(line), kind);
    if (marked)
        fprintf(out, "</%s>", tag);
    fputc('\n', out);
}

static void put_header(FILE *out, const struct popup_message *message, enum popup_text_kind kind)
{
    char sender[TEXT_ESCAPED(PRESENT_SENDER)], user[TEXT_ESCAPED(68)], line[LINE_SIZE];
    text_escape(message->texts.sender, TEXT_ONE_LINE, sender, sizeof(sender));
    text_escape(slice_of(message->user), TEXT_ONE_LINE, user, sizeof(user));
    words_fill(line, sizeof(line), WORD_HEADER,
               (const char *[]){sender, user, message->host, message->time});
    put_ours(out, line, "b", kind);
}

/* What the sender wrote over his text; a line's end is escaped in it, too. */
static void put_title(FILE *out, struct slice title, enum popup_text_kind kind)
{
    char escaped[TEXT_ESCAPED(LIM_TITLE)];
    if (title.len == 0)
        return;
    text_escape(title, TEXT_ONE_LINE, escaped, sizeof(escaped));
    put(out, slice_of(words[WORD_TITLE]), kind);
    put(out, slice_of(escaped), kind);
    fputc('\n', out);
}

/* As much of it as a notification holds: whole lines, or what fits of a long one. */
static struct slice cut(struct slice text)
{
    size_t at = 0, lines = 0, line = 0;
    while (at < text.len) {
        uint32_t code;
        size_t len = utf8_next(slice_from(text, at), &code);
        len = len > 0 ? len : 1;
        if (at + len > POPUP_TEXT_BYTES)
            return (struct slice){text.ptr, line > 0 ? line : at};
        at += len;
        if (text.ptr[at - 1] == '\n') {
            line = at;
            if (++lines == POPUP_TEXT_LINES)
                break;
        }
    }
    return (struct slice){text.ptr, at};
}

static size_t count_lines(struct slice text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n' || i + 1 == text.len;
    return lines;
}

static void put_more(FILE *out, struct slice rest, uint32_t number, enum popup_text_kind kind)
{
    char counted[24], numbered[16], line[LINE_SIZE];
    size_t count = count_lines(rest);
    snprintf(counted, sizeof(counted), "%zu", count);
    snprintf(numbered, sizeof(numbered), "%u", number);
    words_fill(line, sizeof(line),
               number == 0  ? WORD_MORE_UNNUMBERED
               : count == 1 ? WORD_MORE_ONE
                            : WORD_MORE,
               (const char *[]){counted, numbered});
    put_ours(out, line, "i", kind);
}

static int put_body(FILE *out, const struct popup_message *message, enum popup_text_kind kind)
{
    size_t capacity = TEXT_ESCAPED(message->texts.body.len);
    CLEANUP_FREE char *escaped = malloc(capacity);
    if (!escaped)
        return -ENOMEM;
    size_t len = text_escape(message->texts.body, TEXT_KEEP_LINES, escaped, capacity);
    struct slice text = {escaped, len};
    struct slice shown = kind == POPUP_TEXT_DIALOG ? text : cut(text);
    put(out, shown, kind);
    if (shown.len > 0 && shown.ptr[shown.len - 1] != '\n')
        fputc('\n', out);
    if (shown.len < text.len)
        put_more(out, slice_from(text, shown.len), message->number, kind);
    return 0;
}

static void put_answers(FILE *out, struct slice answers, enum popup_text_kind kind)
{
    struct slice label;
    for (unsigned number = 1; present_answers_next(&answers, &label); number++) {
        char escaped[TEXT_ESCAPED(LIM_ANSWER)], numbered[8], line[LINE_SIZE];
        text_escape(label, TEXT_ONE_LINE, escaped, sizeof(escaped));
        snprintf(numbered, sizeof(numbered), "%u", number);
        words_fill(line, sizeof(line), WORD_CHOICE, (const char *[]){numbered, escaped});
        put(out, slice_of(line), kind);
        fputc('\n', out);
    }
}

static void put_foot(FILE *out, const struct popup_message *message, enum popup_text_kind kind)
{
    char number[16], line[LINE_SIZE];
    if (!message->wait || message->number == 0)
        return;
    snprintf(number, sizeof(number), "%u", message->number);
    words_fill(line, sizeof(line), message->texts.answers.len > 0 ? WORD_CHOOSE : WORD_CLICK,
               (const char *[]){number});
    put_ours(out, line, "i", kind);
}

/* ---- as a whole ------------------------------------------------------------------------------ */

char *popup_text(const struct popup_message *message, enum popup_text_kind kind)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    put_header(out, message, kind);
    put_title(out, message->texts.title, kind);
    int r = put_body(out, message, kind);
    put_answers(out, message->texts.answers, kind);
    put_foot(out, message, kind);
    if (fclose(out) != 0 || r < 0) {
        free(text);
        return NULL;
    }
    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
    return text;
}

void popup_text_summary(const struct popup_message *message, char out[static POPUP_SUMMARY])
{
    char sender[TEXT_ESCAPED(PRESENT_SENDER)];
    text_escape(message->texts.sender, TEXT_ONE_LINE, sender, sizeof(sender));
    words_fill(out, POPUP_SUMMARY, WORD_SUMMARY, (const char *[]){sender});
}
