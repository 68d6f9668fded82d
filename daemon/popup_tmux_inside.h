/* SPDX-License-Identifier: MIT */
/*
 * What the files of the way through tmux share. popup_tmux.c finds the server that has the client
 * and waits until the person is still; popup_tmux_popup.c shows what waits for an answer, and
 * popup_tmux_status.c what does not. Every step starts one operation and names the next.
 */
#ifndef MSG_DAEMON_POPUP_TMUX_INSIDE_H
#define MSG_DAEMON_POPUP_TMUX_INSIDE_H

#include "daemon/popup.h"
#include "daemon/popup_clients.h"
#include "daemon/popup_run.h"
#include "daemon/popup_sockets.h"
#include "daemon/popup_status.h"

#include <limits.h>

#define TMUX_LOOK_MS 500 /* between looks whether somebody types */

struct tmux {
    struct popup *popup;
    char program[PATH_MAX]; /* ourselves */
    char terminal[80];      /* /dev/pts/3 */
    char buffer[40];
    struct sockets sockets;
    size_t at;            /* the server that is asked */
    bool found;           /* it has the client */
    struct client client; /* as it was last */
    struct run *call, *display;
    sd_event_source *clock, *page_up;
    void (*next)(struct tmux *);  /* when the clock rings */
    void (*last)(struct popup *); /* when all is tidy */
    uint64_t started_ms;
    unsigned failures;
    int page;    /* its pidfd; -1: not up yet */
    int status;  /* of the popup that was closed */
    bool shown;  /* it was */
    bool loaded; /* the buffer may be there */
    size_t len;
    char bytes[LIM_DATAGRAM]; /* for the buffer, or the command for the status line */
};
_Static_assert(STATUS_SIZE <= LIM_DATAGRAM, "bytes holds either");

/*
 * Runs tmux with these arguments, which end with NULL, on the server that is asked; within a
 * deadline, but for tmux->display.
 */
int tmux_call(struct tmux *tmux, const char *const *arguments, struct slice input,
              void (*done)(void *, int, struct slice), struct run **ret_run);
int tmux_list_clients(struct tmux *tmux, void (*done)(void *, int, struct slice));

/* Later goes on with `next`. */
void tmux_rest(struct tmux *tmux, uint64_t ms, void (*next)(struct tmux *));

/* Looks for the client, and shows the message once the person is still. */
void tmux_find(struct tmux *tmux);

/* Deletes the buffer, where it may still be there; then says the last word. */
void tmux_tidy(struct tmux *tmux, void (*last)(struct popup *));
void tmux_on_tidied(void *userdata, int status, struct slice output);

/* What is said of it: by this tmux; without an answer. */
void tmux_shown(struct tmux *tmux);
void tmux_end(struct tmux *tmux, enum ended_how how, const char *why);

/* Shows it in a popup; closes that: true if it is up, popup_down() follows. */
void tmux_open_popup(struct tmux *tmux);
bool tmux_close_popup(struct tmux *tmux);

/* The page says that it is up. */
int tmux_on_page_up(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);

/* Shows it in the status line; clears that, then popup_down(). */
void tmux_show_status(struct tmux *tmux);
void tmux_clear_status(struct tmux *tmux);

#endif
