/* SPDX-License-Identifier: MIT */
/*
 * Answers that are longer than one frame, drawn by a cursor while less than LIM_UNSENT is unsent:
 * the events of a request, what WHO found, what LIST shows. A follow is one open id of one
 * connection; a request is followed by at most one.
 */
#ifndef MSG_DAEMON_NET_FOLLOW_H
#define MSG_DAEMON_NET_FOLLOW_H

#include "daemon/net_conn.h"

struct follow_place {
    uint64_t handle;
    uint32_t place;
    uint64_t instead; /* the handle of the session that stands for its place; 0: itself */
};

struct follow {
    struct conn *conn;
    uint32_t id;
    struct book_request *request; /* events */
    bool re;                      /* they were said before */
    size_t misses;                /* that are to be said first */
    uint32_t cursor;              /* q, or the number of the last message listed */
    struct follow_place *who;     /* WHO */
    size_t n_who, at;
    bool list;         /* LIST */
    const char *state; /* WHO, LIST: RESULT's */
    struct follow *next, *prev;
};

/* Follows a request from behind q; whoever followed it hears `moved`. 0 or -ENOMEM. */
int follow_request(struct conn *conn, uint32_t id, struct book_request *request, uint32_t after,
                   bool re);
/* Takes over the array. 0 or -ENOMEM (then it was freed). */
int follow_who(struct conn *conn, uint32_t id, struct follow_place *who, size_t n,
               const char *state);
int follow_list(struct conn *conn, uint32_t id);

/* Writes what can be written; may end the follow. */
void follow_pump(struct follow *follow);
void follow_pump_all(struct conn *conn);
/* The connection is gone: its requests are held by nobody. */
void follow_lose_all(struct conn *conn);

/* One message of LIST. */
void follow_send_message(struct conn *conn, uint32_t id, const struct reader_entry *entry);
/* The entries that reached nobody, and notes; in as many EVENTs as they need. */
void follow_send_misses(struct conn *conn, uint32_t id, const struct msg_miss *misses, size_t n,
                        bool re);

#endif
