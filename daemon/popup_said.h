/* SPDX-License-Identifier: MIT */
/*
 * What the program round a dialog has said so far, judged: lines of "none" (no such program here),
 * "shown NAME", a button's label (zenity's: OK or a digit), "status N" (it has ended). It runs as
 * the user, who may have put anything in its place. Pure.
 */
#ifndef MSG_DAEMON_POPUP_SAID_H
#define MSG_DAEMON_POPUP_SAID_H

#include "protocol/slice.h"

#define SAID_XMESSAGE 100 /* its statuses: this is OK, above it are the digits */

enum said {
    SAID_NOTHING,   /* yet */
    SAID_NONE,      /* there is no program for it, or no screen */
    SAID_OPEN,      /* the dialog is started: ret_by says by whom */
    SAID_CONFIRMED, /* *ret_answer: which, from 1; 0: OK */
    SAID_AGAIN,     /* the button that keeps it open */
    SAID_DISMISSED, /* or it could not open a window, which looks the same */
};

/* answers: how many are offered; 0: OK is. ret_by and ret_answer as their cases have them. */
enum said said_read(struct slice text, unsigned answers, const char **ret_by, unsigned *ret_answer);

#endif
