/* SPDX-License-Identifier: MIT */
/*
 * Popups on desktops and in tmux: each has its place on the shelf (present_shelf.h) and, while it
 * is up, a helper (present_helper.h). One that queues has its time running, and is started with
 * what is left of it. Whoever ordered one is told once that it is shown and once that it is over,
 * or takes it down and is told nothing.
 */
#ifndef MSG_DAEMON_PRESENT_POPUP_H
#define MSG_DAEMON_PRESENT_POPUP_H

#include "daemon/present_heard.h"
#include "daemon/present_sessions.h"
#include "daemon/present_text.h"

struct popups;
struct popup;

struct popup_order {
    const struct session_where *where; /* REACH_DESKTOP or REACH_TMUX */
    /* The `present` that came, with its texts: copied. */
    const struct boundary_message *message;
    const struct present_texts *texts;
    /* Never from within popups_show. */
    void (*shown)(void *userdata, const struct heard *heard);
    /* The last: the popup is gone already. was_shown: `shown` was called before. */
    void (*over)(void *userdata, const struct heard *heard, bool was_shown);
    void *userdata;
};

/* program: msgd-popup, borrowed. */
int popups_new(sd_event *event, const char *program, struct popups **ret_popups);
void popups_free(struct popups *popups);

/* It is up, or queues: 0 with *ret_popup. -EBUSY: too many; or another negative errno. */
int popups_show(struct popups *popups, const struct popup_order *order, struct popup **ret_popup);

/* Away with it; nothing is told any more. NULL is nothing. */
void popup_take_down(struct popup *popup);

#endif
