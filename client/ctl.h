/* SPDX-License-Identifier: MIT */
/*
 * msgctl: a table of subcommands (ctl.def), each one file with one function. This is what they
 * share: the command line, read, and how they speak. stdout has what was asked for, stderr the
 * rest; both escaped.
 */
#ifndef MSG_CLIENT_CTL_H
#define MSG_CLIENT_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum ctl_option {
#define OPTION(ID, ...) CTL_##ID,
#include "client/ctl.def"
    CTL_OPTIONS
};

#define CTL_WORDS 64

enum ctl_status {
    CTL_OK = 0,
    CTL_FAILED = 1,
    CTL_USAGE = 2,
    CTL_NO_SERVER = 4, /* could not be reached or trusted, or refused us */
};

/* One command line, borrowed from argv. */
struct ctl {
    const struct ctl_command *command;
    const char *given[CTL_OPTIONS]; /* an option's argument, "" for a switch; NULL: not given */
    const char *words[CTL_WORDS];
    size_t n_words;
    bool json;
};

struct ctl_command {
    const char *name, *words, *help;
    size_t least, most;
    unsigned options; /* a set of 1 << enum ctl_option */
    int (*run)(const struct ctl *ctl);
};

/*
 * 0: *ret_ctl is filled; its command is NULL only with --help or --version. -EINVAL: error holds
 * what is wrong, of at most `capacity` bytes, to be escaped. Pure.
 */
int ctl_parse(int argc, const char *const argv[], struct ctl *ret_ctl, char *error,
              size_t capacity);

/* Of all subcommands, or of one. */
void ctl_usage(FILE *out, const struct ctl_command *command);

/* The subcommands: an exit status. */
#define COMMAND(name, ...) int ctl_##name(const struct ctl *ctl);
#include "client/ctl.def"

#endif
