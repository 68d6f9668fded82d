/* SPDX-License-Identifier: MIT */
/*
 * The life of one request's deliveries and what becomes of the request as a whole (PROTOCOL.md, "A
 * delivery's life"). Pure: what happens comes in as events with their time, what is to be done goes
 * out as actions, what the sender is told grows in a log that any number of cursors read. Knows
 * neither users nor sessions nor connections but as numbers; has no I/O, clock, randomness or log.
 *
 * Held always: one final event for each delivery; nothing leaves a final state; of racing events
 * the first wins; q counts from 1 without a gap; `finished` is said exactly once.
 */
#ifndef MSG_PROTOCOL_DELIVERY_H
#define MSG_PROTOCOL_DELIVERY_H

#include "protocol/messages.h"

/* X(NAME, "wire name", final always) */
#define DELIVERY_STATES(X)                                                                         \
    X(ACCEPTED, "accepted", false)                                                                 \
    X(DISPLAYED, "displayed", false) /* final where the sender does not wait */                    \
    X(ACKNOWLEDGED, "acknowledged", true)                                                          \
    X(DISMISSED, "dismissed", true)                                                                \
    X(TIMED_OUT, "timed-out", true)                                                                \
    X(WITHDRAWN, "withdrawn", true)                                                                \
    X(SESSION_GONE, "session-gone", true)                                                          \
    X(FAILED, "failed", true)

#define DELIVERY_WHYS(X)                                                                           \
    X(NOT_SHOWN, "not-shown")                                                                      \
    X(NO_ANSWER, "no-answer")                                                                      \
    X(CLOSED_BY_USER, "closed-by-user")                                                            \
    X(BY_SENDER, "by-sender")                                                                      \
    X(ANSWERED_ELSEWHERE, "answered-elsewhere")                                                    \
    X(SENDER_LOST, "sender-lost")                                                                  \
    X(REVOKED, "revoked")                                                                          \
    X(DAEMON_STOP, "daemon-stop")                                                                  \
    X(LOGOUT, "logout")                                                                            \
    X(HANGUP, "hangup")                                                                            \
    X(MESSAGES_DISABLED, "messages-disabled")                                                      \
    X(TERMINAL_STOPPED, "terminal-stopped")                                                        \
    X(TOO_MANY, "too-many")                                                                        \
    X(PRESENTER_LOST, "presenter-lost")                                                            \
    X(HELPER_LOST, "helper-lost")                                                                  \
    X(LOCKED, "locked")                                                                            \
    X(DO_NOT_DISTURB, "do-not-disturb")                                                            \
    X(INTERNAL, "internal")

enum delivery_state {
#define X(NAME, wire, final) DELIVERY_##NAME,
    DELIVERY_STATES(X)
#undef X
        DELIVERY_STATE_COUNT
};

enum delivery_why {
    WHY_NONE,
#define X(NAME, wire) WHY_##NAME,
    DELIVERY_WHYS(X)
#undef X
        WHY_COUNT
};

/* Names on the wire; "" for WHY_NONE. And back: WHY_NONE for what is unknown. */
const char *delivery_state_name(enum delivery_state state);
const char *delivery_why_name(enum delivery_why why);
enum delivery_why delivery_why_named(struct slice name);

/* A point in time, twice: a clock that counts suspend and never jumps, and one for people. */
struct moment {
    int64_t ms;    /* CLOCK_BOOTTIME */
    uint64_t wall; /* ms since 1970 UTC */
};

#define NEVER INT64_MAX

struct delivery {
    uint32_t user; /* equal for deliveries to one person; the owner's number */
    enum delivery_state state;
    enum delivery_why why;
    bool final;
    bool up;      /* presented and not known to be over: something may stand on a screen */
    bool lasting; /* shown where it outlives the presenter: a terminal */
    bool orphan;  /* its presenter is gone; only the clock, the sender and the user end it now */
};

