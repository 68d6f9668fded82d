/* SPDX-License-Identifier: MIT */
/*
 * The texts of a `present`: taken apart and judged once more, on the privileged side. Pure.
 */
#ifndef MSG_DAEMON_PRESENT_TEXT_H
#define MSG_DAEMON_PRESENT_TEXT_H

#include "daemon/boundary.h"
#include "protocol/slice.h"

struct present_texts { /* borrowed from the datagram */
    struct slice sender, title, body;
    struct slice answers; /* labels, each ended by LF */
};

/*
 * Sender, title, answers and body as the record's lengths part them. 0; -EBADMSG: numbers out of
 * range or lengths that do not fit, which no msgd of ours sends; -EINVAL: text that is not fit to
 * be shown. Then *ret_reason is a literal.
 */
int present_texts_read(const struct boundary_message *message, struct present_texts *ret_texts,
                       const char **ret_reason);

/* Takes the next label off the answers. False: there is none left. */
bool present_answers_next(struct slice *answers, struct slice *ret_label);

/* How many there are; and the one with that number from 1, or an empty slice. */
unsigned present_answers_count(struct slice answers);
struct slice present_answers_at(struct slice answers, unsigned number);

#endif
