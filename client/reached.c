/* SPDX-License-Identifier: MIT */
#include "client/reached.h"

#include <strings.h>

struct slice reached_name(const struct msg_selector *selector)
{
    switch (msg_selector_kind(selector)) {
    case SEL_USER:
        return selector->user;
    case SEL_SESSION:
        return selector->session;
    case SEL_ID:
        return selector->id;
    case SEL_NAME:
        return selector->name;
    case SEL_NONE:
    case SEL_ALL:
    case SEL_ME:
        break;
    }
    return SLICE("*");
}

/* ---- which deliveries ------------------------------------------------------------------------ */

enum part { PART_USER, PART_SESSION, PART_ID };

static const char *part_of(const struct outcome_place *place, enum part part)
{
    return part == PART_USER ? place->user : part == PART_SESSION ? place->session : place->id;
}

static bool is_named(const char *part, struct slice name, bool exact)
{
    if (strlen(part) != name.len)
        return false;
    return exact ? memcmp(part, name.ptr, name.len) == 0
                 : strncasecmp(part, name.ptr, name.len) == 0;
}

/* Marks the deliveries of that name, in its case or, if there is none, in any; how many. */
static size_t mark_part(const struct outcome *outcome, enum part part, struct slice name,
                        bool marks[static LIM_DELIVERIES])
{
    size_t n = 0;

    for (int exact = 1; exact >= 0 && n == 0; exact--) {
        for (size_t i = 0; i < outcome->n_places; i++) {
            const struct outcome_place *place = &outcome->places[i];
            marks[i] = place->known && is_named(part_of(place, part), name, exact);
            n += marks[i];
        }
    }
    return n;
}

bool reached_is_number(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9')
            return false;
    }
    return true;
}

/* {name}, as the host resolves it: user, session, id; all digits: the id first. */
static enum reached_kind mark_name(const struct outcome *outcome, struct slice name,
                                   bool marks[static LIM_DELIVERIES])
{
    if (reached_is_number(name) && mark_part(outcome, PART_ID, name, marks) > 0)
        return REACHED_SESSION;
    if (mark_part(outcome, PART_USER, name, marks) > 0)
        return REACHED_USER;
    if (mark_part(outcome, PART_SESSION, name, marks) == 0)
        mark_part(outcome, PART_ID, name, marks);
    return REACHED_SESSION;
}

static enum reached_kind mark_selector(const struct outcome *outcome,
                                       const struct msg_selector *selector,
                                       bool marks[static LIM_DELIVERIES])
{
    switch (msg_selector_kind(selector)) {
    case SEL_USER:
        mark_part(outcome, PART_USER, selector->user, marks);
        return REACHED_USER;
    case SEL_SESSION:
        mark_part(outcome, PART_SESSION, selector->session, marks);
        return REACHED_SESSION;
    case SEL_ID:
        mark_part(outcome, PART_ID, selector->id, marks);
        return REACHED_SESSION;
    case SEL_NAME:
        return mark_name(outcome, selector->name, marks);
    case SEL_NONE:
    case SEL_ALL:
    case SEL_ME:
        break;
    }
    for (size_t i = 0; i < outcome->n_places; i++)
        marks[i] = outcome->places[i].known;
    return REACHED_EVERYBODY;
}

/* ---- what they make of it -------------------------------------------------------------------- */

static int place_status(const struct outcome_place *place)
{
    return place->final ? place->status : EXIT_UNKNOWN;
}

/* One person, or one session: the best of his places, with each the worst. */
static int person_status(const struct outcome *outcome, const bool marks[static LIM_DELIVERIES],
                         const char *user)
{
    int best = EXIT_UNKNOWN, worst = EXIT_DONE;

    for (size_t i = 0; i < outcome->n_places; i++) {
        const struct outcome_place *place = &outcome->places[i];
        int status;
        if (!marks[i] || (user && strcmp(user, place->user) != 0))
            continue;
        status = place_status(place);
        worst = exit_worse(worst, status);
        best = exit_worse(best, status) == best ? status : best;
    }
    return outcome->config.each ? worst : best;
}

static bool was_shown(const struct outcome *outcome, const bool marks[static LIM_DELIVERIES],
                      const char *user)
{
    for (size_t i = 0; i < outcome->n_places; i++) {
        const struct outcome_place *place = &outcome->places[i];
        if (marks[i] && place->displayed && strcmp(user, place->user) == 0)
            return true;
    }
    return false;
}

/* Everybody: those who saw it count; nobody: failed. */
static int everybody_status(const struct outcome *outcome, const bool marks[static LIM_DELIVERIES])
{
    int status = EXIT_DONE;
    bool anybody = false;

    for (size_t i = 0; i < outcome->n_places; i++) {
        const char *user = outcome->places[i].user;
        if (!marks[i] || !was_shown(outcome, marks, user))
            continue;
        anybody = true;
        if (outcome->config.wait || outcome->config.each)
            status = exit_worse(status, person_status(outcome, marks, user));
    }
    return anybody ? status : EXIT_FAILED;
}

static bool judge(struct reached_walk *walk, enum reached_kind kind,
                  const bool marks[static LIM_DELIVERIES], struct reached *ret_reached)
{
    struct reached reached = {.kind = kind, .all_disabled = true};

    for (size_t i = walk->outcome->n_places; i-- > 0;) {
        if (!marks[i])
            continue;
        walk->named[i] = true;
        reached.first = &walk->outcome->places[i];
        reached.all_disabled &= reached.first->disabled;
    }
    if (!reached.first)
        return false;
    reached.status = kind == REACHED_EVERYBODY ? everybody_status(walk->outcome, marks)
                                               : person_status(walk->outcome, marks, NULL);
    *ret_reached = reached;
    return true;
}

bool reached_next(struct reached_walk *walk, struct reached *ret_reached)
{
    const struct msg_selector_list *to = &walk->outcome->config.to;

    while (walk->target < to->n) {
        bool marks[LIM_DELIVERIES] = {false};
        enum reached_kind kind = mark_selector(walk->outcome, &to->items[walk->target++], marks);
        if (judge(walk, kind, marks, ret_reached))
            return true;
    }
    while (walk->rest < walk->outcome->n_places) {
        bool marks[LIM_DELIVERIES] = {false};
        size_t i = walk->rest++;
        marks[i] = walk->outcome->places[i].known && !walk->named[i];
        if (judge(walk, REACHED_SESSION, marks, ret_reached))
            return true;
    }
    return false;
}