/* One line of the log. Its q is its place in the log, counted from 1. */
struct delivery_event {
    uint64_t at; /* wall clock */
    uint32_t d;  /* delivery, from 1 */
    uint32_t by; /* answered-elsewhere: the delivery that was acknowledged; else 0 */
    enum delivery_state st;
    enum delivery_why why;
    uint8_t answer; /* acknowledged: which of the answers, from 1; 0: none */
    bool fin;
};

enum request_action_kind {
    REQUEST_PRESENT,  /* bring delivery d to a screen */
    REQUEST_WITHDRAW, /* take it down, if it is up; why: what its user may be told */
};
struct request_action {
    enum request_action_kind kind;
    uint32_t d;
    enum delivery_why why;
};
struct request_actions { /* the request's own memory, valid until the next step */
    const struct request_action *items;
    size_t n;
    bool finished; /* with this step the last delivery became final */
};

struct request_terms {
    bool wait;
    bool each;         /* each delivery waits for itself */
    int64_t time_ms;   /* > 0: life of popup and wait alike, from `accepted` */
    int64_t lost_ms;   /* 0: keep it without a connection */
    uint32_t failures; /* targets that got no delivery: then it is `partial` at best */
};

struct request {
    struct request_terms terms;
    struct delivery *deliveries; /* n of them; delivery d is deliveries[d - 1] */
    uint32_t n;
    uint32_t open; /* not yet final */
    struct delivery_event *log;
    uint32_t q; /* events in the log */
    struct request_action *actions;
    size_t n_actions;
    int64_t deadline; /* of those that wait, or of being shown */
    int64_t lost_at;  /* NEVER while a connection holds it */
    bool started;
};

enum request_event_kind {
    EVENT_START,        /* accepts every delivery and presents it; the first event, and only once */
    EVENT_SHOWN,        /* d; lasting; why it may not be seen yet */
    EVENT_ENDED,        /* d; state, why, answer: as its presenter says */
    EVENT_ACKNOWLEDGED, /* d; answer: its user said so at a command line */
    EVENT_CANCEL,       /* by the sender */
    EVENT_REVOKED,      /* the sender's rights are gone */
    EVENT_STOP,         /* the daemon ends */
    EVENT_HELD,         /* a connection holds the request (again) */
    EVENT_LOST,         /* none does any more */
    EVENT_PRESENTER_LOST, /* whoever showed things is gone */
    EVENT_SESSION_GONE,   /* d; why: seen without the presenter that showed it */
    EVENT_TICK,           /* request_deadline() has come */
    EVENT_KINDS
};
struct request_event {
    enum request_event_kind kind;
    uint32_t d;
    enum delivery_state state;
    enum delivery_why why;
    uint8_t answer;
    bool lasting;
};

/*
 * users[i] is the person behind delivery i + 1; 1 <= n <= LIM_DELIVERIES. 0, -EINVAL or -ENOMEM.
 * A new request is held by nobody's loss: lost_ms counts from the first EVENT_LOST.
 * request_release() frees what it holds.
 */
int request_init(struct request *ret_request, const struct request_terms *terms,
                 const uint32_t *users, uint32_t n);
void request_release(struct request *request);

/* The one way in. Events that come too late, or name no delivery, change nothing. */
void request_step(struct request *request, const struct request_event *event, struct moment now,
                  struct request_actions *ret_actions);

/* When EVENT_TICK is due next; NEVER. */
int64_t request_deadline(const struct request *request);

/* The event after cursor q (0: the first), or NULL. */
const struct delivery_event *request_log_after(const struct request *request, uint32_t q);

static inline bool request_finished(const struct request *request)
{
    return request->started && request->open == 0;
}

/* Whether delivery d waits for its user's answer. */
bool request_awaits(const struct request *request, uint32_t d);

/* Once it is finished: RESULT.st, and how many deliveries ended in which state. */
const char *request_result(const struct request *request);
void request_counts(const struct request *request, struct msg_counts *ret_counts);

#endif
