/* SPDX-License-Identifier: MIT */
#include "client/inbox.h"

#include "common/mem.h"
#include "common/text.h"

#include <time.h>

#define SHOWN 60 /* bytes of a text in a line of the list */

/* ---- what is kept ---------------------------------------------------------------------------- */

static void keep_answers(struct inbox_message *kept, const struct slice_list *answers)
{
    size_t used = 0;

    for (size_t i = 0; i < answers->n && i < LIM_ANSWERS; i++) {
        int len = snprintf(kept->answers + used, sizeof(kept->answers) - used, "%s%zu %.*s",
                           i ? ", " : "", i + 1, (int)answers->items[i].len, answers->items[i].ptr);
        used += (size_t)len;
        if (used >= sizeof(kept->answers))
            return;
    }
}

static char *keep_text(struct slice text)
{
    char *kept = text.ptr ? malloc(text.len + 1) : NULL;

    if (!kept)
        return NULL;
    memcpy(kept, text.ptr, text.len);
    kept[text.len] = '\0';
    return kept;
}

int inbox_take(struct inbox *inbox, const struct msg *msg)
{
    const struct msg_message *message = &msg->u.events.message;
    struct inbox_message *grown, *kept;

    if (msg->type != MSG_EVENT || !message->text.ptr || inbox->n == INBOX_MAX)
        return 0;
    grown = reallocarray(inbox->messages, inbox->n + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    inbox->messages = grown;
    kept = &grown[inbox->n];
    *kept = (struct inbox_message){.number = (uint32_t)message->number,
                                   .at = message->at,
                                   .ended = message->ended,
                                   .waits = message->wait,
                                   .title = keep_text(message->title),
                                   .text = keep_text(message->text)};
    if (!kept->text)
        return -ENOMEM;
    slice_copy(kept->session, sizeof(kept->session), message->sess);
    slice_copy(kept->from, sizeof(kept->from), message->from);
    slice_copy(kept->state, sizeof(kept->state), message->st);
    keep_answers(kept, &message->answers);
    inbox->n++;
    return 0;
}

void inbox_release(struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->n; i++) {
        free(inbox->messages[i].title);
        free(inbox->messages[i].text);
    }
    free(inbox->messages);
    *inbox = (struct inbox){NULL, 0};
}

size_t inbox_waiting(const struct inbox *inbox, const struct inbox_message **ret_one)
{
    size_t n = 0;

    for (size_t i = 0; i < inbox->n; i++) {
        if (!inbox->messages[i].waits)
            continue;
        n++;
        *ret_one = &inbox->messages[i];
    }
    return n;
}

/* ---- what is printed ------------------------------------------------------------------------- */

struct slice inbox_time(uint64_t ms, char out[static 8])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    if (ms / 1000 > UINT32_MAX || !localtime_r(&seconds, &local) ||
        strftime(out, 8, "%H:%M", &local) == 0)
        strcpy(out, "--:--");
    return slice_of(out);
}

/* `acknowledged 14:06`, or the state alone. */
static struct slice state_of(const struct inbox_message *message, char out[static LIM_CODE + 16])
{
    char ended[8];

    snprintf(out, LIM_CODE + 16, "%s%s%s", message->state, message->ended ? " " : "",
             message->ended ? inbox_time(message->ended, ended).ptr : "");
    return slice_of(out);
}

/* The first line of a text, cut at a character. */
static struct slice first_line(const char *text, char out[static SHOWN + 1])
{
    return (struct slice){
        out, text_escape((struct slice){text, strcspn(text, "\n")}, TEXT_ONE_LINE, out, SHOWN + 1)};
}

static void print_one(const struct inbox_message *message, const struct speaker *speaker)
{
    char id[16], at[8], state[LIM_CODE + 16], shown[SHOWN + 1];
    struct line_fields fields = {
        .by = slice_of(message->from),
        .code = state_of(message, state),
        .at = inbox_time(message->at, at),
        .message = first_line(message->title ? message->title : message->text, shown)};

    snprintf(id, sizeof(id), "%c%3u", message->waits ? '*' : ' ', message->number);
    fields.id = slice_of(id);
    speak(speaker, message->waits ? LINE_LIST_WAITS : LINE_LIST_ENDED, &fields);
}

void inbox_print(const struct inbox *inbox, const struct speaker *speaker)
{
    for (size_t i = 0; i < inbox->n; i++)
        print_one(&inbox->messages[i], speaker);
}

/* Each line behind `| `, so that a text cannot imitate what stands around it. */
static void print_text(const char *text, const struct speaker *speaker)
{
    struct slice rest = slice_of(text);

    for (;;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        CLEANUP_FREE char *escaped = malloc(TEXT_ESCAPED(line.len));
        if (!escaped)
            return;
        text_escape(line, TEXT_KEEP_LINES, escaped, TEXT_ESCAPED(line.len));
        fprintf(speaker->out, "| %s\n", escaped);
        if (!end)
            return;
        rest = slice_from(rest, line.len + 1);
    }
}

void inbox_print_full(const struct inbox_message *message, const struct speaker *speaker)
{
    char id[16], at[8], state[LIM_CODE + 16];
    struct line_fields fields = {.by = slice_of(message->from),
                                 .session = slice_of(message->session),
                                 .code = state_of(message, state),
                                 .at = inbox_time(message->at, at),
                                 .message = slice_of(message->answers)};

    snprintf(id, sizeof(id), "%u", message->number);
    fields.id = slice_of(id);
    speak(speaker, LINE_LIST_HEAD, &fields);
    if (message->title)
        print_text(message->title, speaker);
    print_text(message->text, speaker);
    if (message->answers[0])
        speak(speaker, LINE_LIST_ANSWERS, &fields);
    speak(speaker, message->waits ? LINE_LIST_STILL : LINE_LIST_STATE, &fields);
}
