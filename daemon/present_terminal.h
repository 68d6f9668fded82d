/* SPDX-License-Identifier: MIT */
/*
 * Writing to people's terminals without ever waiting for one. Jobs for one terminal follow each
 * other; each is tried at once and then again for LIM_TERMINAL_TRY, each attempt by a child
 * (present_writer.h), and the terminal is open only in it: nothing of a terminal is ever opened
 * here, and an open descriptor would keep its hangup from being seen.
 */
#ifndef MSG_DAEMON_PRESENT_TERMINAL_H
#define MSG_DAEMON_PRESENT_TERMINAL_H

#include "daemon/boundary.h"
#include "daemon/present_device.h"

#include <systemd/sd-event.h>

struct terminal_job_spec {
    struct device_target target;
    /* Called once the terminal is open: the bytes for it into out; < 0: give up. */
    ssize_t (*render)(void *userdata, const struct device_screen *screen,
                      char out[static LIM_TERMINAL_WRITE]);
    /*
     * The end, once, never from within terminals_write: 0 when the terminal took every byte; or
     * -ETIMEDOUT (it is stopped), -EACCES (messages are off), -ENODEV (gone), another errno.
     */
    void (*done)(void *userdata, int error);
    void *userdata;
};

struct terminals;
struct terminal_job;

int terminals_new(sd_event *event, struct terminals **ret_terminals);
void terminals_free(struct terminals *terminals); /* its jobs end with -ECANCELED */

/* Begins; 0 with *ret_job (may be NULL), -ENOMEM or what the event loop answered. */
int terminals_write(struct terminals *terminals, const struct terminal_job_spec *spec,
                    struct terminal_job **ret_job);

/* done is not called any more. What was written stays. NULL is nothing. */
void terminal_job_cancel(struct terminal_job *job);

/* Nothing is being written. */
bool terminals_idle(const struct terminals *terminals);

#endif
