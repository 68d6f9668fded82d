/* SPDX-License-Identifier: MIT */
/*
 * The sessions a server tells of, kept; and what follows from them before and beside a message: the
 * rule on the terminal msg runs in, and the remarks on names. Pure but for memory.
 */
#ifndef MSG_CLIENT_WHO_H
#define MSG_CLIENT_WHO_H

#include "client/outcome.h"

struct who_session {
    char id[LIM_NAME + 1], name[LIM_NAME + 1], user[LIM_NAME + 1];
    bool reachable;
};

struct who {
    struct who_session *sessions;
    size_t n; /* at most LIM_SESSIONS: what a server says beyond is dropped */
};

/* Takes the sessions of an EVENT; all else is ignored. 0 or -ENOMEM. */
int who_take(struct who *who, const struct msg *msg);
void who_release(struct who *who);

/* ---- the terminal msg runs in ---------------------------------------------------------------- */

struct own_question {
    const char *terminal; /* as a session's name; NULL: none, or another host's */
    const char *me;       /* login name */
    bool wait;
    struct msg_selector_list to;
};

/* Whether it cannot be decided without knowing the sessions that are meant. */
bool own_needs_who(const struct own_question *question);

enum own_answer {
    OWN_AS_IT_IS,
    OWN_LEAVE_OUT, /* it is not meant by `*`, nor by one's own name where there is another */
    OWN_ALONE,     /* it alone is meant: it shows the message, and cannot answer */
};
/* who: the sessions meant, NULL where they are not known. */
enum own_answer own_decide(const struct own_question *question, const struct who *who);

/* ---- names that mean two things -------------------------------------------------------------- */

/* /V: says which of its meanings each bare name of an outcome's targets was taken for. */
void who_remark(const struct who *who, const struct outcome *outcome);

#endif
