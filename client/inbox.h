/* SPDX-License-Identifier: MIT */
/*
 * The receiver's side, over this host's Unix socket: the messages of the asking user, what /LIST
 * prints of them, and /ACK. Text from the server is hostile like any other.
 */
#ifndef MSG_CLIENT_INBOX_H
#define MSG_CLIENT_INBOX_H

#include "client/options.h"
#include "client/run.h"

struct inbox_message {
    uint32_t number;
    char session[LIM_NAME + 1];
    char from[256];
    char state[LIM_CODE + 1];
    char answers[LIM_ANSWERS * (LIM_ANSWER + 4)]; /* `1 Yes, 2 No`; empty: none are asked for */
    char *title, *text;                           /* as they came, terminated; title NULL: none */
    uint64_t at, ended;                           /* ms since 1970 */
    bool waits;
};

struct inbox {
    struct inbox_message *messages;
    size_t n; /* at most INBOX_MAX: what a server says beyond is dropped */
};
#define INBOX_MAX 1024

/* Takes an EVENT's message; all else is ignored. 0 or -ENOMEM. */
int inbox_take(struct inbox *inbox, const struct msg *msg);
void inbox_release(struct inbox *inbox);
/* How many wait for an answer; *ret_one is one of them. */
size_t inbox_waiting(const struct inbox *inbox, const struct inbox_message **ret_one);

/* `14:05`, in local time. */
struct slice inbox_time(uint64_t ms, char out[static 8]);

/* One line for each, and one message in full. */
void inbox_print(const struct inbox *inbox, const struct speaker *speaker);
void inbox_print_full(const struct inbox_message *message, const struct speaker *speaker);

/* Asks for one message (number 0: all). 0 or the exit status after saying why. */
int inbox_fetch(struct run *run, uint32_t number, struct inbox *ret_inbox);

/* msg /ACK and msg /LIST: the exit status. */
int inbox_ack(struct run *run, const struct options *options);
int inbox_list(struct run *run, const struct options *options);

#endif
