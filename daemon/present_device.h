/* SPDX-License-Identifier: MIT */
/*
 * Terminals as device files: which names are terminals, what such a file says about its login, and
 * opening one so that it is certainly that person's. Names come from the system's own records,
 * never from msgd. Owns nothing but the descriptor it returns.
 */
#ifndef MSG_DAEMON_PRESENT_DEVICE_H
#define MSG_DAEMON_PRESENT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DEVICE_LINE 16 /* pts/N and ttyN, terminated */

struct device {
    char line[DEVICE_LINE];
    dev_t rdev;
    uid_t owner;
    bool messages;  /* the group-write bit: mesg y */
    int64_t used_s; /* when something was last typed, by the wall clock */
};

/* Whose terminal is to be opened. */
struct device_target {
    char line[DEVICE_LINE];
    dev_t rdev;
    uid_t uid;
    gid_t gid;     /* the user's, for a helper that becomes him */
    bool override; /* pass over mesg n */
};

/* What an open terminal says of itself. */
struct device_screen {
    unsigned columns; /* 0: it does not say */
    bool utf8; /* it reads UTF-8, as stty(1) iutf8 says; else bytes, of which some are controls */
};

/* True for exactly pts/N and ttyN, N decimal without leading zeros, tty from 1 to 63. */
bool device_is_line(const char *line);

/* Looks at /dev/LINE. 0; -EINVAL: not such a name; -ENODEV: no such terminal; another errno. */
int device_look(const char *line, struct device *ret_device);

/*
 * Opens the terminal for writing, never waiting for it, never taking it as a controlling one, and
 * checks what was opened. 0 with *ret_fd; -ENODEV: it is gone or another's now; -EACCES: its
 * messages are off; another errno.
 */
int device_open(const struct device_target *target, int *ret_fd);

/* Asks an open one; what it does not answer is 0 and false. */
void device_ask(int fd, struct device_screen *ret_screen);

/* The check alone, of an open descriptor: 0, -ENODEV or -EACCES. */
int device_check(const struct device_target *target, int fd);

#endif
