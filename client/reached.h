/* SPDX-License-Identifier: MIT */
/*
 * Which deliveries belong to which target, and what they make of it. The server tells whose session
 * each delivery is, not which target brought it; a delivery that no target names (a session by
 * another of its names) is a target of its own. Pure.
 */
#ifndef MSG_CLIENT_REACHED_H
#define MSG_CLIENT_REACHED_H

#include "client/outcome.h"

enum reached_kind { REACHED_USER, REACHED_SESSION, REACHED_EVERYBODY };

struct reached {
    enum reached_kind kind;
    const struct outcome_place *first; /* of its deliveries; there is at least one */
    bool all_disabled;                 /* none of them shown, by their people's wish */
    int status;
};

struct reached_walk {
    const struct outcome *outcome;
    size_t target, rest; /* the next target, then the next delivery of its own */
    bool named[LIM_DELIVERIES];
};

/* The next target that has deliveries; false at the end. Begin with a walk of zeros but outcome. */
bool reached_next(struct reached_walk *walk, struct reached *ret_reached);

/* A name of digits only: a host takes it for an id first. */
bool reached_is_number(struct slice name);

/* What a selector names; `*` for everybody. */
struct slice reached_name(const struct msg_selector *selector);

#endif
