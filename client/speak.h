/* SPDX-License-Identifier: MIT */
/*
 * Saying lines: the one place where msg writes a line of lines.def to stdout or stderr. Decides
 * nothing; what holds for every line of a run (who I am, which host, which key) is kept here.
 */
#ifndef MSG_CLIENT_SPEAK_H
#define MSG_CLIENT_SPEAK_H

#include "client/print.h"

#include <stdio.h>

struct speaker {
    FILE *out, *err;
    bool verbose;
    struct line_fields
        base; /* program, host, me, key, file: taken where a line's own fields are empty */
};

/* fields may be NULL. */
void speak(const struct speaker *speaker, enum line line, const struct line_fields *fields);

/*
 * A call that ended without the answer wanted, in one line; returns the exit status. fields: what
 * is known beyond the result (target); all: the request named everybody.
 */
int speak_call(const struct speaker *speaker, const struct call_result *result,
               const struct call_server *server, bool all, const struct line_fields *fields);

#endif
