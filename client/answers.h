/* SPDX-License-Identifier: MIT */
/*
 * The labels of /ANSWERS, from the word that was typed to what may be sent. Pure but for memory and
 * iconv's tables.
 */
#ifndef MSG_CLIENT_ANSWERS_H
#define MSG_CLIENT_ANSWERS_H

#include "client/message.h"

#define ANSWERS_CHARACTERS 32 /* of one label: what a button or a line of a terminal takes */

struct answers {
    struct slice labels[LIM_ANSWERS];
    char *texts[LIM_ANSWERS]; /* what holds them */
    size_t n;
};

/*
 * `Yes,No,Ask me later`: labels parted by commas, blanks round them dropped, none twice without
 * regard to case. 0, -ENOMEM, or -EINVAL with error as of message_clean(). On 0 answers_release()
 * frees what it holds.
 */
int answers_read(const char *typed, const char *charset, struct answers *ret_answers,
                 struct message_error *ret_error);
void answers_release(struct answers *answers);

#endif
