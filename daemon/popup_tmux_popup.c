/* SPDX-License-Identifier: MIT */
#include "common/mem.h"
#include "daemon/popup_page.h"
#include "daemon/popup_tmux_inside.h"
#include "daemon/popup_view.h"

#include <poll.h>
#include <sys/syscall.h>

#define BUSY_MS       2000 /* until it is tried again, where another popup is open */
#define FAILURES_MAX  3
#define STATUS_CLOSED 129 /* what tmux gives for a popup that it closed */
#define POPUP_COLUMNS 82
#define POPUP_BORDER  2 /* columns, and lines */

/*
 * The page still runs: then what asked for the popup was killed, and would have heard its answer.
 */
static bool page_runs(const struct tmux *tmux)
{
    struct pollfd page = {.fd = tmux->page, .events = POLLIN};
    return tmux->status != STATUS_CLOSED && poll(&page, 1, 0) == 0;
}

static void on_asked_why(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    tmux->call = NULL;
    if (status != 0 || client_find(output, tmux->terminal, &tmux->client) < 0)
        tmux_end(tmux, ENDED_SESSION_GONE, "hangup");
    else if (page_runs(tmux))
        tmux_end(tmux, ENDED_FAILED, "helper-lost");
    else
        tmux_end(tmux, ENDED_DISMISSED, "closed-by-user");
}

/* It was up and is closed, by no key of ours: the client has gone, or somebody closed it. */
static void ask_why(struct tmux *tmux)
{
    if (tmux_list_clients(tmux, on_asked_why) < 0)
        tmux_end(tmux, ENDED_FAILED, "internal");
}

static void answer(struct tmux *tmux, unsigned which)
{
    struct slice answers = popup_message(tmux->popup)->texts.answers, label;
    bool known = present_answers_next(&answers, &label);
    for (; which > 0 && known; which--)
        known = present_answers_next(&answers, &label);
    if (known)
        popup_ended(tmux->popup, ENDED_ACKNOWLEDGED, "", label);
    else
        tmux_end(tmux, ENDED_FAILED, "internal");
}

/* The page was up; what its exit status says, where it is one that the page gives here. */
static void judge(struct tmux *tmux, int status)
{
    bool asks = popup_message(tmux->popup)->texts.answers.len > 0;
    if (status == PAGE_CONFIRMED && !asks)
        tmux_end(tmux, ENDED_ACKNOWLEDGED, "");
    else if (status == PAGE_DISMISSED)
        tmux_end(tmux, ENDED_DISMISSED, "closed-by-user");
    else if (status >= PAGE_ANSWERED && asks)
        answer(tmux, (unsigned)(status - PAGE_ANSWERED));
    else
        ask_why(tmux);
}

/* tmux gives 0 where another popup, or a menu, is open at the client. */
static void on_closed(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    (void)output;
    tmux->display = NULL;
    tmux->status = status;
    if (tmux->last)
        tmux_tidy(tmux, tmux->last);
    else if (tmux->shown)
        judge(tmux, status);
    else if (status == 0)
        tmux_rest(tmux, BUSY_MS, tmux_find);
    else if (++tmux->failures < FAILURES_MAX)
        tmux_rest(tmux, TMUX_LOOK_MS, tmux_find);
    else
        tmux_tidy(tmux, popup_cannot);
}

int tmux_on_page_up(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct tmux *tmux = userdata;
    (void)source;
    if (!tmux->display || tmux->shown || tmux->last || info->ssi_uid != getuid())
        return 0;
    tmux->page = (int)syscall(SYS_pidfd_open, (pid_t)info->ssi_pid, 0);
    tmux->loaded = false;
    tmux_shown(tmux);
    return 0;
}

/* How large it is to be; false: the client is too small for it. */
static bool measure(const struct tmux *tmux, unsigned *ret_columns, unsigned *ret_lines)
{
    const struct client *client = &tmux->client;
    unsigned columns = client->columns < POPUP_COLUMNS ? client->columns : POPUP_COLUMNS;
    struct view *view = view_new(popup_message(tmux->popup));
    bool fits = view && columns > POPUP_BORDER && client->lines > POPUP_BORDER &&
                view_resize(view, columns - POPUP_BORDER, client->lines - POPUP_BORDER);
    if (fits) {
        unsigned wanted = view_lines_wanted(view, columns - POPUP_BORDER) + POPUP_BORDER;
        *ret_columns = columns;
        *ret_lines = wanted < client->lines ? wanted : client->lines;
    }
    view_free(view);
    return fits;
}

static void open_popup(struct tmux *tmux)
{
    char width[16], height[16], helper[16];
    unsigned columns, lines;
    if (!measure(tmux, &columns, &lines)) {
        tmux_tidy(tmux, popup_cannot);
        return;
    }
    snprintf(width, sizeof(width), "%u", columns);
    snprintf(height, sizeof(height), "%u", lines);
    snprintf(helper, sizeof(helper), "%d", (int)getpid());
    const char *const arguments[] = {"display-popup",
                                     "-E",
                                     "-b",
                                     "simple",
                                     "-c",
                                     tmux->terminal,
                                     "-w",
                                     width,
                                     "-h",
                                     height,
                                     tmux->program,
                                     "--page",
                                     tmux->sockets.paths[tmux->at],
                                     tmux->buffer,
                                     helper,
                                     NULL};
    if (tmux_call(tmux, arguments, (struct slice){0}, on_closed, &tmux->display) < 0)
        tmux_tidy(tmux, popup_cannot);
}

static void on_loaded(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    (void)output;
    tmux->call = NULL;
    if (status == 0)
        open_popup(tmux);
    else
        tmux_tidy(tmux, popup_cannot);
}

/* Each time anew: a page that failed has deleted it. */
void tmux_open_popup(struct tmux *tmux)
{
    const char *const arguments[] = {"load-buffer", "-b", tmux->buffer, "-", NULL};
    tmux->loaded = true;
    if (tmux_call(tmux, arguments, (struct slice){tmux->bytes, tmux->len}, on_loaded, &tmux->call) <
        0)
        tmux_tidy(tmux, popup_cannot);
}

/* A page that is only about to open finds this process gone, and ends. */
bool tmux_close_popup(struct tmux *tmux)
{
    bool ends =
        tmux->page >= 0 && syscall(SYS_pidfd_send_signal, tmux->page, SIGTERM, NULL, 0) == 0;
    if (tmux->display && ends) {
        tmux->last = popup_down;
        return true; /* on_closed goes on */
    }
    run_cancel(TAKE(tmux->display));
    return false;
}
