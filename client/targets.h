/* SPDX-License-Identifier: MIT */
/*
 * Targets to selectors: a word of the command line, or a file of them. Pure: bytes in, selectors
 * out. A file is hostile: everything in it is checked here and reaches nobody unchecked. Which
 * user or session a name means is the host's to say.
 */
#ifndef MSG_CLIENT_TARGETS_H
#define MSG_CLIENT_TARGETS_H

#include "protocol/messages.h"

struct targets {
    struct msg_selector *items; /* in the order given, none twice */
    size_t n;
    char *memory; /* what their strings are borrowed from */
};

struct targets_fault {
    size_t line;   /* from 1; 0: the whole word or file is meant */
    char what[80]; /* a literal's text and escaped bytes: fit to print */
};

/*
 * One target: `*`, or a name with or without user:, session: or id: before it. Borrows from word.
 * 0, -EINVAL with *ret_fault, -ENOMEM.
 */
int targets_from_word(const char *word, struct targets *ret_targets,
                      struct targets_fault *ret_fault);

/*
 * A target file: UTF-8, LF or CRLF, entries parted by blanks and tabs, double quotes around what
 * holds blanks, a line that begins with # is a comment, files do not nest. At most LIM_TARGET_FILE
 * bytes and LIM_TARGETS entries. Borrows nothing. Returns as above; an empty file is -EINVAL.
 */
int targets_from_file(struct slice file, struct targets *ret_targets,
                      struct targets_fault *ret_fault);

void targets_release(struct targets *targets);

/*
 * The targets that the next request takes, from the one with index `from` on: at most
 * LIM_SELECTORS, and no more bytes than leave room for the longest text and title in a frame. Empty
 * at the end.
 */
struct msg_selector_list targets_request(const struct targets *targets, size_t from);

/* No more requests than this come of one file. */
#define TARGETS_REQUESTS 16

#endif
