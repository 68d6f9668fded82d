/* SPDX-License-Identifier: MIT */
#include "daemon/net_heap.h"

#include <errno.h>
#include <stdlib.h>

int heap_reserve(struct heap *heap, size_t n)
{
    size_t capacity = heap->capacity ? heap->capacity : 64;

    if (n <= heap->capacity)
        return 0;
    while (capacity < n)
        capacity *= 2;
    struct deadline **items = reallocarray(heap->items, capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    heap->items = items;
    heap->capacity = capacity;
    return 0;
}

static void put(struct heap *heap, size_t place, struct deadline *deadline)
{
    heap->items[place - 1] = deadline;
    deadline->place = place;
}

static void rise(struct heap *heap, struct deadline *deadline, size_t place)
{
    for (; place > 1 && heap->items[place / 2 - 1]->at > deadline->at; place /= 2)
        put(heap, place, heap->items[place / 2 - 1]);
    put(heap, place, deadline);
}

static void sink(struct heap *heap, struct deadline *deadline, size_t place)
{
    size_t child;

    while ((child = 2 * place) <= heap->n) {
        if (child < heap->n && heap->items[child]->at < heap->items[child - 1]->at)
            child++;
        if (heap->items[child - 1]->at >= deadline->at)
            break;
        put(heap, place, heap->items[child - 1]);
        place = child;
    }
    put(heap, place, deadline);
}

static void settle(struct heap *heap, struct deadline *deadline, size_t place)
{
    rise(heap, deadline, place);
    sink(heap, deadline, deadline->place);
}

static void take_out(struct heap *heap, struct deadline *deadline)
{
    size_t place = deadline->place;
    struct deadline *last = heap->items[--heap->n];

    deadline->place = 0;
    if (last != deadline)
        settle(heap, last, place);
}

void heap_set(struct heap *heap, struct deadline *deadline, int64_t at)
{
    deadline->at = at;
    if (at == INT64_MAX) {
        if (deadline->place)
            take_out(heap, deadline);
        return;
    }
    settle(heap, deadline, deadline->place ? deadline->place : ++heap->n);
}

struct deadline *heap_first(const struct heap *heap)
{
    return heap->n ? heap->items[0] : NULL;
}

void heap_clear(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){0};
}
