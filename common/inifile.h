/* SPDX-License-Identifier: MIT */
/*
 * Configuration files: sections, `key = value`, comments after `#` or `;` at a line's start and
 * after ` ;`. Read by inih, but so that every error has its place: a line that inih would cut, or
 * whose rest it would ignore, is refused, and so are control characters and what is not UTF-8.
 * No line continues another one. Pure.
 */
#ifndef MSG_COMMON_INIFILE_H
#define MSG_COMMON_INIFILE_H

#include "common/diag.h"
#include "protocol/slice.h"

/*
 * One `key = value`, valid during the call; before any section header the section is "". 0, or a
 * negative errno with the reason, which inifile_read() heads with file and line.
 */
typedef int (*inifile_entry)(void *context, const char *section, const char *key, const char *value,
                             struct diag *ret_diag);

/* `file` only heads errors: "file:line: reason". The first error ends it. 0 or negative errno. */
int inifile_read(const char *file, struct slice text, inifile_entry entry, void *context,
                 struct diag *ret_diag);

#endif
