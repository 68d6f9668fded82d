/* SPDX-License-Identifier: MIT */
/*
 * One request's story as its sender is told it: the server's events come in, lines go out through a
 * speaker, and in the end there is an exit status. Counts by what was named: a target is reached
 * when one of a user's places shows the message (each: every place), everybody when anybody was.
 * No I/O but speak(), no clock. Whatever the server says is taken as hostile: events that cannot be
 * are ignored, and what has no final event is never a success.
 */
#ifndef MSG_CLIENT_OUTCOME_H
#define MSG_CLIENT_OUTCOME_H

#include "client/speak.h"

struct outcome_config {
    const struct speaker *speaker;
    const struct call_server *server;
    struct msg_selector_list to; /* as sent; borrowed like all here */
    bool wait, each;
    bool several;     /* people may be meant: an answer is printed with its user */
    uint64_t time_ms; /* as sent; 0: no limit */
};

struct outcome_place { /* a delivery */
    bool known;        /* accepted */
    bool displayed;
    bool final;
    bool disabled;           /* failed, the person has messages disabled */
    int status;              /* once final */
    char kind[LIM_CODE + 1]; /* how it was to be shown */
    char user[LIM_NAME + 1], session[LIM_NAME + 1], id[LIM_NAME + 1];
};

struct outcome {
    struct outcome_config config;
    struct outcome_place places[LIM_DELIVERIES]; /* delivery d is places[d - 1] */
    size_t n_places;                             /* the highest d, accepted */
    int miss_status;                             /* the worst of the targets that got no delivery */
    enum outcome_miss { MISS_NONE, MISS_TOLD, MISS_LEFT_OUT, MISS_DISABLED } missed[LIM_SELECTORS];
    uint64_t holds_ms; /* the time that the server said holds */
    struct outcome_note {
        enum line line;
        char user[LIM_NAME + 1], session[LIM_NAME + 1], by[LIM_NAME + 1];
    } * notes; /* what was left out; said behind `accepted` */
    size_t n_notes;
    bool noted; /* all are here: what is told again is not said again */
};

/* NULL: no memory. outcome_free(NULL) is allowed. */
struct outcome *outcome_new(const struct outcome_config *config);
void outcome_free(struct outcome *outcome);

/* EVENT; all else is ignored. */
void outcome_message(struct outcome *outcome, const struct msg *msg);

/* What was told of targets already, in the answer to WHO, is not told again. */
void outcome_take_misses(struct outcome *outcome, const struct outcome *told);

/* The end: says what remains to be said and returns the exit status. */
int outcome_finish(struct outcome *outcome, const struct call_result *result);

/* True once every delivery that was accepted is displayed or final. */
bool outcome_all_displayed(const struct outcome *outcome);

/*
 * Who has not answered yet: `bob (pts/1, :0), alice (pts/2)`; some, then how many more. False:
 * nobody is waited for.
 */
bool outcome_waiting_for(const struct outcome *outcome, char *out, size_t capacity);

#endif
