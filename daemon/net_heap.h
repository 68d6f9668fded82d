/* SPDX-License-Identifier: MIT */
/*
 * What is due next: a binary heap of deadlines that live in what they belong to, so that one timer
 * serves them all. Times are in whatever unit the caller keeps to.
 */
#ifndef MSG_DAEMON_NET_HEAP_H
#define MSG_DAEMON_NET_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct deadline {
    int64_t at;
    size_t place; /* in the heap, from 1; 0: not in it */
};

struct heap {
    struct deadline **items;
    size_t n, capacity;
};

/* Makes sure that n deadlines find room without fail. 0 or -ENOMEM. */
int heap_reserve(struct heap *heap, size_t n);
/* Moves or adds it (within what was reserved); at INT64_MAX it is taken out. */
void heap_set(struct heap *heap, struct deadline *deadline, int64_t at);
/* The earliest, or NULL. */
struct deadline *heap_first(const struct heap *heap);
void heap_clear(struct heap *heap);

#endif
