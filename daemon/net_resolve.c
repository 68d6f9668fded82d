/* SPDX-License-Identifier: MIT */
#include "daemon/net_resolve.h"

#include "daemon/net_names.h"

#include <errno.h>
#include <stdlib.h>

/* What is known of one session while a query is worked on. */
struct mark {
    bool hit;    /* by the selector at hand */
    bool away;   /* taken away by `not` */
    bool chosen; /* delivered to, as itself or as its place */
};

struct work {
    const struct resolve_query *query;
    const struct boundary_session *sessions;
    size_t n;
    struct mark *marks;
    struct names names;
    struct wanted wanted; /* by the selector at hand */
    bool everybody;       /* an `all` was worked on: another one adds nothing */
    bool exactly;         /* the selector at hand names one session: its place may be better reached
                             elsewhere */
    size_t most_misses;
    struct resolved *out;
};

/* ---- which sessions a name means ------------------------------------------------------------- */

static bool fits(const struct work *w, size_t i, enum name_field field)
{
    return names_fit(&w->names, &w->wanted, i, field);
}

static bool mark_user(struct work *w)
{
    bool found = false;

    for (size_t i = 0; i < w->n; i++) {
        if (fits(w, i, NAME_USER) && rights_session(w->query->rights, &w->sessions[i]))
            found = w->marks[i].hit = true;
    }
    w->exactly = false;
    return found;
}

static bool named(const struct work *w, size_t i)
{
    return fits(w, i, NAME_SESSION) || fits(w, i, NAME_DISPLAY) || fits(w, i, NAME_TERMINAL) ||
           fits(w, i, NAME_SEAT) || fits(w, i, NAME_CONSOLE);
}

static bool has_id(const struct work *w, size_t i)
{
    return fits(w, i, NAME_ID);
}

/* Of several with one name: that can be reached, and is no part of another's screen. */
static unsigned worth(const struct boundary_session *s)
{
    return s->reach == REACH_NOTHING ? 0 : s->flags & SESSION_ASIDE ? 1 : 2;
}

/* A session's name means one session: the first of those worth most. */
static bool mark_one(struct work *w, bool (*is)(const struct work *, size_t))
{
    const struct boundary_session *found = NULL;

    for (size_t i = 0; i < w->n; i++) {
        const struct boundary_session *s = &w->sessions[i];
        if (is(w, i) && rights_session(w->query->rights, s) && (!found || worth(s) > worth(found)))
            found = s;
    }
    if (found)
        w->marks[found - w->sessions].hit = w->exactly = true;
    return found;
}

static bool all_digits(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9')
            return false;
    }
    return name.len > 0;
}

static bool mark_any_kind(struct work *w)
{
    if (all_digits(w->wanted.name) && mark_one(w, has_id))
        return true;
    return mark_user(w) || mark_one(w, named) || mark_one(w, has_id);
}

static void mark_everybody(struct work *w)
{
    for (size_t i = 0; i < w->n; i++)
        w->marks[i].hit = rights_session(w->query->rights, &w->sessions[i]);
}

static void mark_own(struct work *w)
{
    for (size_t i = 0; i < w->n; i++)
        w->marks[i].hit = rights_own(w->query->rights, &w->sessions[i]);
}

static struct slice name_in(const struct msg_selector *selector, enum selector_kind kind)
{
    return kind == SEL_USER      ? selector->user
           : kind == SEL_SESSION ? selector->session
           : kind == SEL_ID      ? selector->id
                                 : selector->name;
}

static bool mark_named(struct work *w, enum selector_kind kind)
{
    if (kind == SEL_USER)
        return mark_user(w);
    if (kind == SEL_NAME)
        return mark_any_kind(w);
    return mark_one(w, kind == SEL_SESSION ? named : has_id);
}

static void mark(struct work *w, const struct msg_selector *selector)
{
    enum selector_kind kind = msg_selector_kind(selector);

    for (size_t i = 0; i < w->n; i++)
        w->marks[i].hit = false;
    w->exactly = false;
    if (kind == SEL_ALL) {
        mark_everybody(w);
    } else if (kind == SEL_ME) {
        mark_own(w);
    } else {
        w->wanted = names_want(name_in(selector, kind));
        w->wanted.exactly = true;
        if (mark_named(w, kind))
            return;
        w->wanted.exactly = false;
        mark_named(w, kind);
    }
}

