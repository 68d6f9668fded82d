/* SPDX-License-Identifier: MIT */
/*
 * One login session as the sources see it, and what msgd is told of it. A source fills in what it
 * knows; present_merge.h makes one fact of what several say about one session, and present_place.h
 * decides how each is reached. Pure but for the memory of the list.
 */
#ifndef MSG_DAEMON_PRESENT_FACT_H
#define MSG_DAEMON_PRESENT_FACT_H

#include "daemon/boundary.h"
#include "daemon/present_device.h"

/* What a terminal is drawn on, where that is not a person's own screen or connection. */
enum fact_inside {
    INSIDE_NOTHING,
    INSIDE_DESKTOP,  /* a window of that person's desktop */
    INSIDE_TERMINAL, /* a pane of tmux or screen, which is attached on `host` */
    INSIDE_DETACHED, /* a pane that nobody looks at */
};

/* Who made an entry and when, as its source counts it. */
struct fact_mark {
    pid_t leader; /* 0: that source does not know the session */
    int64_t since_us;
};

/* Texts are clean: printable, terminated, zeros behind their end. */
struct session_fact {
    struct device device; /* its terminal; rdev 0: it has none */
    uid_t uid;
    gid_t gid;
    pid_t leader;           /* the session ends with this process */
    int64_t since_us;       /* of the login, or of its leader; as its source counts it */
    struct fact_mark login; /* of the record in utmp */
    char user[65];
    char from[65];
    char id[65]; /* logind's; or empty, as all that follows may be */
    char class[24];
    char type[16];
    char state[16];
    char display[65];
    char seat[65];
    uint32_t vt;          /* 0: none */
    int64_t idle_since_s; /* as the desktop says, by the wall clock; 0: it is used */
    bool locked;          /* as far as is known */
    bool tmux;            /* a tmux client is attached on its terminal */
    enum fact_inside inside;
    dev_t host; /* INSIDE_TERMINAL: the terminal it is attached on */

    /* What present_place.h decides. */
    enum session_reach reach;
    const char *why; /* REACH_NOTHING: a literal of PROTOCOL.md; else NULL */
    char place[65];  /* empty: none */
    bool aside;

    bool known; /* a mark of the list's: this login has its session */
};

/* How many facts of a list are one user's. */
struct fact_owner {
    uid_t uid;
    unsigned count;
};

struct fact_list {
    struct session_fact *facts;
    size_t count, capacity;
    struct fact_owner *owners;
    size_t owner_count, owner_capacity;
    size_t owner;    /* who was counted last */
    bool pending;    /* more may come in a moment: a name is being looked up */
    bool incomplete; /* a source could not look for now: what is not here may be there yet */
};

/* 0, -EDQUOT beyond LIM_USER_SESSIONS of its user, -ENOSPC beyond LIM_SESSIONS, -ENOMEM. */
int fact_add(struct fact_list *list, const struct session_fact *fact);
void fact_list_free(struct fact_list *list);

/* Sorts, so that fact_find() finds; of two facts about one terminal the later login counts. */
void fact_sort(struct fact_list *list);

/* In a sorted list the fact about the same terminal, or without one about the same id; or NULL. */
struct session_fact *fact_find(const struct fact_list *list, const struct session_fact *like);

/*
 * The same login: terminal, owner, and leader and time as the best source that knows both says:
 * logind, else utmp, else whoever told of it.
 */
bool fact_same_login(const struct session_fact *a, const struct session_fact *b);

/* What msgd is told of it; handle and change are left 0. now_s is the wall clock. */
void fact_record(const struct session_fact *fact, int64_t now_s,
                 struct boundary_session *ret_record);

/*
 * Whether what was told is not true any more. Of the time somebody was idle it need not be nearer
 * than FACT_IDLE_S, or an eighth of it: who types would be news all the time.
 */
#define FACT_IDLE_S 10
bool fact_record_differs(const struct boundary_session *told, const struct boundary_session *now);

/* Its terminal's messages are off (mesg n), and that is how it would be reached. */
bool fact_is_disabled(const struct session_fact *fact);

#endif
