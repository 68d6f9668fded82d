/* SPDX-License-Identifier: MIT */
#include "daemon/popup_status.h"
#include "daemon/popup_tmux_inside.h"

#define STATUS_MS 10000

static void status_over(struct tmux *tmux)
{
    tmux->shown = false;
    tmux_end(tmux, ENDED_TIMED_OUT, "no-answer");
}

/* tmux says nothing of a client that had gone: it is looked for again, behind the command. */
static void on_status(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    tmux->call = NULL;
    if (status != 0 || client_find(output, tmux->terminal, &tmux->client) < 0) {
        popup_cannot(tmux->popup);
        return;
    }
    tmux_rest(tmux, STATUS_MS, status_over);
    tmux_shown(tmux);
}

void tmux_show_status(struct tmux *tmux)
{
    static const char *const arguments[] = {"source-file",  "-", ";", "list-clients", "-F",
                                            CLIENTS_FORMAT, NULL};
    tmux->len = status_command(popup_message(tmux->popup), tmux->terminal, tmux->client.columns,
                               STATUS_MS, tmux->bytes);
    if (tmux_call(tmux, arguments, (struct slice){tmux->bytes, tmux->len}, on_status, &tmux->call) <
        0)
        popup_cannot(tmux->popup);
}

void tmux_clear_status(struct tmux *tmux)
{
    static const char *const arguments[] = {"source-file", "-", NULL};
    tmux->last = popup_down;
    tmux->len = status_clear(tmux->terminal, tmux->bytes);
    if (tmux_call(tmux, arguments, (struct slice){tmux->bytes, tmux->len}, tmux_on_tidied,
                  &tmux->call) < 0)
        popup_down(tmux->popup);
}
