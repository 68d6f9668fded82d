/* SPDX-License-Identifier: MIT */
#include "daemon/present_letter.h"

#include "common/mem.h"
#include "daemon/present_layout.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

struct letter {
    struct present_texts texts; /* in bytes */
    uint32_t number;
    bool wait;
    char user[65];
    char time[8];
    char bytes[];
};

static char *keep(char *at, struct slice *part)
{
    if (part->len > 0)
        memcpy(at, part->ptr, part->len);
    part->ptr = at;
    return at + part->len;
}

struct letter *letter_new(const struct boundary_present *present, const struct present_texts *texts,
                          const char *user)
{
    size_t len = texts->sender.len + texts->title.len + texts->answers.len + texts->body.len;
    struct letter *letter = calloc(1, sizeof(*letter) + len);
    time_t sent = (time_t)(present->sent_at_ms / 1000);
    struct tm local;
    if (!letter)
        return NULL;
    letter->texts = *texts;
    char *at = keep(letter->bytes, &letter->texts.sender);
    at = keep(at, &letter->texts.title);
    at = keep(at, &letter->texts.answers);
    keep(at, &letter->texts.body);
    letter->number = present->number;
    letter->wait = (present->flags & PRESENT_WAIT) != 0;
    snprintf(letter->user, sizeof(letter->user), "%s", user);
    if (localtime_r(&sent, &local))
        strftime(letter->time, sizeof(letter->time), "%H:%M", &local);
    return letter;
}

ssize_t letter_render(const struct letter *letter, const struct device_screen *screen,
                      char out[static LIM_TERMINAL_WRITE])
{
    char host[HOST_NAME_MAX + 1] = "";
    if (gethostname(host, sizeof(host) - 1) < 0)
        host[0] = '\0';
    host[strcspn(host, ".")] = '\0';
    struct layout_message message = {
        .sender = letter->texts.sender,
        .title = letter->texts.title,
        .answers = letter->texts.answers,
        .text = letter->texts.body,
        .user = letter->user,
        .host = host,
        .time = letter->time,
        .number = letter->number,
        .wait = letter->wait,
        .bytes = !screen->utf8,
    };
    return layout_message(&message, screen->columns, out);
}

/* ---- the note -------------------------------------------------------------------------------- */

struct note {
    enum withdraw_why why;
    uint32_t number;
};

static ssize_t render_note(void *userdata, const struct device_screen *screen,
                           char out[static LIM_TERMINAL_WRITE])
{
    const struct note *note = userdata;
    (void)screen;
    return (ssize_t)layout_end(note->why, note->number, out);
}

static void on_note_written(void *userdata, int error)
{
    (void)error; /* best effort */
    free(userdata);
}

void letter_leave_note(struct terminals *terminals, const struct device_target *target,
                       enum withdraw_why why, uint32_t number)
{
    if (why == WITHDRAW_SILENT || number == 0)
        return;
    struct note *note = malloc(sizeof(*note));
    struct terminal_job_spec spec = {*target, render_note, on_note_written, note};
    if (!note)
        return;
    *note = (struct note){why, number};
    if (terminals_write(terminals, &spec, NULL) < 0)
        free(note);
}
