/* SPDX-License-Identifier: MIT */
#include "client/outcome.h"

#include "client/reached.h"
#include "common/mem.h"

struct outcome *outcome_new(const struct outcome_config *config)
{
    struct outcome *outcome = calloc(1, sizeof(*outcome));

    if (outcome)
        outcome->config = *config;
    return outcome;
}

void outcome_free(struct outcome *outcome)
{
    if (outcome)
        free(outcome->notes);
    free(outcome);
}

static void say(const struct outcome *outcome, enum line line, const struct line_fields *fields)
{
    speak(outcome->config.speaker, line, fields);
}

/* ---- targets that reached nobody ------------------------------------------------------------- */

static bool names_everybody(const struct msg_selector_list *to)
{
    for (size_t i = 0; i < to->n; i++) {
        if (to->items[i].all)
            return true;
    }
    return false;
}

/* `bob@h2`: perhaps bob on h2 was meant. */
static bool say_other_host(const struct outcome *outcome, enum line line, struct slice target)
{
    const char *at = target.len > 0 ? memchr(target.ptr + 1, '@', target.len - 1) : NULL;
    size_t len = at ? (size_t)(at - target.ptr) : 0;

    if (line != LINE_NO_TARGET || !at || len + 1 == target.len)
        return false;
    say(outcome, LINE_NO_TARGET_AT,
        &(struct line_fields){.target = {target.ptr, len}, .host = slice_from(target, len + 1)});
    return true;
}

static void say_miss(struct outcome *outcome, size_t to, const char *code, struct slice user)
{
    const struct msg_selector *selector = &outcome->config.to.items[to];
    bool local = outcome->config.server->local;
    struct verdict verdict = verdict_of_code(code, "", selector->all, local);
    struct line_fields fields = {
        .target = reached_name(selector), .user = user, .message = slice_of(code)};

    if (verdict.line == LINE_SERVER_ERROR)
        verdict.line = LINE_TARGET_ERROR;
    if (!fields.user.ptr)
        fields.user = fields.target;
    if (!say_other_host(outcome, verdict.line, fields.target))
        say(outcome, verdict.line, &fields);
    outcome->miss_status = exit_worse(outcome->miss_status, EXIT_FAILED);
    outcome->missed[to] = MISS_TOLD;
}

/* In everybody, those who wish no messages are shown with /V and are no failure. */
static bool is_skipped(const struct outcome *outcome, const struct msg_miss *miss)
{
    return outcome->config.to.items[miss->to].all &&
           slice_eq(miss->code, SLICE("messages-disabled"));
}

/* Of a code that is not known nothing is said: it is no failure. */
static enum line note_line(struct slice code)
{
    return slice_eq(code, SLICE("reached-elsewhere"))   ? LINE_LEFT_OUT
           : slice_eq(code, SLICE("no-screen"))         ? LINE_NO_SCREEN
           : slice_eq(code, SLICE("messages-disabled")) ? LINE_SESSION_DISABLED
                                                        : LINES;
}

/* A SEND that is repeated is told of all of them again. */
static bool is_noted(const struct outcome *outcome, const struct outcome_note *note)
{
    for (size_t i = 0; i < outcome->n_notes; i++) {
        const struct outcome_note *other = &outcome->notes[i];
        if (other->line == note->line && strcmp(other->session, note->session) == 0 &&
            strcmp(other->user, note->user) == 0)
            return true;
    }
    return false;
}

/* Kept until the sessions that are delivered to have been named. */
static void take_note(struct outcome *outcome, const struct msg_miss *miss)
{
    struct outcome_note note = {.line = note_line(miss->code)}, *grown;

    if (outcome->noted || outcome->n_notes == LIM_SELECTORS || note.line == LINES)
        return;
    slice_copy(note.user, sizeof(note.user), miss->user);
    slice_copy(note.session, sizeof(note.session), miss->sess);
    slice_copy(note.by, sizeof(note.by), miss->by);
    if (is_noted(outcome, &note))
        return;
    grown = reallocarray(outcome->notes, outcome->n_notes + 1, sizeof(*grown));
    if (!grown)
        return;
    outcome->notes = grown;
    outcome->notes[outcome->n_notes++] = note;
}

static void say_notes(struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->n_notes; i++) {
        const struct outcome_note *note = &outcome->notes[i];
        say(outcome, note->line,
            &(struct line_fields){.session = slice_of(note->session),
                                  .user = slice_of(note->user),
                                  .by = slice_of(note->by)});
    }
    outcome->n_notes = 0;
}

