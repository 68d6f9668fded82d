/* SPDX-License-Identifier: MIT */
/*
 * One msgd-popup: a process that has become the user and has one descriptor, a socket to here. What
 * it says is as hostile as its user. It is told to take its popup down by the end of that socket,
 * killed where it does not end soon after, and reaped whatever happens; at most LIM_POPUP_HELPERS
 * live at once, LIM_POPUP_OWN of one user, the ending ones among them. It lives in our service and
 * not in the user's session, so its memory is bounded, and where it need not run tmux it has no
 * child. SIGCHLD is blocked in the whole process.
 */
#ifndef MSG_DAEMON_PRESENT_HELPER_H
#define MSG_DAEMON_PRESENT_HELPER_H

#include "daemon/boundary.h"

#include <systemd/sd-event.h>

#define HELPER_DOWN_MS 4000 /* from the socket's end to the kill: it allows itself 2 s */

struct helper_job {
    const char *program;
    uid_t uid;
    gid_t gid;
    const struct boundary_message *place, *present; /* what it is told, first */
    /* A datagram came; or, last, with len 0 its end: it is forgotten then, if not before. */
    void (*heard)(void *userdata, const void *datagram, size_t len);
    void *userdata;
};

struct helper;

/*
 * 0 with *ret_helper; -EAGAIN: too many at once, in all or of this user; or another negative errno.
 */
int helper_start(sd_event *event, const struct helper_job *job, struct helper **ret_helper);

/* It is to take its popup down and end; nothing is heard of it any more. NULL is nothing. */
void helper_stop(struct helper *helper);

/* The program ends: all are told to end, and forgotten; init reaps them. */
void helper_stop_all(void);

#endif