/* ---- what becomes of them -------------------------------------------------------------------- */

static int choose(struct work *w, size_t i)
{
    struct resolved *out = w->out;

    if (out->n == LIM_DELIVERIES && !w->query->list)
        return -E2BIG;
    w->marks[i].chosen = true;
    out->sessions[out->n++] = (uint32_t)i;
    for (size_t k = 0; !w->query->list && k < w->n; k++) {
        if (sessions_one_place(&w->sessions[i], &w->sessions[k]))
            w->marks[k].chosen = true;
    }
    return 0;
}

static size_t best_of_place(const struct work *w, size_t i)
{
    size_t best = i;

    for (size_t k = 0; k < w->n; k++) {
        if (w->marks[k].hit && !w->marks[k].away &&
            sessions_better(&w->sessions[k], &w->sessions[best]) &&
            sessions_one_place(&w->sessions[i], &w->sessions[k]))
            best = k;
    }
    return best;
}

static void miss(struct work *w, size_t to, const char *code, const char *user, bool failure)
{
    struct resolved *out = w->out;

    out->failures += failure;
    if (out->n_misses == w->most_misses)
        return;
    out->misses[out->n_misses++] =
        (struct msg_miss){.to = to, .code = slice_of(code), .user = slice_of(user)};
}

/* Somebody is there, but cannot be shown anything. */
static void miss_unreachable(struct work *w, size_t to)
{
    const struct boundary_session *there = NULL;
    bool left_out = false;

    for (size_t i = 0; i < w->n; i++) {
        left_out |= w->marks[i].hit && w->marks[i].away;
        if (!w->marks[i].hit || w->marks[i].away || !sessions_is_persons(&w->sessions[i]))
            continue;
        if (!there || strcmp(w->sessions[i].why, MISS_DISABLED) == 0)
            there = &w->sessions[i];
    }
    if (there && strcmp(there->why, MISS_DISABLED) == 0)
        miss(w, to, MISS_DISABLED, there->user, true);
    else if (there && !left_out)
        miss(w, to, MISS_NO_SCREEN, there->user, true);
    else
        miss(w, to, left_out ? MISS_LEFT_OUT : MISS_NO_TARGET, NULL, !left_out);
}

/* In `all` the people who wish no messages are counted, and are no failure. */
static void tell_disabled(struct work *w, size_t to)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct boundary_session *s = &w->sessions[i];
        bool again = false;
        if (!w->marks[i].hit || w->marks[i].away || strcmp(s->why, MISS_DISABLED) != 0 ||
            s->reach != REACH_NOTHING)
            continue;
        for (size_t k = 0; k < w->n; k++) /* reached elsewhere, or counted already */
            again |=
                w->sessions[k].uid == s->uid &&
                (w->marks[k].chosen || (k < i && strcmp(w->sessions[k].why, MISS_DISABLED) == 0));
        if (!again)
            miss(w, to, MISS_DISABLED, s->user, false);
    }
}

static int take(struct work *w, size_t to, bool *ret_any)
{
    bool any = false;

    for (size_t i = 0; i < w->n; i++) {
        bool reachable = w->query->list || w->sessions[i].reach != REACH_NOTHING;
        if (!w->marks[i].hit || w->marks[i].away)
            continue;
        if (w->out->meant[i] == 0)
            w->out->meant[i] = (uint32_t)to + 1;
        if (!reachable)
            continue;
        any = true;
        if (w->marks[i].chosen)
            continue;
        int r = choose(w, w->query->list || w->exactly ? i : best_of_place(w, i));
        if (r < 0)
            return r;
    }
    if (msg_selector_kind(&w->query->to.items[to]) == SEL_ALL && !w->query->list && !w->everybody) {
        w->everybody = true;
        tell_disabled(w, to);
    }
    *ret_any = any;
    return 0;
}

