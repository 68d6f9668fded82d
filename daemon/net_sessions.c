/* SPDX-License-Identifier: MIT */
#include "daemon/net_sessions.h"

#include <errno.h>
#include <stdlib.h>

static struct boundary_session *find(const struct net_sessions *sessions, uint64_t handle)
{
    for (size_t i = 0; i < sessions->n; i++) {
        if (sessions->items[i].handle == handle)
            return &sessions->items[i];
    }
    return NULL;
}

const struct boundary_session *sessions_find(const struct net_sessions *sessions, uint64_t handle)
{
    return find(sessions, handle);
}

const struct boundary_session *sessions_same(const struct net_sessions *sessions, uint32_t uid,
                                             const char *id, const char *name)
{
    for (size_t i = 0; i < sessions->n; i++) {
        const struct boundary_session *s = &sessions->items[i];
        if (s->uid == uid && strcmp(s->id, id) == 0 && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

static void forget(struct net_sessions *sessions, struct boundary_session *session)
{
    size_t behind = sessions->n - (size_t)(session - sessions->items) - 1;

    memmove(session, session + 1, behind * sizeof(*session));
    sessions->n--;
}

static int make_room(struct net_sessions *sessions)
{
    if (sessions->n == LIM_SESSIONS)
        return -E2BIG;
    if (sessions->n < sessions->capacity)
        return 0;
    size_t capacity = sessions->capacity ? 2 * sessions->capacity : 16;
    struct boundary_session *items = reallocarray(sessions->items, capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    sessions->items = items;
    sessions->capacity = capacity;
    return 0;
}

int sessions_update(struct net_sessions *sessions, const struct boundary_session *record)
{
    struct boundary_session *known = find(sessions, record->handle);

    if (record->change == SESSION_GONE) {
        if (known)
            forget(sessions, known);
        return 0;
    }
    if (!known) {
        int r = make_room(sessions);
        if (r < 0)
            return r;
        known = &sessions->items[sessions->n++];
    }
    *known = *record;
    return 0;
}

void sessions_clear(struct net_sessions *sessions)
{
    free(sessions->items);
    *sessions = (struct net_sessions){0};
}

bool sessions_one_place(const struct boundary_session *a, const struct boundary_session *b)
{
    return a->uid == b->uid && a->place[0] != '\0' && strcmp(a->place, b->place) == 0;
}

bool sessions_is_persons(const struct boundary_session *session)
{
    static const char *const persons[] = {"", "no-screen", "messages-disabled"};

    for (size_t i = 0; i < sizeof(persons) / sizeof(persons[0]); i++) {
        if (strcmp(session->why, persons[i]) == 0)
            return true;
    }
    return session->reach != REACH_NOTHING;
}

bool sessions_better(const struct boundary_session *a, const struct boundary_session *b)
{
    bool aside = a->flags & SESSION_ASIDE, other_aside = b->flags & SESSION_ASIDE;

    return aside != other_aside ? other_aside : a->reach > b->reach;
}

const char *sessions_reach_name(uint32_t reach)
{
    static const char *const names[] = {
        [REACH_NOTHING] = "nothing",
        [REACH_TERMINAL] = "terminal",
        [REACH_TMUX] = "tmux",
        [REACH_DESKTOP] = "desktop",
    };

    return reach < sizeof(names) / sizeof(names[0]) ? names[reach] : names[REACH_NOTHING];
}
