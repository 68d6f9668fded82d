/* SPDX-License-Identifier: MIT */
/*
 * What the keys pressed in a tmux popup mean. It takes the keyboard from somebody who may be
 * typing, so nothing counts until the keyboard was still for KEYS_STILL_MS, and what decides is
 * only a key that nothing came KEYS_ALONE_MS before or after: a paste, and whoever types on, decide
 * nothing. Silence decides, never a byte: when time was lost, what was typed meanwhile is read
 * first. Pure.
 */
#ifndef MSG_DAEMON_POPUP_KEYS_H
#define MSG_DAEMON_POPUP_KEYS_H

#include "protocol/slice.h"

#include <stdint.h>

#define KEYS_STILL_MS 1000
#define KEYS_ALONE_MS 200
#define KEYS_NEVER    UINT64_MAX

enum keys_verdict {
    KEYS_UNDECIDED,
    KEYS_CONFIRMED, /* by `o`, where there are no answers */
    KEYS_ANSWERED,  /* by a digit, where there are */
    KEYS_DISMISSED, /* by Escape, which begins no sequence */
};

struct keys {
    unsigned answers; /* how many there are to choose from, 0..9 */
    bool counting;    /* the keyboard was still: from now on keys count */
    char pending;     /* decides, if nothing follows; 0: none */
    enum { KEYS_GROUND, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3 } at; /* in an escape sequence */
    char parameter;                                           /* the last one of a CSI sequence */
    uint64_t last_ms; /* when the last byte came; at first, when the popup opened */
};

struct keys_step {
    enum keys_verdict verdict;
    unsigned answer;     /* KEYS_ANSWERED: which, from 0 */
    int64_t rows, pages; /* to scroll by, down is positive */
    bool to_top, to_end; /* to scroll to, before that */
};

/* The popup opens. Times are of any clock that only rises. */
void keys_start(struct keys *keys, unsigned answers, uint64_t now_ms);

/* Bytes came; or, without any, time has passed: then all input there is has been read before. */
struct keys_step keys_step(struct keys *keys, struct slice bytes, uint64_t now_ms);

/* When it is to be stepped without bytes; KEYS_NEVER: not before bytes come. */
uint64_t keys_due(const struct keys *keys);

#endif
