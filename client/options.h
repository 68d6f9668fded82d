/* SPDX-License-Identifier: MIT */
/*
 * The command line of msg: Windows' grammar with GNU twins, expanded from options.def. Pure: reads
 * argv, prints nothing, opens nothing; the folder's names come through a reader of the caller's.
 * Everything in struct options is borrowed from argv.
 */
#ifndef MSG_CLIENT_OPTIONS_H
#define MSG_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_TIME_MAX 604800 /* seconds */

enum option {
#define OPTION(ID, windows, gnu, argument, when, help) OPT_##ID,
#include "client/options.def"
    OPTIONS
};

struct options {
    const char *given[OPTIONS]; /* an option's argument, "" for a switch; NULL: not given */
    const char *target;         /* NULL with /ALL, /ACK, /LIST */
    const char *const *words;   /* the message; of /ACK the answer */
    size_t n_words;
    uint64_t time_ms; /* 0: no limit */
    uint32_t number;  /* /ACK, /LIST; 0: none */
};

/* What is to be said about a command line; may hold what the caller typed: escape before printing.
 */
struct options_report {
    char error[320];
    char note[160];
};

/*
 * The names in the current folder, to recognise a `*` that the shell has expanded: next() returns
 * one after the other, then NULL. Names that begin with a dot are left out here.
 */
struct options_folder {
    const char *(*next)(void *context);
    void *context;
};

/*
 * True: *ret_options is filled; ret_report->note may hold a remark. False: a usage error, which
 * ret_report->error tells, and *ret_options is untouched. After /? and --version nothing else
 * counts.
 */
bool options_parse(int argc, const char *const argv[], const struct options_folder *folder,
                   struct options *ret_options, struct options_report *ret_report);

void options_usage(FILE *stream);

#endif
