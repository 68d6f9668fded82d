/* SPDX-License-Identifier: MIT */
#include "daemon/present_fact.h"

#include "common/mem.h"

#include <stdio.h>

/* A source tells of one user's sessions one after another, mostly. */
static int find_owner(struct fact_list *list, uid_t uid, struct fact_owner **ret_owner)
{
    for (size_t i = 0; i < list->owner_count; i++) {
        size_t at = (list->owner + i) % list->owner_count;
        if (list->owners[at].uid == uid) {
            list->owner = at;
            *ret_owner = &list->owners[at];
            return 0;
        }
    }
    int r = mem_grow((void **)&list->owners, list->owner_count, &list->owner_capacity,
                     sizeof(*list->owners));
    if (r < 0)
        return r;
    list->owner = list->owner_count;
    list->owners[list->owner_count++] = (struct fact_owner){.uid = uid};
    *ret_owner = &list->owners[list->owner];
    return 0;
}

int fact_add(struct fact_list *list, const struct session_fact *fact)
{
    struct fact_owner *owner;
    if (list->count >= LIM_SESSIONS)
        return -ENOSPC;
    int r = find_owner(list, fact->uid, &owner);
    if (r == 0 && owner->count >= LIM_USER_SESSIONS)
        return -EDQUOT;
    if (r == 0)
        r = mem_grow((void **)&list->facts, list->count, &list->capacity, sizeof(*list->facts));
    if (r < 0) {
        list->incomplete = true;
        return r;
    }
    owner->count++;
    list->facts[list->count++] = *fact;
    return 0;
}

void fact_list_free(struct fact_list *list)
{
    free(list->facts);
    free(list->owners);
    *list = (struct fact_list){0};
}

/* Terminals first; what has none is known by its id. */
static int compare_keys(const struct session_fact *a, const struct session_fact *b)
{
    if (a->device.rdev != b->device.rdev)
        return a->device.rdev < b->device.rdev ? -1 : 1;
    return a->device.rdev == 0 ? strcmp(a->id, b->id) : 0;
}

static int by_key(const void *first, const void *second)
{
    const struct session_fact *a = first, *b = second;
    int order = compare_keys(a, b);
    return order != 0 ? order : (a->since_us < b->since_us) - (a->since_us > b->since_us);
}

/* One fact less: of somebody who was counted when it came. */
static void discount(struct fact_list *list, uid_t uid)
{
    struct fact_owner *owner;
    if (find_owner(list, uid, &owner) == 0 && owner->count > 0)
        owner->count--;
}

void fact_sort(struct fact_list *list)
{
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->facts, list->count, sizeof(*list->facts), by_key);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || compare_keys(&list->facts[i], &list->facts[kept - 1]) != 0)
            list->facts[kept++] = list->facts[i];
        else
            discount(list, list->facts[i].uid);
    list->count = kept;
}

struct session_fact *fact_find(const struct fact_list *list, const struct session_fact *like)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(&list->facts[middle], like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && compare_keys(&list->facts[low], like) == 0 ? &list->facts[low]
                                                                           : NULL;
}

bool fact_same_login(const struct session_fact *a, const struct session_fact *b)
{
    if (compare_keys(a, b) != 0 || a->uid != b->uid)
        return false;
    bool both_logind = a->id[0] != '\0' && b->id[0] != '\0';
    if (!both_logind && a->login.leader != 0 && b->login.leader != 0)
        return a->login.leader == b->login.leader && a->login.since_us == b->login.since_us;
    return strcmp(a->id, b->id) == 0 && a->leader == b->leader && a->since_us == b->since_us;
}

bool fact_is_disabled(const struct session_fact *fact)
{
    return (fact->reach == REACH_TERMINAL || fact->reach == REACH_TMUX) && !fact->device.messages;
}

/* How long nothing was typed: the terminal knows, else the desktop says so. */
static uint32_t idle_seconds(const struct session_fact *fact, int64_t now_s)
{
    bool desktop = fact->reach == REACH_DESKTOP || fact->device.rdev == 0;
    int64_t used_s = desktop ? fact->idle_since_s : fact->device.used_s;
    if ((desktop && used_s == 0) || used_s >= now_s)
        return 0;
    return now_s - used_s > UINT32_MAX ? UINT32_MAX : (uint32_t)(now_s - used_s);
}

static uint32_t record_flags(const struct session_fact *fact)
{
    bool console = strcmp(fact->seat, "seat0") == 0 && strcmp(fact->state, "active") == 0;
    return (console ? SESSION_CONSOLE : 0) | (fact->locked ? SESSION_LOCKED : 0) |
           (fact_is_disabled(fact) ? SESSION_DISABLED : 0) | (fact->aside ? SESSION_ASIDE : 0);
}

/* The printed name: display, else terminal, else seat, else id. */
static const char *name_of(const struct session_fact *fact, const char *id)
{
    const char *names[] = {fact->display, fact->device.line, fact->seat};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i][0] != '\0')
            return names[i];
    return id;
}

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

void fact_record(const struct session_fact *fact, int64_t now_s,
                 struct boundary_session *ret_record)
{
    struct boundary_session record = {
        .uid = fact->uid,
        .gid = fact->gid,
        .reach = fact->reach,
        .flags = record_flags(fact),
        .idle_s = idle_seconds(fact, now_s),
    };
    COPY(record.user, fact->user);
    COPY(record.id, fact->id);
    if (fact->id[0] == '\0')
        snprintf(record.id, sizeof(record.id), "p%d", (int)fact->leader);
    COPY(record.name, name_of(fact, record.id));
    COPY(record.terminal, fact->device.line);
    COPY(record.display, fact->display);
    COPY(record.seat, fact->seat);
    COPY(record.place, fact->place);
    COPY(record.from, fact->from);
    COPY(record.type, fact->type[0] != '\0' ? fact->type : "tty");
    COPY(record.state, fact->state[0] != '\0' ? fact->state : "active");
    if (fact_is_disabled(fact))
        COPY(record.why, "messages-disabled");
    else if (fact->why)
        COPY(record.why, fact->why);
    *ret_record = record;
}

static bool idle_differs(uint32_t told, uint32_t now)
{
    uint32_t off = now > told ? now - told : told - now;
    return off >= FACT_IDLE_S && off > told / 8;
}

bool fact_record_differs(const struct boundary_session *told, const struct boundary_session *now)
{
    struct boundary_session copy = *told;
    copy.idle_s = now->idle_s;
    copy.handle = now->handle;
    copy.change = now->change;
    return idle_differs(told->idle_s, now->idle_s) || memcmp(&copy, now, sizeof(copy)) != 0;
}