static void take_miss(struct outcome *outcome, const struct msg_miss *miss)
{
    char code[LIM_CODE + 1];

    if (miss->sess.len > 0) {
        take_note(outcome, miss);
        return;
    }
    if (miss->to >= outcome->config.to.n || outcome->missed[miss->to] == MISS_TOLD)
        return;
    if (is_skipped(outcome, miss)) {
        outcome->missed[miss->to] = MISS_DISABLED;
        say(outcome, LINE_USER_SKIPPED, &(struct line_fields){.user = miss->user});
    } else if (slice_eq(miss->code, SLICE("left-out"))) {
        outcome->missed[miss->to] = MISS_LEFT_OUT; /* told if nobody else is reached */
    } else {
        slice_copy(code, sizeof(code), miss->code);
        say_miss(outcome, (size_t)miss->to, code, miss->user);
    }
}

void outcome_take_misses(struct outcome *outcome, const struct outcome *told)
{
    memcpy(outcome->missed, told->missed, sizeof(outcome->missed));
    outcome->miss_status = told->miss_status;
}

/* ---- deliveries ------------------------------------------------------------------------------ */

/* `30`, or `unlimited`: what was asked, unless the host allows less. */
static struct slice display_time(const struct outcome *outcome, char out[static 24])
{
    uint64_t ms = outcome->holds_ms ? outcome->holds_ms : outcome->config.time_ms;

    if (outcome->config.time_ms == 0)
        return SLICE("unlimited");
    snprintf(out, 24, "%llu", (unsigned long long)((ms + 999) / 1000));
    return slice_of(out);
}

static void accept_place(struct outcome *outcome, struct outcome_place *place,
                         const struct msg_event *event)
{
    if (place->known)
        return;
    place->known = true;
    slice_copy(place->user, sizeof(place->user), event->user);
    slice_copy(place->session, sizeof(place->session), event->sess.ptr ? event->sess : event->id);
    slice_copy(place->id, sizeof(place->id), event->id);
    slice_copy(place->kind, sizeof(place->kind), event->kind);
    if (event->d > outcome->n_places)
        outcome->n_places = (size_t)event->d;
}

/* How it is shown, where that is not a terminal as ever, and what may keep it from being seen. */
static void say_shown(const struct outcome *outcome, const struct outcome_place *place,
                      const struct msg_event *event)
{
    const struct line_fields fields = {.session = slice_of(place->session), .by = event->by};
    struct slice kind = event->kind.len > 0 ? event->kind : slice_of(place->kind);

    if (slice_eq(kind, SLICE("desktop")))
        say(outcome, event->by.len > 0 ? LINE_ON_DESKTOP_BY : LINE_ON_DESKTOP, &fields);
    else if (slice_eq(kind, SLICE("tmux")))
        say(outcome, LINE_IN_TMUX, &fields);
    else if (event->kind.len > 0 && slice_eq(kind, SLICE("terminal")))
        say(outcome, LINE_ON_TERMINAL, &fields);
    if (slice_eq(event->why, SLICE("locked")))
        say(outcome, LINE_LOCKED, &fields);
    else if (slice_eq(event->why, SLICE("do-not-disturb")))
        say(outcome, LINE_DO_NOT_DISTURB, &fields);
}

/* What goes round the line of an event, before it and behind it. */
static void say_before(struct outcome *outcome, const struct outcome_place *place,
                       const struct msg_event *event)
{
    if (!slice_eq(event->st, SLICE("accepted")))
        say_notes(outcome);
    if (slice_eq(event->st, SLICE("displayed")))
        say_shown(outcome, place, event);
}

static void say_behind(const struct outcome *outcome, const struct outcome_place *place,
                       const struct msg_event *event)
{
    struct line_fields fields = {.session = slice_of(place->session),
                                 .user = slice_of(place->user),
                                 .answer = event->ans,
                                 .message = event->state};

    if (event->state.len > 0 && slice_eq(event->st, SLICE("accepted")))
        say(outcome, LINE_STATE, &fields);
    if (event->ans.len > 0 && slice_eq(event->st, SLICE("acknowledged")) &&
        !outcome->config.speaker->verbose)
        say(outcome, outcome->config.several ? LINE_ANSWER_OF : LINE_ANSWER, &fields);
}

