/* SPDX-License-Identifier: MIT */
/* Days as administrators write them, YYYY-MM-DD, in UTC. Pure; no locale, no time zone. */
#ifndef MSG_COMMON_DATE_H
#define MSG_COMMON_DATE_H

#include "protocol/slice.h"

#include <stdint.h>

/* The first second, since 1970 UTC, behind the day; 1970..9999. 0, or -EBADMSG if there is no such
 * day. */
int date_parse_end(struct slice text, int64_t *ret_seconds);

#endif
