/* SPDX-License-Identifier: MIT */
/*
 * SIGINT, SIGTERM and SIGHUP: on the loop while calls are under way, and else the end at once with
 * 128 + n, as long as nothing was sent. What was ignored when msg started (nohup, a job in the
 * background) stays ignored.
 */
#ifndef MSG_CLIENT_INTERRUPT_H
#define MSG_CLIENT_INTERRUPT_H

#include <uv.h>

#define INTERRUPTS 3

/* Before anything else: a signal ends the process with 128 + n. */
void interrupt_start(void);
/* From here to interrupt_end() a signal is a callback; data is the handles'. */
void interrupt_begin(uv_signal_t signals[INTERRUPTS], uv_loop_t *loop, uv_signal_cb callback,
                     void *data);
void interrupt_end(uv_signal_t signals[INTERRUPTS]);

#endif
