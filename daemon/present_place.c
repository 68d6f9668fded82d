/* SPDX-License-Identifier: MIT */
#include "daemon/present_place.h"

#include "common/mem.h"

#include <stdio.h>

#define DESKTOP "desktop" /* the place's name: no terminal's */

/* ---- how one session is reached -------------------------------------------------------------- */

struct word {
    const char *value, *why;
};

/* What is nobody's session to look at, and the word that says so. */
static const struct word classes[] = {
    {"greeter", "greeter"},       {"lock-screen", "lock-screen"},
    {"background", "background"}, {"background-light", "background"},
    {"manager", "manager"},       {"manager-early", "manager"},
};
static const char *find_word(const struct word *words, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].value, value) == 0)
            return words[i].why;
    return NULL;
}

static const char *why_not(const struct session_fact *fact)
{
    const char *why = find_word(classes, ARRAY_SIZE(classes), fact->class);
    if (why || strcmp(fact->state, "closing") == 0)
        return why ? why : "closing";
    /* A terminal is there as soon as it is seen; a desktop may have no bus yet. */
    return strcmp(fact->state, "opening") == 0 && place_is_graphical(fact) ? "opening" : NULL;
}

bool place_is_of_nobody(const struct session_fact *fact)
{
    return find_word(classes, ARRAY_SIZE(classes), fact->class) != NULL;
}

bool place_is_graphical(const struct session_fact *fact)
{
    return strcmp(fact->type, "x11") == 0 || strcmp(fact->type, "wayland") == 0 ||
           strcmp(fact->type, "mir") == 0;
}

static void choose_reach(struct session_fact *fact)
{
    bool seen = fact->device.rdev != 0 && fact->inside != INSIDE_DETACHED;
    fact->aside = false;
    memset(fact->place, 0, sizeof(fact->place));
    fact->why = why_not(fact);
    fact->reach = fact->why                  ? REACH_NOTHING
                  : place_is_graphical(fact) ? REACH_DESKTOP
                  : !seen                    ? REACH_NOTHING
                  : fact->tmux               ? REACH_TMUX
                                             : REACH_TERMINAL;
    if (fact->reach == REACH_NOTHING && !fact->why)
        fact->why = "no-screen";
}

/* ---- who shares a screen --------------------------------------------------------------------- */

static bool is_active(const struct session_fact *fact)
{
    return fact->state[0] == '\0' || strcmp(fact->state, "active") == 0;
}

/* Before the other, as the place of a screen that they share. */
static int compare_worth(const struct session_fact *a, const struct session_fact *b)
{
    if ((a->reach == REACH_NOTHING) != (b->reach == REACH_NOTHING))
        return a->reach == REACH_NOTHING ? 1 : -1;
    if (is_active(a) != is_active(b))
        return is_active(a) ? -1 : 1;
    if (a->reach != b->reach)
        return a->reach > b->reach ? -1 : 1;
    return (a->since_us < b->since_us) - (a->since_us > b->since_us);
}

/* By user, then by seat: what has none comes first. */
static int by_seat(const void *first, const void *second)
{
    const struct session_fact *a = *(struct session_fact *const *)first;
    const struct session_fact *b = *(struct session_fact *const *)second;
    if (a->uid != b->uid)
        return a->uid < b->uid ? -1 : 1;
    int order = strcmp(a->seat, b->seat);
    return order != 0 ? order : compare_worth(a, b);
}

/* The desktop that counts, of one user's facts. */
static struct session_fact *find_desktop(struct session_fact **facts, size_t count)
{
    struct session_fact *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (facts[i]->reach == REACH_DESKTOP && (!best || compare_worth(facts[i], best) < 0))
            best = facts[i];
    return best;
}

/* The fact whose screen this one is drawn on: itself, if on nobody else's. */
static struct session_fact *drawn_on(const struct fact_list *all, struct session_fact *fact,
                                     struct session_fact *desktop)
{
    const struct session_fact host = {.device = {.rdev = fact->host}};
    if (desktop && (fact->reach == REACH_DESKTOP || fact->inside == INSIDE_DESKTOP))
        return desktop;
    struct session_fact *found = fact->inside == INSIDE_TERMINAL ? fact_find(all, &host) : NULL;
    bool fits = found && found->uid == fact->uid && found->reach != REACH_NOTHING &&
                (found->inside == INSIDE_NOTHING || found->inside == INSIDE_DESKTOP);
    return fits ? found : fact;
}

/* The session that counts at this one's seat; facts are one user's, by seat and worth. */
static struct session_fact *at_seat(struct session_fact **facts, size_t count,
                                    struct session_fact *fact)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(facts[middle]->seat, fact->seat) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return fact->seat[0] != '\0' ? facts[low] : fact; /* it is one of them */
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void name_place(struct session_fact *fact, const struct session_fact *screen)
{
    snprintf(fact->place, sizeof(fact->place), "%s",
             screen->reach == REACH_DESKTOP ? DESKTOP : screen->device.line);
    fact->aside = fact != screen;
}

/* A pane in a window of a desktop behind another session of its seat is the longest way. */
#define STEPS 4

static void choose_for_user(const struct fact_list *all, struct session_fact **facts, size_t count)
{
    struct session_fact *desktop = find_desktop(facts, count);
    for (size_t i = 0; i < count; i++) {
        struct session_fact *screen = facts[i];
        if (screen->reach == REACH_NOTHING)
            continue;
        for (int step = 0; step < STEPS; step++)
            screen = at_seat(facts, count, drawn_on(all, screen, desktop));
        name_place(facts[i], screen);
    }
}

void place_choose(struct fact_list *facts)
{
    CLEANUP_FREE struct session_fact **order =
        calloc(facts->count + 1, sizeof(struct session_fact *));
    for (size_t i = 0; i < facts->count; i++) {
        choose_reach(&facts->facts[i]);
        if (facts->facts[i].reach != REACH_NOTHING)
            name_place(&facts->facts[i], &facts->facts[i]);
        if (order)
            order[i] = &facts->facts[i];
    }
    if (!order || facts->count == 0)
        return;
    qsort(order, facts->count, sizeof(*order), by_seat);
    for (size_t first = 0, end = 0; first < facts->count; first = end) {
        while (end < facts->count && order[end]->uid == order[first]->uid)
            end++;
        choose_for_user(facts, order + first, end - first);
    }
}
