/* SPDX-License-Identifier: MIT */
/*
 * Runs another program, such as ssh-keygen, and takes what it prints. Its stderr is ours, and the
 * terminal is its to ask at; nothing secret passes through us.
 */
#ifndef MSG_CLIENT_TOOL_H
#define MSG_CLIENT_TOOL_H

#include "protocol/slice.h"

#define TOOL_INPUT 16384 /* less than a pipe holds */

struct tool {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL ends it */
    struct slice input;      /* for its stdin, at most TOOL_INPUT bytes */
    int timeout_ms;          /* -1: a person may have to answer it */
    bool quiet;              /* what it says on stderr is thrown away */
    bool errors_too;         /* what it says on stderr is taken, with what it prints */
    bool shows;              /* what it prints is shown on our stderr; nothing is taken */
    bool detached;           /* with `quiet`: nothing of our terminal is left to it */
};

/*
 * Its exit status; *ret_len bytes stand in out, of at most `capacity`. -ENOENT: there is no such
 * program; -ETIMEDOUT, -EFBIG (it printed more; both times it was ended), -EPIPE (it died by a
 * signal), or another negative errno.
 */
int tool_run(const struct tool *tool, char *out, size_t capacity, size_t *ret_len);

#endif
