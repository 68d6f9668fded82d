/* SPDX-License-Identifier: MIT */
/*
 * Whose messages a user wants, asked of the file in his home (common/receive.h) for each message
 * anew: what he has just switched off stays away. One child at a time reads for a user; whoever
 * comes meanwhile waits for the next, which answers all who wait by then. Nothing is kept.
 *
 * It never waits long: a reader that says nothing within LIM_RECEIVE_TIME, or cannot be had, counts
 * as no file. Owns a copy of each message that waits.
 */
#ifndef MSG_DAEMON_PRESENT_WISH_H
#define MSG_DAEMON_PRESENT_WISH_H

#include "daemon/present_sessions.h"
#include "daemon/present_text.h"

#define WISH_PATIENCE_MS 5000 /* for a child, where other users' homes hang */

struct wishes;
struct wish;

struct wish_question {
    const struct session_where *where;      /* whose wish */
    const struct boundary_message *message; /* a `present`: whose message */
    const struct present_texts *texts;
    /*
     * The end, once, never from within wishes_ask; the wish is gone then. message and texts are the
     * copies, and live until it returns.
     */
    void (*answer)(void *userdata, bool heard, const struct boundary_message *message,
                   const struct present_texts *texts);
    void *userdata;
};

/* file: below each home, or absolute; borrowed, as `event` is. */
int wishes_new(sd_event *event, const char *file, struct wishes **ret_wishes);
/* Whoever asked has taken his question back by now. */
void wishes_free(struct wishes *wishes);

/* 0 with *ret_wish, -ENOMEM, or what the event loop answered. */
int wishes_ask(struct wishes *wishes, const struct wish_question *question, struct wish **ret_wish);

/* The question is taken back: no answer comes. NULL is nothing. */
void wish_forget(struct wish *wish);

#endif
