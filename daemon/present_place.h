/* SPDX-License-Identifier: MIT */
/*
 * The choice of place: how each session is reached, why another is not, and which of a person's
 * sessions share one screen. Of those one is the place, the others stand aside: only who names one
 * of them reaches it. Pure.
 *
 * - Reached are sessions of people (no greeter, lock screen, service or cron job) that are there:
 *   active or online, not closing, and a desktop not opening either. Classes and states that are
 *   not known here are let pass.
 * - A graphical session is reached on its desktop, a terminal with an attached tmux client by tmux,
 *   any other terminal by writing to it. What has neither is reached by nobody.
 * - One person has one desktop: that is one bus and one notification server.
 * - Windows of the desktop and panes of what is attached on a terminal share its screen.
 * - One person at one seat is one screen too: there the active session counts, then the desktop,
 *   then tmux.
 */
#ifndef MSG_DAEMON_PRESENT_PLACE_H
#define MSG_DAEMON_PRESENT_PLACE_H

#include "daemon/present_fact.h"

/*
 * Fills in reach, why, place and aside of each fact of a sorted list. Out of memory each has its
 * own place.
 */
void place_choose(struct fact_list *facts);

/* Whether the session is a program's own: a greeter, a cron job. A person never looks at it. */
bool place_is_of_nobody(const struct session_fact *fact);

bool place_is_graphical(const struct session_fact *fact);

#endif
