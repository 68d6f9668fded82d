/* SPDX-License-Identifier: MIT */
#include "protocol/delivery.h"

#include <errno.h>
#include <stdlib.h>

#define EVENTS_OF_ONE 3 /* accepted, displayed, and one final event at most */

static const char *const state_names[] = {
#define X(NAME, wire, final) [DELIVERY_##NAME] = (wire),
    DELIVERY_STATES(X)
#undef X
};

static const bool always_final[] = {
#define X(NAME, wire, final) [DELIVERY_##NAME] = (final),
    DELIVERY_STATES(X)
#undef X
};

static const char *const why_names[] = {[WHY_NONE] = "",
#define X(NAME, wire) [WHY_##NAME] = (wire),
                                        DELIVERY_WHYS(X)
#undef X
};

const char *delivery_state_name(enum delivery_state state)
{
    return state_names[state];
}

const char *delivery_why_name(enum delivery_why why)
{
    return why_names[why];
}

enum delivery_why delivery_why_named(struct slice name)
{
    for (int why = WHY_NONE + 1; why < WHY_COUNT; why++) {
        if (slice_eq(name, slice_of(why_names[why])))
            return (enum delivery_why)why;
    }
    return WHY_NONE;
}

int request_init(struct request *ret_request, const struct request_terms *terms,
                 const uint32_t *users, uint32_t n)
{
    struct request r = {.terms = *terms, .n = n, .open = n, .deadline = NEVER, .lost_at = NEVER};

    if (n == 0 || n > LIM_DELIVERIES || terms->time_ms <= 0 || terms->lost_ms < 0)
        return -EINVAL;
    r.deliveries = calloc(n, sizeof(*r.deliveries));
    r.log = calloc((size_t)n * EVENTS_OF_ONE, sizeof(*r.log));
    r.actions = calloc(n, sizeof(*r.actions));
    if (!r.deliveries || !r.log || !r.actions) {
        request_release(&r);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        r.deliveries[i].user = users[i];
    *ret_request = r;
    return 0;
}

void request_release(struct request *request)
{
    free(request->deliveries);
    free(request->log);
    free(request->actions);
    *request = (struct request){0};
}

static struct delivery *delivery_at(struct request *r, uint32_t d)
{
    return &r->deliveries[d - 1];
}

static void act(struct request *r, enum request_action_kind kind, uint32_t d, enum delivery_why why)
{
    r->actions[r->n_actions++] = (struct request_action){.kind = kind, .d = d, .why = why};
}

/* Whatever may still stand on a screen is taken down, once. */
static void take_down(struct request *r, uint32_t d, enum delivery_why why)
{
    struct delivery *delivery = delivery_at(r, d);

    if (!delivery->up)
        return;
    delivery->up = false;
    act(r, REQUEST_WITHDRAW, d, why);
}

/* Enters a state: the only writer of delivery->state and of the log. */
static void enter(struct request *r, const struct delivery_event *event, struct moment now)
{
    struct delivery *delivery = delivery_at(r, event->d);
    struct delivery_event *line = &r->log[r->q++];

    *line = *event;
    line->at = now.wall;
    line->fin = always_final[event->st] || (event->st == DELIVERY_DISPLAYED && !r->terms.wait);
    delivery->state = event->st;
    delivery->why = event->why;
    delivery->final = line->fin;
    if (line->fin)
        r->open--;
}

/* Ends delivery d if it has not ended: the first of racing events wins here. */
static void end(struct request *r, uint32_t d, enum delivery_state state, enum delivery_why why,
                struct moment now)
{
    if (delivery_at(r, d)->final)
        return;
    enter(r, &(struct delivery_event){.d = d, .st = state, .why = why}, now);
}

static void end_and_take_down(struct request *r, uint32_t d, enum delivery_state state,
                              enum delivery_why why, struct moment now)
{
    end(r, d, state, why, now);
    take_down(r, d, why);
}

/* The person has answered delivery d: one answer counts for all of his screens, unless `each`. */
static void acknowledge(struct request *r, uint32_t d, uint8_t answer, struct moment now)
{
    enter(r, &(struct delivery_event){.d = d, .st = DELIVERY_ACKNOWLEDGED, .answer = answer}, now);
    take_down(r, d, WHY_NONE);
    if (r->terms.each)
        return;
    for (uint32_t e = 1; e <= r->n; e++) {
        struct delivery *other = delivery_at(r, e);
        if (other->final || other->user != delivery_at(r, d)->user)
            continue;
        enter(r,
              &(struct delivery_event){
                  .d = e, .st = DELIVERY_WITHDRAWN, .by = d, .why = WHY_ANSWERED_ELSEWHERE},
              now);
        take_down(r, e, WHY_ANSWERED_ELSEWHERE);
    }
}

static void on_start(struct request *r, struct moment now)
{
    if (r->started)
        return;
    int64_t limit = r->terms.time_ms;
    if (!r->terms.wait && limit > LIM_NOT_SHOWN)
        limit = LIM_NOT_SHOWN;
    r->started = true;
    r->deadline = now.ms + limit;
    for (uint32_t d = 1; d <= r->n; d++) {
        enter(r, &(struct delivery_event){.d = d, .st = DELIVERY_ACCEPTED}, now);
        delivery_at(r, d)->up = true;
        act(r, REQUEST_PRESENT, d, WHY_NONE);
    }
}

static void on_shown(struct request *r, const struct request_event *event, struct moment now)
{
    struct delivery *delivery = delivery_at(r, event->d);

    if (delivery->state != DELIVERY_ACCEPTED)
        return;
    delivery->lasting = event->lasting;
    enter(r, &(struct delivery_event){.d = event->d, .st = DELIVERY_DISPLAYED, .why = event->why},
          now);
}

/* What a presenter may say; anything else is its fault and the delivery's failure. */
static bool may_end(const struct delivery *delivery, enum delivery_state state)
{
    bool answered = state == DELIVERY_ACKNOWLEDGED || state == DELIVERY_DISMISSED;

    return always_final[state] && state != DELIVERY_WITHDRAWN &&
           (!answered || delivery->state == DELIVERY_DISPLAYED);
}

static void on_ended(struct request *r, const struct request_event *event, struct moment now)
{
    struct delivery *delivery = delivery_at(r, event->d);

    delivery->up = false;
    if (delivery->final)
        return;
    if (!may_end(delivery, event->state))
        end(r, event->d, DELIVERY_FAILED, WHY_INTERNAL, now);
    else if (event->state == DELIVERY_ACKNOWLEDGED)
        acknowledge(r, event->d, event->answer, now);
    else
        end(r, event->d, event->state, event->why, now);
}

static void on_presenter_lost(struct request *r, uint32_t d, struct moment now)
{
    struct delivery *delivery = delivery_at(r, d);

    if (!delivery->up)
        return;
    delivery->up = false;
    delivery->orphan = delivery->state == DELIVERY_DISPLAYED && delivery->lasting;
    if (!delivery->orphan)
        end(r, d, DELIVERY_FAILED, WHY_PRESENTER_LOST, now);
}

static void on_every(struct request *r, enum request_event_kind kind, struct moment now)
{
    for (uint32_t d = 1; d <= r->n; d++) {
        switch ((int)kind) {
        case EVENT_CANCEL:
            end_and_take_down(r, d, DELIVERY_WITHDRAWN, WHY_BY_SENDER, now);
            break;
        case EVENT_REVOKED:
            end_and_take_down(r, d, DELIVERY_WITHDRAWN, WHY_REVOKED, now);
            break;
        case EVENT_PRESENTER_LOST:
            on_presenter_lost(r, d, now);
            break;
        case EVENT_STOP: /* what nobody waits for lives out its time */
            if (!delivery_at(r, d)->final)
                end_and_take_down(r, d, DELIVERY_WITHDRAWN, WHY_DAEMON_STOP, now);
            break;
        }
    }
}

/* What the clock has decided before anything that happens now. */
static void apply_clock(struct request *r, struct moment now)
{
    bool late = now.ms >= r->deadline, lost = now.ms >= r->lost_at;

    for (uint32_t d = 1; (late || lost) && d <= r->n; d++) {
        struct delivery *delivery = delivery_at(r, d);
        if (delivery->final)
            continue;
        if (lost && r->lost_at < r->deadline)
            end_and_take_down(r, d, DELIVERY_WITHDRAWN, WHY_SENDER_LOST, now);
        else if (delivery->state == DELIVERY_ACCEPTED)
            end_and_take_down(r, d, DELIVERY_TIMED_OUT, WHY_NOT_SHOWN, now);
        else
            end_and_take_down(r, d, DELIVERY_TIMED_OUT, WHY_NO_ANSWER, now);
    }
}

static void on_one(struct request *r, const struct request_event *event, struct moment now)
{
    if (event->d < 1 || event->d > r->n)
        return;
    if (event->kind == EVENT_SHOWN)
        on_shown(r, event, now);
    else if (event->kind == EVENT_ENDED)
        on_ended(r, event, now);
    else if (event->kind == EVENT_ACKNOWLEDGED && request_awaits(r, event->d))
        acknowledge(r, event->d, event->answer, now);
    else if (event->kind == EVENT_SESSION_GONE && delivery_at(r, event->d)->orphan)
        end(r, event->d, DELIVERY_SESSION_GONE, event->why, now);
}

static void dispatch(struct request *r, const struct request_event *event, struct moment now)
{
    switch (event->kind) {
    case EVENT_START:
        on_start(r, now);
        break;
    case EVENT_SHOWN:
    case EVENT_ENDED:
    case EVENT_ACKNOWLEDGED:
    case EVENT_SESSION_GONE:
        on_one(r, event, now);
        break;
    case EVENT_CANCEL:
    case EVENT_REVOKED:
    case EVENT_STOP:
    case EVENT_PRESENTER_LOST:
        on_every(r, event->kind, now);
        break;
    case EVENT_HELD:
        r->lost_at = NEVER;
        break;
    case EVENT_LOST:
        if (r->terms.lost_ms > 0 && r->lost_at == NEVER)
            r->lost_at = now.ms + r->terms.lost_ms;
        break;
    case EVENT_TICK:
    case EVENT_KINDS:
        break;
    }
}

void request_step(struct request *request, const struct request_event *event, struct moment now,
                  struct request_actions *ret_actions)
{
    bool was_finished = request_finished(request);

    request->n_actions = 0;
    if (request->started || event->kind == EVENT_START) {
        apply_clock(request, now);
        dispatch(request, event, now);
    }
    ret_actions->items = request->actions;
    ret_actions->n = request->n_actions;
    ret_actions->finished = !was_finished && request_finished(request);
}

int64_t request_deadline(const struct request *request)
{
    if (!request->started || request->open == 0)
        return NEVER;
    return request->lost_at < request->deadline ? request->lost_at : request->deadline;
}

const struct delivery_event *request_log_after(const struct request *request, uint32_t q)
{
    return q < request->q ? &request->log[q] : NULL;
}

bool request_awaits(const struct request *request, uint32_t d)
{
    if (d < 1 || d > request->n)
        return false;
    const struct delivery *delivery = &request->deliveries[d - 1];
    return request->terms.wait && !delivery->final && delivery->state == DELIVERY_DISPLAYED;
}

static bool succeeded(const struct request *r, const struct delivery *delivery)
{
    if (!r->terms.wait)
        return delivery->state == DELIVERY_DISPLAYED;
    return delivery->state == DELIVERY_ACKNOWLEDGED || delivery->why == WHY_ANSWERED_ELSEWHERE;
}

const char *request_result(const struct request *request)
{
    uint32_t good = 0, in[DELIVERY_STATE_COUNT] = {0};

    for (uint32_t i = 0; i < request->n; i++) {
        good += succeeded(request, &request->deliveries[i]);
        in[request->deliveries[i].state]++;
    }
    if (good == request->n && request->terms.failures == 0)
        return "ok";
    if (good > 0)
        return "partial";
    for (int state = DELIVERY_DISMISSED; state < DELIVERY_FAILED; state++) {
        if (in[state] > 0)
            return state_names[state];
    }
    return state_names[DELIVERY_FAILED];
}

void request_counts(const struct request *request, struct msg_counts *ret_counts)
{
    struct msg_counts counts = {0};
    uint64_t *const of[DELIVERY_STATE_COUNT] = {
        [DELIVERY_DISPLAYED] = &counts.displayed, [DELIVERY_ACKNOWLEDGED] = &counts.acknowledged,
        [DELIVERY_DISMISSED] = &counts.dismissed, [DELIVERY_TIMED_OUT] = &counts.timed_out,
        [DELIVERY_WITHDRAWN] = &counts.withdrawn, [DELIVERY_SESSION_GONE] = &counts.session_gone,
        [DELIVERY_FAILED] = &counts.failed,
    };

    for (uint32_t i = 0; i < request->n; i++) {
        uint64_t *count = of[request->deliveries[i].state];
        if (count)
            (*count)++;
    }
    *ret_counts = counts;
}
