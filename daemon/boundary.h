/* SPDX-License-Identifier: MIT */
/*
 * The boundary between msgd and msgd-present, and between that and its popups: one datagram of a
 * SOCK_SEQPACKET socket is one header, the verb's record, and exactly header.len bytes of text. All
 * are built from present.def; msgd and msgd-present compare version and sizes first. Pure but for
 * boundary_send and boundary_receive, which make one system call each. Either end treats the other
 * as hostile: what does not fit exactly ends the connection.
 */
#ifndef MSG_DAEMON_BOUNDARY_H
#define MSG_DAEMON_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/limits.h"

#define BOUNDARY_VERSION 2

#define PRESENT_SENDER  256 /* most bytes of a sender's label */
#define PRESENT_ANSWERS (LIM_ANSWERS * (LIM_ANSWER + 1))

enum present_flag {
    PRESENT_WAIT = 1,     /* an acknowledgement is waited for: show how to give it */
    PRESENT_OVERRIDE = 2, /* pass over mesg n, and over the reader's own wish */
    PRESENT_LOCAL = 4,    /* the sender's name is that of a user of this host */
};
enum withdraw_why {                    /* what a terminal is told */
                    WITHDRAW_SILENT,   /* nothing: acknowledged here, or timed out */
                    WITHDRAW_SENDER,   /* [7] withdrawn */
                    WITHDRAW_ANSWERED, /* [7] answered elsewhere */
                    WITHDRAW_STOP,     /* [7] withdrawn: msgd ends */
};
enum session_change { SESSION_LISTED, SESSION_ADDED, SESSION_CHANGED, SESSION_GONE };
enum session_reach { REACH_NOTHING, REACH_TERMINAL, REACH_TMUX, REACH_DESKTOP };
enum session_flag {
    SESSION_CONSOLE = 1,  /* the active session of seat0 */
    SESSION_LOCKED = 2,   /* a hint */
    SESSION_DISABLED = 4, /* mesg n on its terminal: override reaches it */
    SESSION_ASIDE = 8, /* its place is better reached at another session: only for who names it */
};
enum shown_flag { /* what may keep a popup that is up from being seen, where it is known */
                  SHOWN_LOCKED = 1,
                  SHOWN_DO_NOT_DISTURB = 2,
};
enum ended_how { /* the final states a presenter can bring about */
                 ENDED_ACKNOWLEDGED,
                 ENDED_DISMISSED,
                 ENDED_TIMED_OUT,
                 ENDED_SESSION_GONE,
                 ENDED_FAILED,
};

struct boundary_header {
    uint32_t verb;
    uint32_t len; /* of the text behind the record */
};

enum boundary_verb {
#define VERB(NAME, name, to, text) BOUNDARY_##NAME,
#include "daemon/present.def"
    BOUNDARY_VERBS
};

#define VERB(NAME, name, to, text) struct boundary_##name {
#define NUM(type, field)           type field;
#define UPTO(field, max)           uint32_t field;
#define STR(field, size)           char field[size];
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "daemon/present.def"

/* Whom a verb is for; an end of a connection asks for its own. */
enum boundary_to {
    BOUNDARY_TO_PRESENTER = 1, /* from msgd */
    BOUNDARY_TO_MSGD = 2,
    BOUNDARY_TO_POPUP = 4,
    BOUNDARY_TO_PARENT = 8, /* msgd-present, from a popup */
    BOUNDARY_TO_BOTH = BOUNDARY_TO_PRESENTER | BOUNDARY_TO_MSGD,
    BOUNDARY_TO_SCREEN = BOUNDARY_TO_PRESENTER | BOUNDARY_TO_POPUP,
    BOUNDARY_TO_TELLER = BOUNDARY_TO_MSGD | BOUNDARY_TO_PARENT,
};

/* One datagram, decoded: the record of `verb` is valid, its strings are terminated. */
struct boundary_message {
    enum boundary_verb verb;
    union {
#define VERB(NAME, name, to, text) struct boundary_##name name;
#include "daemon/present.def"
    } u;
    const char *text; /* borrowed from the datagram, not terminated */
    size_t text_len;
};

/*
 * Reads one datagram that reached `to`. 0, or -EBADMSG with *ret_reason (a literal): unknown verb,
 * not for this end, inexact length, a value beyond its limit, an unterminated string.
 */
int boundary_decode(struct boundary_message *ret_message, enum boundary_to to, const void *datagram,
                    size_t len, const char **ret_reason);

/*
 * Writes one datagram; its length, or -EMSGSIZE, or -EINVAL where the other end would refuse it.
 * Strings are zeroed from their end on: no byte leaks.
 */
ssize_t boundary_encode(const struct boundary_message *message, void *buffer, size_t capacity);

/*
 * Fills this program's hello (name and version); and compares the other end's: 0, or -EPROTO with
 * a literal in *ret_reason.
 */
void boundary_hello(struct boundary_hello *ret_hello, const char *program);
int boundary_check_hello(const struct boundary_hello *hello, const char **ret_reason);

/*
 * One datagram out; 0, -EAGAIN (queue it), or another negative errno (the peer is gone).
 * One datagram in, neither blocking; its length, 0 at the end (or for an empty one, which ends
 * the connection too), -EAGAIN, -EBADMSG (truncated, or ancillary data: descriptors are never
 * taken), or another negative errno.
 */
int boundary_send(int fd, const void *datagram, size_t len);
ssize_t boundary_receive(int fd, void *buffer, size_t capacity);

#endif
