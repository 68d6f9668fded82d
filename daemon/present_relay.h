/* SPDX-License-Identifier: MIT */
/*
 * What msgd writes to stdout and stderr, where those are a terminal: it comes through a pipe, line
 * by line, and is escaped before the terminal gets it. A descriptor of the terminal itself would
 * let msgd read what is typed there, and paint what it likes. Owns the pipe's reading end.
 */
#ifndef MSG_DAEMON_PRESENT_RELAY_H
#define MSG_DAEMON_PRESENT_RELAY_H

#include <systemd/sd-event.h>

struct relay;

/* 0 with the end for msgd in *ret_fd, close-on-exec, the caller's; or negative. */
int relay_new(sd_event *event, int *ret_fd, struct relay **ret_relay);

/* Passes on what has come, within bounds. NULL is nothing. */
void relay_free(struct relay *relay);

#endif
