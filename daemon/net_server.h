/* SPDX-License-Identifier: MIT */
/*
 * What msgd is made of, and the few acts in which its parts meet: a request's step with all that
 * follows from it, the presenter's word, the clock, the key files, the end. The modules below this
 * one know nothing of each other; net_conn and net_requests speak for the clients.
 */
#ifndef MSG_DAEMON_NET_SERVER_H
#define MSG_DAEMON_NET_SERVER_H

#include "common/config.h"
#include "common/log.h"
#include "common/trust.h"
#include "daemon/net_book.h"
#include "daemon/net_endorsed.h"
#include "daemon/net_journal.h"
#include "daemon/net_present.h"
#include "daemon/net_seen.h"
#include "daemon/net_users.h"

#define SERVER_LISTENERS 16
#define SERVER_INSTANCE  16

struct conn;
struct listener;
struct tickets;

struct server {
    uv_loop_t *loop;
    struct config config;
    struct rights_policy policy;
    struct noise_keypair *host_key;
    struct net_endorsed endorsed; /* the host key is */
    struct trust *trust;
    struct tickets *tickets;
    struct accounts accounts;
    struct gate gate;
    struct book book;
    struct seen *seen;
    struct net_sessions sessions;
    struct presenter *presenter;
    struct users *users;
    struct conn *conns;
    unsigned n_conns, max_conns;
    struct listener *listeners[SERVER_LISTENERS];
    struct listener *waiting[SERVER_LISTENERS]; /* somebody knocks, but we are full */
    unsigned n_listeners;
    uint8_t instance[SERVER_INSTANCE];
    struct journal journal;
    uint64_t unrecorded;                   /* requests that left no record, since it was told */
    struct log_limit refusals, enrolments; /* of enrolments those that were refused */
    uv_poll_t clock; /* a timerfd: CLOCK_BOOTTIME runs through suspend, libuv's clock does not */
    int clock_fd;
    int64_t armed_at;
    uv_timer_t sweep, recheck, last_words;
    unsigned handles; /* these four */
    bool embedded;    /* a presenter on a given descriptor: its end is ours */
    bool has_orphans; /* deliveries whose presenter is gone may be up */
    bool stopping;
    unsigned stop_ticks;
    bool hanging; /* on a name service, which the process must not wait for */
    /*
     * For main, each may be NULL: the presenter's first list is there; the end begins; all is said.
     */
    void (*on_ready)(struct server *server);
    void (*on_stop)(struct server *server);
    void (*on_end)(struct server *server);
    int status; /* what main returns */
};

struct moment server_now(void);

/*
 * Opens what there is to open: key files, the seen record, the clock. 0, or negative: it was
 * logged.
 */
int server_init(struct server *server, uv_loop_t *loop);
/* Takes configuration's limits and names into use: at the start and at each reload. */
void server_apply_config(struct server *server);
/* When the loop has ended. */
void server_free(struct server *server);

/* One event in a request's life and what follows from it on screens and connections. */
void server_step(struct server *server, struct book_request *request,
                 const struct request_event *event);

/* The same event for every request there is. */
void server_step_all(struct server *server, enum request_event_kind kind);

/* Looks at the key files if it is time to; connections and requests of keys that are out go. */
void server_check_trust(struct server *server, bool force);

/* The clean end: everybody is told, then the loop runs dry; at the latest after two seconds. */
void server_stop(struct server *server, int status);
/* Something that was open is gone: goes on ending, or accepts who waits. */
void server_went(struct server *server);

#endif
