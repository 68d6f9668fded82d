/* SPDX-License-Identifier: MIT */
/*
 * One client's connection: who it is, what it may, and the ids it has open. A connection is freed
 * when its stream is gone. What an id is answered with over time is net_follow's.
 */
#ifndef MSG_DAEMON_NET_CONN_H
#define MSG_DAEMON_NET_CONN_H

#include "common/listener.h"
#include "daemon/net_held.h"
#include "daemon/net_own.h"
#include "daemon/net_server.h"
#include "daemon/net_within.h"

struct conn {
    struct server *server;
    struct stream *stream;
    bool is_unix;
    bool open;    /* WELCOME was sent: requests are heard */
    bool closing; /* the last word was said */
    struct principal principal;
    struct account *account; /* NULL until it is known */
    uint32_t uid;            /* Unix; or of the user whose own key it is: net_own's */
    gid_t *groups;
    size_t n_groups;
    bool named;                     /* Unix: the uid has a name */
    struct own own;                 /* TCP */
    struct within within;           /* TCP */
    struct held held;               /* TCP */
    struct noise_public key;        /* TCP */
    struct trust_claim claim;       /* TCP: on what it was let in */
    struct sockaddr_storage source; /* TCP */
    uint8_t prefix[8];
    bool gated;    /* counted at the gate */
    char host[64]; /* for people and logs: 192.0.2.7, or this host */
    char name[256];
    struct user_query *query; /* of a uid, or a group */
    struct follow *follows;   /* open ids */
    unsigned n_follows;
    struct conn *next, *prev;
};

/* Takes who waits at the listener, or lets him wait. */
void conn_incoming(struct server *server, struct listener *listener);

/* What is known of the principal now; for a key, its line. false: it is out, code says why. */
bool conn_rights(const struct conn *conn, struct rights *ret_rights, uint32_t *ret_rate,
                 const char **ret_code);
/* Whether what it was let in on still holds, and what it gives. */
bool conn_grant(const struct conn *conn, struct trust_grant *ret_grant, const char **ret_code);
/* "alice (this host)", "alice (network, 192.0.2.7)" */
void conn_label(const struct conn *conn, char *label, size_t size);

void conn_error(struct conn *conn, uint32_t id, const char *code, const char *at,
                uint64_t retry_ms);
void conn_result(struct conn *conn, uint32_t id, const char *state);
/*
 * It is known who it is, and by which name: WELCOME, or GOAWAY if the account has too many
 * connections.
 */
void conn_enter(struct conn *conn);
/* It is known who it is, but not now: GOAWAY busy. */
void conn_put_off(struct conn *conn, const char *reason);
/* One for each source, minute and limit in the audit; with --debug a line for each. */
void conn_log_refusal(struct conn *conn, struct log_limit *limit, const char *step,
                      const char *reason);
/* The last word; then it closes. */
void conn_goaway(struct conn *conn, const char *code, const char *text, uint32_t retry_ms);
/* Judges a living connection's key again, after the files have changed. */
void conn_judge(struct conn *conn);

#endif
