/* SPDX-License-Identifier: MIT */
/*
 * Names by pattern, as names= and @cert-authority lines have them: a comma list of patterns, in
 * which `*` stands for any characters, none too, and `?` for one. A name matches the list if it
 * matches one of them. Pure, in time bounded by the product of the lengths.
 */
#ifndef MSG_COMMON_PATTERN_H
#define MSG_COMMON_PATTERN_H

#include "protocol/slice.h"

/* 1 or more patterns of a-z 0-9 . _ - * ? and : [ ] % (for addresses), none empty. */
bool patterns_valid(struct slice list);
bool patterns_match(struct slice list, struct slice name);

/* Whether the very name stands in the list: where a pattern is not to stand for it. */
bool patterns_have(struct slice list, struct slice name);

#endif
