/* SPDX-License-Identifier: MIT */
/*
 * Keys that invitations brought, as msgd records them: one line an enrolment, the invitation's id
 * and then a line of authorized_keys, `0123456789abcdef x25519:... [options] name`. One line is at
 * once the invitation's use and the key's rights, so that no crash can part the two. Empty lines
 * and lines that begin with `#` are ignored, and a line of an id alone stands for a key that was
 * taken out; anything else is an error at its line.
 *
 * enrolled_parse() is pure; enrolled_add() is the only writer.
 */
#ifndef MSG_COMMON_ENROLLED_H
#define MSG_COMMON_ENROLLED_H

#include "common/authorized_keys.h"
#include "protocol/enrol.h"

struct enrolled_use {
    uint8_t id[ENROL_ID];
    size_t line;
};

struct enrolled {
    struct authorized_keys keys;
    struct enrolled_use *used; /* in the order of the ids */
    size_t count;
};

/* `file` only heads the error: "file:line: reason". 0, -EBADMSG or -ENOMEM. */
int enrolled_parse(const char *file, struct slice text, struct enrolled *ret_enrolled,
                   struct diag *ret_diag);
/* For root, who reads msgd's file; it is empty where it is not there. Or another negative errno. */
int enrolled_read(const char *file, struct enrolled *ret_enrolled, struct diag *ret_diag);
void enrolled_free(struct enrolled *enrolled);
/* Whether the invitation was used. */
bool enrolled_used(const struct enrolled *enrolled, const uint8_t id[static ENROL_ID]);

/*
 * Records that a key used the invitation; line: options and name, as in a ticket. Replaces the file
 * whole and durably: after 0 it outlives a crash, after an error nothing is enrolled, unless only
 * the folder could not be written through. -EEXIST: the invitation was used; -EBADMSG: the file, or
 * the file with the new line, has an error.
 */
int enrolled_add(const char *file, const uint8_t id[static ENROL_ID],
                 const struct noise_public *key, const char *line, struct diag *ret_diag);

#endif
