/* SPDX-License-Identifier: MIT */
/*
 * A forked child that does the one thing which must not be done here: ask a name service, or open a
 * terminal, either of which may hang. It may ask one question, and answers with one datagram within
 * a deadline, or is killed. It is reaped whatever happens. At most CHILD_MAX live at once,
 * CHILD_OWNER_MAX for one owner: whose terminal hangs holds up no other's; and apart from them
 * those that look into homes, so that a file server that is down holds up no terminal. Even a
 * killed one lives until the kernel lets it go. SIGCHLD is blocked in the whole process, as
 * sd-event wants it.
 */
#ifndef MSG_DAEMON_PRESENT_CHILD_H
#define MSG_DAEMON_PRESENT_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CHILD_MAX             128
#define CHILD_OWNER_MAX       32
#define CHILD_HOMES_MAX       128
#define CHILD_HOMES_OWNER_MAX 4
#define CHILD_NAMES           ((uid_t)-1) /* the owner of look-ups */
#define CHILD_ANSWER          256         /* most bytes of a question and of an answer */
#define CHILD_REPLY           4096        /* most bytes of what a question is replied with */

enum child_pool { CHILD_TERMINALS, CHILD_HOMES }; /* the first of look-ups, too */

struct child_job {
    /* In the child, whose only descriptors are `socket` and /dev/null: answers and returns. */
    void (*run)(int socket, const void *argument);
    const void *argument;
    uid_t owner; /* on whose account */
    enum child_pool pool;
    uint64_t deadline_ms;
    /*
     * In the parent, at most once: a question came, as hostile as an answer. The bytes of the reply
     * in `out`, or negative: the child is killed, and `done` is told that. NULL: it has none.
     */
    ssize_t (*reply)(void *userdata, const void *question, size_t len, char out[CHILD_REPLY]);
    /*
     * In the parent, once, and then the child is forgotten: error 0, or negative where no answer
     * came (-ETIMEDOUT, -EPIPE). The answer is hostile.
     */
    void (*done)(void *userdata, int error, const void *answer, size_t len);
    void *userdata;
};

struct child;

/*
 * 0 with *ret_child; too many at once, try later: -EBUSY of this owner, -EAGAIN in all; or another.
 */
int child_start(sd_event *event, const struct child_job *job, struct child **ret_child);

/* Kills it; done is not called any more. NULL is nothing. */
void child_cancel(struct child *child);

/* The program ends: all are killed and forgotten, no done is called; init reaps them. */
void child_end_all(void);

/* In the child: the one answer. */
void child_answer(int socket, const void *answer, size_t len);

/* In the child: the one question, before the answer. The bytes of the reply, or negative. */
ssize_t child_ask(int socket, const void *question, size_t len, char reply[CHILD_REPLY]);

#endif
