/* SPDX-License-Identifier: MIT */
#include "daemon/present_fact.h"

#include "common/mem.h"

#include <stdio.h>

int fact_add(struct fact_list *list, const struct session_fact *fact)
{
    if (list->count >= LIM_SESSIONS)
        return -ENOSPC;
    if (list->count >= list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        struct session_fact *facts = reallocarray(list->facts, capacity, sizeof(*facts));
        if (!facts) {
            list->incomplete = true;
            return -ENOMEM;
        }
        list->facts = facts;
        list->capacity = capacity;
    }
    list->facts[list->count++] = *fact;
    return 0;
}

void fact_list_free(struct fact_list *list)
{
    free(list->facts);
    *list = (struct fact_list){0};
}

static int by_terminal(const void *first, const void *second)
{
    const struct session_fact *a = first, *b = second;
    if (a->device.rdev != b->device.rdev)
        return a->device.rdev < b->device.rdev ? -1 : 1;
    return (a->since_us < b->since_us) - (a->since_us > b->since_us);
}

void fact_merge(struct fact_list *list)
{
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->facts, list->count, sizeof(*list->facts), by_terminal);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->facts[i].device.rdev != list->facts[kept - 1].device.rdev)
            list->facts[kept++] = list->facts[i];
    list->count = kept;
}

struct session_fact *fact_of_terminal(const struct fact_list *list, dev_t rdev)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->facts[middle].device.rdev < rdev)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->facts[low].device.rdev == rdev ? &list->facts[low] : NULL;
}

bool fact_same_login(const struct session_fact *a, const struct session_fact *b)
{
    return a->device.rdev == b->device.rdev && a->uid == b->uid && a->leader == b->leader &&
           a->since_us == b->since_us;
}

void fact_record(const struct session_fact *fact, int64_t now_s,
                 struct boundary_session *ret_record)
{
    const char *line = fact->device.line;
    int64_t idle = now_s > fact->device.used_s ? now_s - fact->device.used_s : 0;
    struct boundary_session record = {
        .uid = fact->uid,
        .gid = fact->gid,
        .reach = REACH_TERMINAL,
        .flags = fact->device.messages ? 0 : SESSION_DISABLED,
        .idle_s = idle > UINT32_MAX ? UINT32_MAX : (uint32_t)idle,
        .type = "tty",
        .state = "active",
    };
    memcpy(record.user, fact->user, sizeof(record.user));
    memcpy(record.from, fact->from, sizeof(record.from));
    snprintf(record.name, sizeof(record.name), "%s", line);
    snprintf(record.terminal, sizeof(record.terminal), "%s", line);
    snprintf(record.place, sizeof(record.place), "%s", line);
    snprintf(record.id, sizeof(record.id), "p%d", (int)fact->leader);
    if (!fact->device.messages)
        snprintf(record.why, sizeof(record.why), "messages-disabled");
    *ret_record = record;
}

bool fact_record_differs(const struct boundary_session *a, const struct boundary_session *b)
{
    struct boundary_session copy = *a;
    copy.idle_s = b->idle_s;
    copy.handle = b->handle;
    copy.change = b->change;
    return memcmp(&copy, b, sizeof(copy)) != 0;
}