/* May it be named at all? Decided before anything is looked up. */
static bool may_name(const struct rights *rights, const struct msg_selector *selector)
{
    switch (msg_selector_kind(selector)) {
    case SEL_ALL:
        return rights->all;
    case SEL_USER:
        return rights_user(rights, selector->user);
    case SEL_NAME:
        return rights_user(rights, selector->name);
    case SEL_SESSION:
    case SEL_ID:
        return rights->any;
    case SEL_NONE:
    case SEL_ME:
        break;
    }
    return false;
}

static int resolve_one(struct work *w, size_t to)
{
    const struct msg_selector *selector = &w->query->to.items[to];
    enum selector_kind kind = msg_selector_kind(selector);
    bool may = may_name(w->query->rights, selector), any;

    if (kind == SEL_ALL && !may && !w->query->list) {
        miss(w, to, MISS_FORBIDDEN, NULL, true);
        return 0;
    }
    mark(w, selector);
    int r = take(w, to, &any);
    if (r < 0 || any)
        return r;
    for (size_t i = 0; i < w->n && !may; i++)
        may = w->marks[i].hit; /* his own, or within to=: he may know what became of it */
    if (may)
        miss_unreachable(w, to);
    else
        miss(w, to, MISS_FORBIDDEN, NULL, true);
    return 0;
}

/* One for an entry; for `all` one for a person. */
static size_t most_misses(const struct resolve_query *query)
{
    size_t n = query->to.n + query->sessions->n;

    return n < LIM_SELECTORS ? n : LIM_SELECTORS;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void take_away_place(struct work *w, size_t k)
{
    w->marks[k].away = true;
    for (size_t i = 0; i < w->n; i++) {
        if (sessions_one_place(&w->sessions[k], &w->sessions[i]))
            w->marks[i].away = true;
    }
}

static void take_away(struct work *w)
{
    for (size_t i = 0; i < w->query->except.n; i++) {
        mark(w, &w->query->except.items[i]);
        for (size_t k = 0; k < w->n; k++) {
            if (w->marks[k].hit && !w->marks[k].away)
                take_away_place(w, k);
        }
    }
}

static int check_selectors(const struct resolve_query *query, size_t *ret_bad)
{
    for (size_t i = 0; i < query->to.n; i++) {
        enum selector_kind kind = msg_selector_kind(&query->to.items[i]);
        if (kind == SEL_NONE || kind == SEL_ME) {
            *ret_bad = i;
            return -EINVAL;
        }
    }
    for (size_t i = 0; i < query->except.n; i++) {
        if (msg_selector_kind(&query->except.items[i]) == SEL_NONE) {
            *ret_bad = LIM_SELECTORS + i;
            return -EINVAL;
        }
    }
    return 0;
}

int resolve(const struct resolve_query *query, struct resolved *ret_resolved, size_t *ret_bad)
{
    struct resolved out = {0};
    struct work w = {
        .query = query, .sessions = query->sessions->items, .n = query->sessions->n, .out = &out};
    int r = check_selectors(query, ret_bad);

    if (r < 0)
        return r;
    w.marks = calloc(w.n + 1, sizeof(*w.marks));
    out.sessions = calloc(w.n + 1, sizeof(*out.sessions));
    out.meant = calloc(w.n + 1, sizeof(*out.meant));
    w.most_misses = most_misses(query);
    out.misses = calloc(w.most_misses + 1, sizeof(*out.misses));
    if (!w.marks || !out.sessions || !out.meant || !out.misses ||
        names_make(query->sessions, &w.names) < 0)
        r = -ENOMEM;
    else
        take_away(&w);
    for (size_t to = 0; r == 0 && to < query->to.n; to++)
        r = resolve_one(&w, to);
    free(w.marks);
    names_release(&w.names);
    if (r < 0)
        resolved_release(&out);
    else
        *ret_resolved = out;
    return r;
}

void resolved_release(struct resolved *resolved)
{
    free(resolved->sessions);
    free(resolved->meant);
    free(resolved->misses);
    *resolved = (struct resolved){0};
}

const char *resolved_error(const struct resolved *resolved)
{
    for (size_t i = 0; i < resolved->n_misses; i++) {
        if (!slice_eq(resolved->misses[i].code, SLICE(MISS_FORBIDDEN)))
            return MISS_NO_TARGET;
    }
    return resolved->n_misses > 0 ? MISS_FORBIDDEN : MISS_NO_TARGET;
}
