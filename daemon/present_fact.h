/* SPDX-License-Identifier: MIT */
/*
 * What a source of sessions saw: one fact a login. Facts of several sources, or two records of one
 * terminal, are merged here into one for each terminal. Pure but for the memory of the list.
 */
#ifndef MSG_DAEMON_PRESENT_FACT_H
#define MSG_DAEMON_PRESENT_FACT_H

#include "daemon/boundary.h"
#include "daemon/present_device.h"

/* Texts are clean: printable, terminated, zeros behind their end. */
struct session_fact {
    struct device device;
    uid_t uid;
    gid_t gid;
    pid_t leader;
    int64_t since_us; /* of the login, wall clock */
    char user[65];
    char from[65];
    bool known; /* a mark of the list's: this login has its session */
};

struct fact_list {
    struct session_fact *facts;
    size_t count, capacity;
    bool pending;    /* more may come in a moment: a name is being looked up */
    bool incomplete; /* a source could not look for now: what is not here may be there yet */
};

/* 0, -ENOSPC beyond LIM_SESSIONS, -ENOMEM. */
int fact_add(struct fact_list *list, const struct session_fact *fact);
void fact_list_free(struct fact_list *list);

/* Sorts by terminal; of two facts about one terminal the later login counts. */
void fact_merge(struct fact_list *list);

/* The fact about this terminal in a merged list, or NULL. */
struct session_fact *fact_of_terminal(const struct fact_list *list, dev_t rdev);

/* The same login: terminal, owner, leader and time. */
bool fact_same_login(const struct session_fact *a, const struct session_fact *b);

/* What msgd is told of it; handle and change are left 0. now_s is the wall clock. */
void fact_record(const struct session_fact *fact, int64_t now_s,
                 struct boundary_session *ret_record);

/* Whether two such records differ in more than the time somebody was idle. */
bool fact_record_differs(const struct boundary_session *a, const struct boundary_session *b);

#endif
