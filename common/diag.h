/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, in words for the one who can mend it. Libraries fill a diag and return the
 * negative errno; programs print it. It may hold bytes out of files: log_line() and text_escape()
 * make it fit to print.
 */
#ifndef MSG_COMMON_DIAG_H
#define MSG_COMMON_DIAG_H

struct diag {
    char text[1024]; /* one sentence without a full stop, "FILE:LINE: text" where a line is meant */
};

/* Fills *ret_diag (may be NULL), cut if too long, and returns error, which is negative. */
int diag_set(struct diag *ret_diag, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "PATH: Permission denied", from the negative errno. */
int diag_errno(struct diag *ret_diag, int error, const char *path);

#endif
