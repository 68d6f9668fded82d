/* SPDX-License-Identifier: MIT */
/*
 * One attempt to write to a terminal, in a child of its own: its owner can make the kernel hold up
 * whoever opens it, writes to it or closes it, for many seconds, O_NONBLOCK or not. The child opens
 * and checks the terminal, says how wide it is and what it reads, is given the bytes, and writes
 * them. To pass over mesg n it becomes the terminal's owner first; otherwise it has no capability.
 */
#ifndef MSG_DAEMON_PRESENT_WRITER_H
#define MSG_DAEMON_PRESENT_WRITER_H

#include "daemon/present_child.h"
#include "daemon/present_device.h"
#include "protocol/limits.h"

#define WRITER_PAUSE_MS 20  /* between two tries: what polls as ready may take no byte */
#define WRITER_GRACE_MS 100 /* for the child to say that it was too late */

struct writer_order {
    struct device_target target;
    uint64_t deadline_ms; /* CLOCK_MONOTONIC */
    /* The terminal is open: the bytes for it into out; < 0: give up. */
    ssize_t (*render)(void *userdata, const struct device_screen *screen,
                      char out[static LIM_TERMINAL_WRITE]);
    /*
     * The end: 0 when the terminal took every byte; -EAGAIN: none yet, try again; -ETIMEDOUT: not
     * all in time; -EACCES (messages are off), -ENODEV (gone), another errno.
     */
    void (*done)(void *userdata, int error);
    void *userdata;
};

/*
 * Begins; the order is borrowed until its end, or until *ret_child is cancelled. 0; -EAGAIN,
 * -EBUSY: no child can be had now; another errno.
 */
int writer_start(sd_event *event, struct writer_order *order, struct child **ret_child);

#endif
