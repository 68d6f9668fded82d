/* SPDX-License-Identifier: MIT */
/*
 * Another program, run from the loop: bytes to its input, what it prints within a bound, how it
 * ended, all within a deadline. It gets a fixed environment, no descriptor but its own three, makes
 * no process and no file, and is reaped whatever happens. No shell is between.
 */
#ifndef MSG_DAEMON_POPUP_RUN_H
#define MSG_DAEMON_POPUP_RUN_H

#include "protocol/slice.h"

#include <systemd/sd-event.h>

#define RUN_PATH        "/usr/local/bin:/usr/bin:/bin"
#define RUN_ARGUMENTS   32 /* with the NULL behind them */
#define RUN_NO_DEADLINE 0

struct run_job {
    const char *const *argv; /* NULL-terminated; argv[0] is looked for in RUN_PATH */
    struct slice input;      /* borrowed until done */
    size_t output_max;       /* at most so much may be printed */
    uint64_t deadline_ms;    /* from now */
    /*
     * Once, unless cancelled; the run is forgotten then. status: what it exited with, 0..255; or
     * -ETIMEDOUT, -EMSGSIZE (it printed more), -ECHILD (a signal ended it). output is borrowed.
     */
    void (*done)(void *userdata, int status, struct slice output);
    void *userdata;
};

struct run;

/* 0 with *ret_run, whose done comes from the loop; or a negative errno. */
int run_start(sd_event *event, const struct run_job *job, struct run **ret_run);

/* Kills and reaps it; done is not called any more. NULL is nothing. */
void run_cancel(struct run *run);

#endif
