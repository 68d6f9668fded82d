/* SPDX-License-Identifier: MIT */
/*
 * What is printed, and what it means for the exit status: lines.def expanded, and the tables from
 * states, whys, codes and failed calls to lines. Pure: a line and its fields in, bytes out. All
 * that goes into a line is escaped here, so no caller can forget it.
 */
#ifndef MSG_CLIENT_PRINT_H
#define MSG_CLIENT_PRINT_H

#include "client/call.h"

#define PRINT_LINE 4096 /* a capacity for every line; longer ones are cut and marked */

#define PRINT_OTHERS 1024

enum line {
#define LINE(NAME, stream, template) LINE_##NAME,
#include "client/lines.def"
    LINES
};

enum line_stream { LINE_OUT, LINE_TOLD, LINE_ERR, LINE_NOTE };

/* X(field): what may stand in braces in lines.def. */
#define LINE_FIELDS(X)                                                                             \
    X(session)                                                                                     \
    X(user)                                                                                        \
    X(host)                                                                                        \
    X(time)                                                                                        \
    X(answer)                                                                                      \
    X(by)                                                                                          \
    X(target)                                                                                      \
    X(me)                                                                                          \
    X(key)                                                                                         \
    X(file)                                                                                        \
    X(address)                                                                                     \
    X(others)                                                                                      \
    X(message)                                                                                     \
    X(code)                                                                                        \
    X(id)                                                                                          \
    X(at)                                                                                          \
    X(program)

struct line_fields {
#define X(field) struct slice field;
    LINE_FIELDS(X)
#undef X
};

enum line_stream line_stream(enum line line);
/* The line without its newline; always terminated. */
void line_format(enum line line, const struct line_fields *fields, char out[static PRINT_LINE]);
/* True if it is printed with or without /V. */
bool line_is_shown(enum line line, bool verbose);

/* ---- exit statuses --------------------------------------------------------------------------- */

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,      /* a target failed, or nobody is there */
    EXIT_USAGE = 2,       /* usage; empty or over-long message */
    EXIT_UNANSWERED = 3,  /* not answered in time, dismissed, left */
    EXIT_UNREACHABLE = 4, /* server not reached, not trusted, or refused us */
    EXIT_UNKNOWN = 5,     /* sent, and what became of it is not known */
    EXIT_SIGNAL = 128     /* + the signal's number */
};

/* Where two apply: the first of interrupted, 2, 5, 4, 1, 3, 0. */
int exit_worse(int a, int b);

/* ---- what happened, as a line and a status --------------------------------------------------- */

struct verdict {
    enum line line; /* LINES: nothing is printed for it */
    int status;
    const char *words; /* for the field `message`, a literal; NULL: what the server said */
};

/* A delivery's event. fin and displayed: as the event and the delivery's life so far have it. */
struct verdict verdict_of_event(const struct msg_event *event, bool wait, bool displayed);
/* An ERROR's code, for a request that names everybody or not, over the Unix socket or not. */
struct verdict verdict_of_code(const char *code, const char *at, bool all, bool local);
/* A call without an answer, or the ERROR in it. */
struct verdict verdict_of_call(const struct call_result *result, const struct call_server *server,
                               bool all);

/* `12 s`, from ms, at least 1; into a buffer of the caller's. */
struct slice print_seconds(uint64_t ms, char out[static 24]);
/* The short form of a message's uid: its first 30 bits in Crockford's base32. */
struct slice print_uid(const uint8_t uid[static 16], char out[static 8]);
/*
 * `; 2001:db8::7: no answer; 192.0.2.8 too`: what became of a name's other addresses, behind the
 * cause of the one that is named first. Into a buffer of the caller's.
 */
struct slice print_others(const struct call_result *result, char out[static PRINT_OTHERS]);
/* `connection refused`: a negative errno or UV_EAI_ of a failed connect in words. */
const char *print_cause(int error);

#endif
