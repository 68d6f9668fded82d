/* SPDX-License-Identifier: MIT */
/*
 * What a delivery puts on a terminal: the letter, a copy of the message that is laid out once the
 * terminal is open, and the one line that is left when a waiting message ends otherwise.
 */
#ifndef MSG_DAEMON_PRESENT_LETTER_H
#define MSG_DAEMON_PRESENT_LETTER_H

#include "daemon/present_terminal.h"
#include "daemon/present_text.h"

struct letter;

/* A copy, which the caller frees with free(); NULL without memory. user: to whom. */
struct letter *letter_new(const struct boundary_present *present, const struct present_texts *texts,
                          const char *user);

/* Its bytes for that terminal, or -ENOMEM. */
ssize_t letter_render(const struct letter *letter, const struct device_screen *screen,
                      char out[static LIM_TERMINAL_WRITE]);

/* Leaves the line, best effort, as a job of its own; nothing where this end leaves none. */
void letter_leave_note(struct terminals *terminals, const struct device_target *target,
                       enum withdraw_why why, uint32_t number);

#endif
