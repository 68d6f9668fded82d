/* SPDX-License-Identifier: MIT */
#include "client/print.h"

#include "common/mem.h"
#include "common/text.h"

static const struct line_row {
    enum line_stream stream;
    const char *template;
} LINE_TABLE[LINES] = {
#define OUT                          LINE_OUT
#define TOLD                         LINE_TOLD
#define ERR                          LINE_ERR
#define NOTE                         LINE_NOTE
#define LINE(NAME, stream, template) [LINE_##NAME] = {stream, template},
#include "client/lines.def"
#undef OUT
#undef TOLD
#undef ERR
#undef NOTE
};

static const struct field_row {
    const char *name;
    size_t offset;
} FIELDS[] = {
#define X(field) {#field, offsetof(struct line_fields, field)},
    LINE_FIELDS(X)
#undef X
};

/* ---- lines ----------------------------------------------------------------------------------- */

enum line_stream line_stream(enum line line)
{
    return LINE_TABLE[line].stream;
}

bool line_is_shown(enum line line, bool verbose)
{
    return verbose || line_stream(line) == LINE_ERR || line_stream(line) == LINE_TOLD;
}

/* The field with the name that begins here, up to the closing brace. */
static struct slice field_named(const struct line_fields *fields, const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(FIELDS); i++) {
        if (strlen(FIELDS[i].name) == len && memcmp(FIELDS[i].name, name, len) == 0)
            return *(const struct slice *)(const void *)((const char *)fields + FIELDS[i].offset);
    }
    return (struct slice){NULL, 0};
}

void line_format(enum line line, const struct line_fields *fields, char out[static PRINT_LINE])
{
    const char *rest = LINE_TABLE[line].template;
    size_t used = 0;

    while (*rest && used + 4 <= PRINT_LINE) {
        size_t plain = strcspn(rest, "{"), name;
        used += text_escape((struct slice){rest, plain}, TEXT_KEEP_LINES, out + used,
                            PRINT_LINE - used);
        rest += plain;
        if (*rest == '\0' || used + 4 > PRINT_LINE)
            break;
        name = strcspn(++rest, "}");
        used += text_escape(field_named(fields, rest, name), TEXT_ONE_LINE, out + used,
                            PRINT_LINE - used);
        rest += name + 1;
    }
}

/* ---- exit statuses --------------------------------------------------------------------------- */

static int rank(int status)
{
    static const int ORDER[] = {EXIT_DONE,        EXIT_UNANSWERED, EXIT_FAILED,
                                EXIT_UNREACHABLE, EXIT_UNKNOWN,    EXIT_USAGE};

    for (size_t i = 0; i < ARRAY_SIZE(ORDER); i++) {
        if (ORDER[i] == status)
            return (int)i;
    }
    return (int)ARRAY_SIZE(ORDER);
}

int exit_worse(int a, int b)
{
    return rank(a) >= rank(b) ? a : b;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* What makes a row fit: wait, displayed before, and with an answer; first row first. */
enum when { ALWAYS, WAITING, SHOWN, CHOSEN };

static const struct event_row {
    const char *st, *why; /* why "": any */
    enum when when;
    struct verdict verdict;
} EVENTS[] = {
    {"accepted", "", ALWAYS, {LINE_SENDING, EXIT_DONE, NULL}},
    {"displayed", "", WAITING, {LINES, EXIT_DONE, NULL}},
    {"displayed", "", ALWAYS, {LINE_ASYNC_SENT, EXIT_DONE, NULL}},
    {"acknowledged", "", CHOSEN, {LINE_ANSWERED_WITH, EXIT_DONE, NULL}},
    {"acknowledged", "", ALWAYS, {LINE_ANSWERED, EXIT_DONE, NULL}},
    {"timed-out", "no-answer", ALWAYS, {LINE_TIMEOUT, EXIT_UNANSWERED, NULL}},
    {"timed-out", "", SHOWN, {LINE_TIMEOUT, EXIT_UNANSWERED, NULL}},
    {"timed-out", "", ALWAYS, {LINE_SEND_ERROR, EXIT_FAILED, "not displayed in time"}},
    {"dismissed", "", ALWAYS, {LINE_DISMISSED, EXIT_UNANSWERED, NULL}},
    {"withdrawn", "answered-elsewhere", ALWAYS, {LINE_ANSWERED_ELSEWHERE, EXIT_DONE, NULL}},
    {"withdrawn", "by-sender", ALWAYS, {LINE_WITHDRAWN, EXIT_FAILED, NULL}},
    {"withdrawn",
     "sender-lost",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "withdrawn, the connection was lost for too long"}},
    {"withdrawn",
     "revoked",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "withdrawn, your key was revoked"}},
    {"withdrawn",
     "daemon-stop",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "withdrawn, msgd was stopped"}},
    {"session-gone", "", SHOWN, {LINE_SESSION_ENDED, EXIT_UNANSWERED, NULL}},
    {"session-gone", "", ALWAYS, {LINE_SEND_ERROR, EXIT_FAILED, "the session has ended"}},
    {"failed", "messages-disabled", ALWAYS, {LINE_SESSION_DISABLED, EXIT_FAILED, NULL}},
    {"failed", "terminal-stopped", ALWAYS, {LINE_SEND_ERROR, EXIT_FAILED, "terminal is stopped"}},
    {"failed",
     "too-many",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "too many messages are up there already"}},
    {"failed",
     "presenter-lost",
     SHOWN,
     {LINE_SEND_ERROR, EXIT_FAILED, "msgd-present, which showed it, was lost"}},
    {"failed",
     "presenter-lost",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "msgd-present, which was to show it, was lost"}},
    {"failed", "helper-lost", ALWAYS, {LINE_SEND_ERROR, EXIT_FAILED, "its popup was lost"}},
    {"failed", "hangup", ALWAYS, {LINE_SEND_ERROR, EXIT_FAILED, "the terminal was closed"}},
    {"failed",
     "internal",
     ALWAYS,
     {LINE_SEND_ERROR, EXIT_FAILED, "msgd or msgd-present failed; their log says more"}},
};

static bool fits(enum when when, const struct msg_event *event, bool wait, bool displayed)
{
    switch (when) {
    case ALWAYS:
        return true;
    case WAITING:
        return wait;
    case SHOWN:
        return displayed;
    case CHOSEN:
        return event->ans.len > 0;
    }
    return false;
}

struct verdict verdict_of_event(const struct msg_event *event, bool wait, bool displayed)
{
    for (size_t i = 0; i < ARRAY_SIZE(EVENTS); i++) {
        const struct event_row *row = &EVENTS[i];
        if (slice_eq(event->st, slice_of(row->st)) &&
            (row->why[0] == '\0' || slice_eq(event->why, slice_of(row->why))) &&
            fits(row->when, event, wait, displayed))
            return row->verdict;
    }
    /* An unknown state without fin is progress, with fin it is a failure. */
    if (!event->fin)
        return (struct verdict){LINES, EXIT_DONE, NULL};
    return (struct verdict){LINE_SEND_ERROR, EXIT_FAILED, NULL};
}
