/* SPDX-License-Identifier: MIT */
/* The command line of msgd-present. Strings are borrowed from argv. */
#ifndef MSG_DAEMON_PRESENT_OPTIONS_H
#define MSG_DAEMON_PRESENT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

struct options {
    const char *utmp;       /* the file of logins */
    const char *system_bus; /* its address; empty: logind is not asked */
    const char *msgd_user;  /* whom msgd runs as */
    const char *msgd;       /* the program; NULL: the one beside this one, else the installed one */
    const char *popup;      /* msgd-popup; NULL: likewise */
    const char *receive;    /* a user's wish: below his home, or absolute */
    const char *socket;     /* where to listen; NULL: not */
    bool debug;
    bool with_msgd;        /* embedded: msgd is our child */
    char **msgd_arguments; /* what follows --with-msgd, NULL-terminated */
};

/* What to do; for OPTIONS_WRONG a line on stderr says why. */
enum options_result options_read(int argc, char **argv, struct options *ret_options);

void options_usage(FILE *out);

#endif
