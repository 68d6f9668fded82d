/* SPDX-License-Identifier: MIT */
/*
 * The judge of what a popup helper says. It runs as the user, who may have put anything in its
 * place: all that it can bring about is what he could by the helper itself, for his own message.
 * Pure.
 */
#ifndef MSG_DAEMON_PRESENT_HEARD_H
#define MSG_DAEMON_PRESENT_HEARD_H

#include "daemon/boundary.h"
#include "protocol/slice.h"

struct heard {
    bool shown;          /* else it is over */
    unsigned flags;      /* shown: enum shown_flag */
    char by[72];         /* shown: fit to be printed, or empty */
    enum ended_how how;  /* over */
    const char *why;     /* over: a literal */
    struct slice answer; /* over: one of the answers that were offered, borrowed from these */
};

/*
 * One datagram. 0; -EBADMSG: not what a helper of ours says. answers: the labels that were offered.
 */
int heard_read(const void *datagram, size_t len, struct slice answers, struct heard *ret_heard);

#endif
