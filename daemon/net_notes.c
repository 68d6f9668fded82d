/* SPDX-License-Identifier: MIT */
#include "daemon/net_notes.h"

#include <errno.h>
#include <stdlib.h>

/* The delivery that reaches this session's person: on its own screen, else any. */
static const struct boundary_session *reached_at(const struct net_sessions *sessions,
                                                 const struct resolved *resolved,
                                                 const struct boundary_session *session)
{
    const struct boundary_session *any = NULL;

    for (size_t i = 0; i < resolved->n; i++) {
        const struct boundary_session *to = &sessions->items[resolved->sessions[i]];
        if (to == session || sessions_one_place(to, session))
            return to;
        if (to->uid == session->uid && !any)
            any = to;
    }
    return any;
}

/* False: there is nothing to say of it. */
static bool note(const struct net_sessions *sessions, const struct resolved *resolved, size_t i,
                 struct msg_miss *ret_note)
{
    const struct boundary_session *session = &sessions->items[i];
    const struct boundary_session *at = reached_at(sessions, resolved, session);
    bool reachable = session->reach != REACH_NOTHING;

    if (!at || at == session || !sessions_is_persons(session))
        return false;
    const char *code = reachable                                  ? MISS_ELSEWHERE
                       : strcmp(session->why, MISS_DISABLED) == 0 ? MISS_DISABLED
                                                                  : MISS_NO_SCREEN;
    *ret_note = (struct msg_miss){.to = resolved->meant[i] - 1,
                                  .code = slice_of(code),
                                  .user = slice_of(session->user),
                                  .sess = slice_of(session->name)};
    if (reachable)
        ret_note->by = slice_of(at->name);
    return true;
}

int notes_add(const struct net_sessions *sessions, struct resolved *resolved)
{
    size_t most = resolved->n_misses + sessions->n;
    most = most < LIM_SELECTORS ? most : LIM_SELECTORS;
    struct msg_miss *misses = reallocarray(resolved->misses, most + 1, sizeof(*misses));

    if (!misses)
        return -ENOMEM;
    resolved->misses = misses;
    for (size_t i = 0; i < sessions->n && resolved->n_misses < most; i++) {
        if (resolved->meant[i] > 0)
            resolved->n_misses += note(sessions, resolved, i, &misses[resolved->n_misses]);
    }
    return 0;
}
