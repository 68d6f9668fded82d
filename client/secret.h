/* SPDX-License-Identifier: MIT */
/* A secret that a person pastes: never an argument, never shown. */
#ifndef MSG_CLIENT_SECRET_H
#define MSG_CLIENT_SECRET_H

#include "protocol/slice.h"

/*
 * One line: asked for at the terminal, without echo, where standard input is one; else the first
 * line of standard input. *ret_line is within buffer, without blanks around it; the caller wipes
 * the buffer. 0, or a negative errno (-ENODATA: nothing was said; -EMSGSIZE). A signal ends the
 * process as it would otherwise, after the terminal is as it was.
 */
int secret_read(const char *prompt, char *buffer, size_t capacity, struct slice *ret_line);

#endif
