/* SPDX-License-Identifier: MIT */
/*
 * How much may be up for one user at once, and how fast it may come: whoever holds msgd can fill a
 * screen, not flood it. Pure but for its memory; time is given.
 */
#ifndef MSG_DAEMON_PRESENT_CAPS_H
#define MSG_DAEMON_PRESENT_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct caps {
    struct caps_user *users;
    size_t count, capacity;
    size_t up; /* in all */
};

/* One more for this user: 0, -EBUSY (too many, or too fast), -ENOMEM. */
int caps_take(struct caps *caps, uid_t uid, uint64_t now_ms);

/* One that was taken is over. */
void caps_release(struct caps *caps, uid_t uid);

void caps_free(struct caps *caps);

#endif