static void take_event(struct outcome *outcome, const struct msg_event *event)
{
    struct outcome_place *place;
    struct verdict verdict;
    char time[24];

    if (event->d == 0 || event->d > LIM_DELIVERIES)
        return;
    place = &outcome->places[event->d - 1];
    if (slice_eq(event->st, SLICE("accepted")))
        accept_place(outcome, place, event);
    if (!place->known || place->final)
        return;
    verdict = verdict_of_event(event, outcome->config.wait, place->displayed);
    place->displayed |=
        slice_eq(event->st, SLICE("displayed")) || slice_eq(event->st, SLICE("acknowledged"));
    place->final = event->fin;
    place->status = verdict.status;
    place->disabled = event->fin && verdict.line == LINE_SESSION_DISABLED;
    say_before(outcome, place, event);
    say(outcome, verdict.line,
        &(struct line_fields){.session = slice_of(place->session),
                              .user = slice_of(place->user),
                              .time = display_time(outcome, time),
                              .answer = event->ans,
                              .by = event->by,
                              .message = verdict.words ? slice_of(verdict.words) : event->why});
    say_behind(outcome, place, event);
}

void outcome_message(struct outcome *outcome, const struct msg *msg)
{
    const struct msg_events *events = &msg->u.events;

    if (msg->type != MSG_EVENT)
        return;
    if (events->time_ms > 0)
        outcome->holds_ms = events->time_ms;
    for (size_t i = 0; i < events->miss.n; i++)
        take_miss(outcome, &events->miss.items[i]);
    outcome->noted |= events->ev.n > 0;
    for (size_t i = 0; i < events->ev.n; i++)
        take_event(outcome, &events->ev.items[i]);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* People whose wish was the reason: told where nothing else of theirs was reached. */
static void say_disabled(const struct outcome *outcome, const struct reached *reached)
{
    struct line_fields fields = {.user = slice_of(reached->first->user),
                                 .session = slice_of(reached->first->session),
                                 .message = SLICE("messages are disabled there")};

    if (!reached->all_disabled)
        return;
    if (reached->kind == REACHED_EVERYBODY)
        say(outcome, LINE_EVERYBODY_DISABLED, &fields);
    else
        say(outcome, reached->kind == REACHED_USER ? LINE_USER_DISABLED : LINE_SEND_ERROR, &fields);
}

static int status_of_targets(const struct outcome *outcome)
{
    struct reached_walk walk = {.outcome = outcome};
    struct reached reached;
    int status = outcome->miss_status;

    while (reached_next(&walk, &reached)) {
        status = exit_worse(status, reached.status);
        if (reached.status != EXIT_DONE)
            say_disabled(outcome, &reached);
    }
    return status;
}

/* ERROR for the whole request: what the server has not told of each target is told now. */
static int say_all_missed(struct outcome *outcome, const char *code)
{
    const char *const codes[] = {
        [MISS_NONE] = code, [MISS_LEFT_OUT] = "left-out", [MISS_DISABLED] = "messages-disabled"};

    for (size_t i = 0; i < outcome->config.to.n; i++) {
        if (outcome->missed[i] != MISS_TOLD)
            say_miss(outcome, i, codes[outcome->missed[i]], (struct slice){NULL, 0});
    }
    return EXIT_FAILED;
}

int outcome_finish(struct outcome *outcome, const struct call_result *result)
{
    bool all = names_everybody(&outcome->config.to);

    say_notes(outcome);
    if (result->outcome == CALL_RESULT)
        return status_of_targets(outcome);
    if (result->outcome == CALL_ERROR &&
        (strcmp(result->code, "no-target") == 0 || strcmp(result->code, "forbidden") == 0))
        return say_all_missed(outcome, result->code);
    return speak_call(outcome->config.speaker, result, outcome->config.server, all, NULL);
}

bool outcome_all_displayed(const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->n_places; i++) {
        if (!outcome->places[i].displayed && !outcome->places[i].final)
            return false;
    }
    return outcome->n_places > 0;
}

bool outcome_waiting_for(const struct outcome *outcome, char *out, size_t capacity)
{
    const char *user = NULL;
    size_t used = 0, left_out = 0;

    for (size_t i = 0; i < outcome->n_places; i++) {
        const struct outcome_place *place = &outcome->places[i];
        bool same = user && strcmp(user, place->user) == 0;
        if (!place->known || place->final)
            continue;
        if (used + 2 * LIM_NAME + 40 > capacity) {
            left_out++;
            continue;
        }
        used +=
            (size_t)snprintf(out + used, capacity - used, "%s%s%s%s", user && !same ? "), " : "",
                             same ? ", " : place->user, same ? "" : " (", place->session);
        user = place->user;
    }
    if (user && left_out > 0)
        snprintf(out + used, capacity - used, ") and %zu more", left_out);
    else if (user)
        snprintf(out + used, capacity - used, ")");
    return user != NULL;
}
