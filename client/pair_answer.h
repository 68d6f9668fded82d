/* SPDX-License-Identifier: MIT */
/*
 * What `msgctl authorize --self - --json` prints on another host, as ssh brings it: one line of
 * flat JSON, perhaps amid what that host's login says besides. Hostile, like all that comes from
 * there. Pure.
 */
#ifndef MSG_CLIENT_PAIR_ANSWER_H
#define MSG_CLIENT_PAIR_ANSWER_H

#include "protocol/limits.h"
#include "protocol/noise.h"
#include "protocol/slice.h"

#define PAIR_ANSWER 16384 /* bytes that are looked at, in all */

struct pair_answer {
    char result[LIM_CODE + 1]; /* "added", "listed" */
    char user[LIM_NAME + 1];   /* as whom the key counts there; fit to show on a line */
    struct noise_public key;   /* the one that was authorized */
    struct noise_public host;
    uint16_t port; /* 0: it does not listen for other hosts */
};

/*
 * The first line that is such an object; what it has beyond these is not looked at. False if there
 * is none.
 */
bool pair_answer_read(struct slice text, struct pair_answer *ret_answer);

/*
 * What ssh, a shell and a file of addresses take for a name and for nothing else: one or more of
 * A-Z a-z 0-9 and the bytes in `beyond`, no - in front.
 */
bool pair_is_plain(struct slice name, const char *beyond);

#endif
