/* SPDX-License-Identifier: MIT */
/*
 * One message on one screen, however its session is reached: written to the terminal, or a popup.
 * A tmux popup that could not be is written to its terminal instead. Owns a copy of the message,
 * and what is under way; tells once that it is up, and once that it is over.
 */
#ifndef MSG_DAEMON_PRESENT_SHOWING_H
#define MSG_DAEMON_PRESENT_SHOWING_H

#include "daemon/present_popup.h"
#include "daemon/present_terminal.h"

/* Where messages are shown; all borrowed. */
struct showings {
    struct sessions *sessions;
    struct terminals *terminals;
    struct popups *popups;
};

struct showing;

struct showing_order {
    const struct session_where *where;
    const struct boundary_message *message; /* a `present` */
    const struct present_texts *texts;
    /* Never from within showing_start. On a terminal nothing follows it. */
    void (*up)(void *userdata, enum session_reach reach, const struct heard *heard);
    void (*over)(void *userdata, enum ended_how how, const char *why, struct slice answer);
    void *userdata;
};

/* 0 with *ret_showing; -EBUSY: too many; -ENOTCONN: nothing there to show it on; another errno. */
int showing_start(const struct showings *showings, const struct showing_order *order,
                  struct showing **ret_showing);

/* Takes it down; a terminal may get the line that says why. Nothing is told. NULL is nothing. */
void showing_end(struct showing *showing, enum withdraw_why why);

#endif
