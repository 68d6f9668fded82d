/* SPDX-License-Identifier: MIT */
/*
 * The child that looks into a user's home for his wish (common/receive.h): it becomes the user, for
 * good, with next to no resources, asks the system where his home is, reads the file and answers of
 * each sender whether he is heard. All that may hang hangs there. What cannot be read counts as no
 * file: everybody is heard.
 */
#ifndef MSG_DAEMON_PRESENT_WISH_READ_H
#define MSG_DAEMON_PRESENT_WISH_READ_H

#include "protocol/slice.h"

#include <stdint.h>
#include <sys/types.h>

#define WISH_SENDERS 512 /* that one reading answers for */

struct wish_sender {
    struct slice name;
    bool local;
};

struct wish_order {
    uid_t uid;
    gid_t gid;
    const char *file; /* below the home; or absolute */
    const struct wish_sender *senders;
    size_t n; /* at most WISH_SENDERS */
};

/* What the child says, in full: any other length, or a value out of range, is refused. */
struct wish_answer {
    int32_t error; /* 0, or negative: why the file counts as none */
    uint32_t line; /* with -EBADMSG: the one that is not understood */
    uint8_t heard[WISH_SENDERS / 8];
};

/* A child_job's run; the argument is the wish_order. */
void wish_read(int socket, const void *argument);

/* The judge of the child's datagram: 0 or -EBADMSG. */
int wish_answer_read(const void *bytes, size_t len, struct wish_answer *ret_answer);

static inline bool wish_heard(const struct wish_answer *answer, size_t i)
{
    return answer->heard[i / 8] >> i % 8 & 1;
}

#endif
