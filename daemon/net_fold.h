/* SPDX-License-Identifier: MIT */
/* Comparing names without case: of ASCII letters only, so that no locale has a say in it. */
#ifndef MSG_DAEMON_NET_FOLD_H
#define MSG_DAEMON_NET_FOLD_H

#include "protocol/slice.h"

static inline char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool fold_eq(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i]))
            return false;
    }
    return true;
}

#endif
