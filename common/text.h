/* SPDX-License-Identifier: MIT */
/*
 * Text that people are shown. text_check() is the one judge of a hostile text, in msg before it is
 * sent, in msgd and in the presenter alike; text_escape() makes any bytes fit to print. Pure: owns
 * nothing, allocates nothing, knows no locale.
 */
#ifndef MSG_COMMON_TEXT_H
#define MSG_COMMON_TEXT_H

#include "protocol/slice.h"

#include <stdint.h>

/* The first thing wrong with a text. */
struct text_fault {
    size_t line;   /* from 1; 0 where the whole is meant (empty, white) */
    size_t column; /* code points from 1; 0 with line 0 */
    char what[48]; /* "control character ESC", "byte 0xC3, which is not UTF-8", "nothing but white
                      space" */
};

/*
 * Fit to show: well-formed UTF-8, no control character (U+0000..U+001F, U+007F..U+009F) but TAB and
 * LF, and not empty or white. 0, or -EBADMSG with *ret_fault (may be NULL). White is what Unicode
 * calls White_Space, and U+200B..U+200D, U+2060 and U+FEFF, which show nothing either.
 * text_check_line: the same without TAB and LF, for a title or an answer.
 */
int text_check(struct slice text, struct text_fault *ret_fault);
int text_check_line(struct slice text, struct text_fault *ret_fault);

/* True for the name of a key or account: 1..LIM_NAME of A-Z a-z 0-9 . _ @ - */
bool text_is_name(struct slice name);

/*
 * Writes text so that it can be printed on one line of a terminal or a log: controls and bytes that
 * are not UTF-8 as \x1B, controls above U+007F, line separators and whatever turns the direction of
 * writing as <U+202E>. TEXT_KEEP_LINES keeps TAB and LF. TEXT_NO_C1 is for who may read bytes and
 * not UTF-8: a character with one of 0x80..0x9F in it, which are controls there, is written as
 * <U+201C>, too. Cut before a character that does not fit, then marked "..."; out is always
 * terminated. The length written. capacity is at least 4.
 */
enum text_escape_flag { TEXT_ONE_LINE = 0, TEXT_KEEP_LINES = 1, TEXT_NO_C1 = 2 };
size_t text_escape(struct slice text, unsigned flags, char *out, size_t capacity);
#define TEXT_ESCAPED(len) ((len)*4 + 4) /* a capacity that is enough for len bytes */

/*
 * A control of any kind, a separator of lines, what turns the direction of writing, or what never
 * is a character.
 */
bool text_is_unprintable(uint32_t code);

/* A byte order mark is dropped, CRLF and CR become LF; in place, the new length. */
size_t text_normalise(char *text, size_t len);

#endif
