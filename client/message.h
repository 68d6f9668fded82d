/* SPDX-License-Identifier: MIT */
/*
 * The text of a message, from whatever the caller gave to what may be sent: converted to UTF-8,
 * normalised, and judged by common/text.h. Pure but for iconv's tables; nothing is ever cut or
 * stripped in silence, and no file is opened because a word names one.
 */
#ifndef MSG_CLIENT_MESSAGE_H
#define MSG_CLIENT_MESSAGE_H

#include "protocol/limits.h"
#include "protocol/slice.h"

/* More raw bytes than this cannot become a text within LIM_TEXT in any charset taken here. */
#define MESSAGE_RAW_MAX (4 * LIM_TEXT + 4)

enum message_kind {
    MESSAGE_WORDS,  /* a message from the command line */
    MESSAGE_STREAM, /* from stdin or the prompt: one final newline is dropped */
    MESSAGE_TITLE,  /* one line, LIM_TITLE */
    MESSAGE_ANSWER, /* one line, LIM_ANSWER */
};

/*
 * A byte order mark decides between UTF-8 and UTF-16; otherwise the bytes are in charset (as
 * nl_langinfo(CODESET) names it; ASCII is taken for UTF-8). 0: *ret_text is malloc'd. -EINVAL: the
 * text cannot be sent and error, which is fit to print, says where and why; or -ENOMEM.
 */
struct message_error {
    char text[160];
};
int message_clean(struct slice raw, enum message_kind kind, const char *charset, char **ret_text,
                  size_t *ret_len, struct message_error *ret_error);

/* Says why in ret_error; always -EINVAL. */
int message_refuse(struct message_error *ret_error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Words joined by single blanks; malloc'd and terminated. NULL: no memory. */
char *message_join(const char *const *words, size_t n);

#endif
