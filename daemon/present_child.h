/* SPDX-License-Identifier: MIT */
/*
 * A forked child that does the one thing which must not be done here: ask a name service, which may
 * hang, or be another user for a moment. It answers with one datagram, and a descriptor perhaps,
 * within a deadline, or is killed. It is reaped whatever happens. At most CHILD_MAX live at once.
 * SIGCHLD is blocked in the whole process, as sd-event wants it.
 */
#ifndef MSG_DAEMON_PRESENT_CHILD_H
#define MSG_DAEMON_PRESENT_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CHILD_MAX    64
#define CHILD_ANSWER 256 /* most bytes of an answer */

struct child_job {
    /* In the child, whose only descriptors are `socket` and /dev/null: answers and returns. */
    void (*run)(int socket, const void *argument);
    const void *argument;
    uint64_t deadline_ms;
    /*
     * In the parent, once, and then the child is forgotten: error 0, or negative where no answer
     * came (-ETIMEDOUT, -EPIPE). The answer is hostile; fd is -1 or the callee's to close.
     */
    void (*done)(void *userdata, int error, const void *answer, size_t len, int fd);
    void *userdata;
};

struct child;

/* 0 with *ret_child; -EAGAIN: too many at once, try later; another errno. */
int child_start(sd_event *event, const struct child_job *job, struct child **ret_child);

/* Kills it; done is not called any more. NULL is nothing. */
void child_cancel(struct child *child);

/* The program ends: all are killed and forgotten, no done is called; init reaps them. */
void child_end_all(void);

/* In the child: the one datagram, with a descriptor unless fd is -1. */
void child_answer(int socket, const void *answer, size_t len, int fd);

#endif
