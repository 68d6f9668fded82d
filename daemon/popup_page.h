/* SPDX-License-Identifier: MIT */
/*
 * What runs inside a tmux popup: it shows the message that stands in a tmux buffer and turns the
 * keys pressed into its exit status. tmux starts it, so it is no child of the helper that asked for
 * it; it tells that one by SIGUSR1 that it is on the screen, and ends with it.
 */
#ifndef MSG_DAEMON_POPUP_PAGE_H
#define MSG_DAEMON_POPUP_PAGE_H

#include <signal.h>

#define PAGE_UP SIGUSR1 /* to the helper: it is on the screen, its buffer is deleted */

/*
 * Its exit status. tmux itself gives 0 for a popup it does not open, 1 for a mistake, 129 for one
 * it closed, and a signal's number for a program that was killed.
 */
enum page_status {
    PAGE_FAILED = 1,
    PAGE_CONFIRMED = 200,
    PAGE_DISMISSED,
    PAGE_ANSWERED, /* and which, from 0 */
};

/* arguments: the tmux server's socket, the buffer's name, the helper's pid. */
int popup_page(char **arguments);

#endif
