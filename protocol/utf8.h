/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. Without
 * msgpack-c, since the presenter judges text by it too.
 */
#ifndef MSG_PROTOCOL_UTF8_H
#define MSG_PROTOCOL_UTF8_H

#include "protocol/slice.h"

#include <stdint.h>

/*
 * Reads the first code point of a text that is not empty: its length in bytes (1..4) with
 * *ret_code, or 0 if the text does not begin with a well-formed one.
 */
size_t utf8_next(struct slice text, uint32_t *ret_code);

/* True if all of it is well-formed; the empty text is. */
bool utf8_valid(struct slice text);

#endif
