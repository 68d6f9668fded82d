/* SPDX-License-Identifier: MIT */
/*
 * One notification (Desktop Notifications Specification 1.2), as a pure state machine: what the
 * server says goes in, what it means comes out. Servers differ and lie: some close twice, some
 * never; ids and keys of others' notifications come by. The first event that means an end is the
 * end, and only a click on what we offered is an acknowledgement. Owns nothing, knows no bus.
 */
#ifndef MSG_DAEMON_POPUP_NOTICE_H
#define MSG_DAEMON_POPUP_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

/* The keys of our actions: a click on the body, the OK button, the answers from answer1 on. */
#define NOTICE_DEFAULT "default"
#define NOTICE_OK      "ok"
#define NOTICE_ANSWER  "answer"

struct notice {
    unsigned answers; /* offered; 0: OK is */
    bool wait;        /* somebody waits: that the server hides it is no end */
    uint32_t id;      /* the server's; 0: not known yet */
    bool over;
};

struct notice_event {
    enum notice_said {
        NOTICE_TAKEN,   /* Notify was answered: id */
        NOTICE_REFUSED, /* Notify was answered by an error: text is its name */
        NOTICE_ACTION,  /* ActionInvoked: id, text is the key */
        NOTICE_CLOSED,  /* NotificationClosed: id, reason */
        NOTICE_SILENT,  /* Notify was not answered in time */
        NOTICE_GONE,    /* the server has left the bus, or the bus us */
    } said;
    uint32_t id, reason;
    const char *text;
};

enum notice_verdict {
    NOTICE_NOTHING,
    NOTICE_SHOWN,
    NOTICE_CANNOT,       /* nothing is on the screen: another way may be tried */
    NOTICE_TOO_MANY,     /* nothing is, and nothing more should be */
    NOTICE_ACKNOWLEDGED, /* *ret_answer: which, from 1; 0: OK */
    NOTICE_DISMISSED,
    NOTICE_TIMED_OUT,
    NOTICE_LOST, /* nobody can tell what is on the screen */
};

/* ret_answer is written with NOTICE_ACKNOWLEDGED alone. */
enum notice_verdict notice_step(struct notice *notice, const struct notice_event *event,
                                unsigned *ret_answer);

#endif
