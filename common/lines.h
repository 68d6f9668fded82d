/* SPDX-License-Identifier: MIT */
/*
 * The line format that known_hosts, authorized_keys and revoked_keys share: fields parted by blanks
 * and tabs, `#` begins a comment line, LF ends a line, CR before it is dropped. Pure.
 */
#ifndef MSG_COMMON_LINES_H
#define MSG_COMMON_LINES_H

#include "protocol/slice.h"

struct lines {
    struct slice rest;
    size_t number; /* of the line that lines_next() gave last, from 1 */
};

/*
 * The next line that is neither empty nor a comment, without blanks at its ends. False at the end,
 * and with *ret_reason (a literal, otherwise NULL) at a line that is longer than LIM_TRUST_LINE or
 * holds a control character or a byte that is not UTF-8.
 */
bool lines_next(struct lines *lines, struct slice *ret_line, const char **ret_reason);

/* Takes the next field from the front of a line; false if none is left. */
bool lines_field(struct slice *line, struct slice *ret_field);

/* Takes the next entry from the front of a comma list, which may be empty; false if none is left.
 */
bool lines_entry(struct slice *list, struct slice *ret_entry);

#endif
