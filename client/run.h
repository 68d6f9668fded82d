/* SPDX-License-Identifier: MIT */
/*
 * What one run of msg or msgctl has: its loop, the server and the keys to call it with, who speaks;
 * and its calls, each from start to end, with signals on the way. Owns all of it until the process
 * ends. Decides nothing of what is asked or said, but for the key of an unknown host, which it has
 * a person asked about (client/trust.h).
 */
#ifndef MSG_CLIENT_RUN_H
#define MSG_CLIENT_RUN_H

#include "client/speak.h"
#include "client/trust.h"
#include "common/endorsements.h"
#include "common/keys.h"
#include "common/paths.h"

struct exchange;

struct run {
    struct speaker speaker;
    struct call_server server;
    struct paths paths;
    struct trust_host trust;          /* TCP: what is known of the host's key */
    struct noise_keypair *identity;   /* TCP */
    struct endorsements endorsements; /* TCP: of the identity */
    uv_loop_t *loop;
    uv_signal_t signals[3];
    uv_timer_t patience;   /* runs after the first signal */
    int signal;            /* that came; 0: none */
    struct exchange *open; /* a list */
    char me[LIM_NAME + 1]; /* login name, or the uid */
    char host[256];        /* for lines; the server's own name once WELCOME has said it */
    char key[KEY_TEXT_LEN + 1];
};

/* One request and what became of it. Set what it needs up to `run`, zero the rest. */
struct exchange {
    void (*message)(void *context, const struct msg *msg); /* EVENT and NOTE; may be NULL */
    void *context;
    uint64_t give_up_ms, lost_ms; /* as in struct call_config */
    bool withdraw;                /* a signal withdraws it; else it is abandoned */
    const struct noise_public
        *only; /* no other key of the host's will do; NULL: as known_hosts has it */
    const struct enrol_key *invited; /* ENROL */
    struct run *run;
    struct call *call; /* NULL once it is done */
    struct exchange *next;
    struct call_result result;
};

/*
 * Makes a run ready to call run->server, with run->paths where they are set already. 0, or the exit
 * status after saying why: over TCP the identity is read, or made.
 */
int run_begin(struct run *run);
void run_end(struct run *run);
/*
 * The status, for main to return. Does not come back where a look-up hangs in the name service:
 * libuv would wait for its thread at exit.
 */
int run_leave(int status);

/* The steps of run_begin(), in its order, for who speaks of each himself: 0 or negative errno. */
bool run_start_loop(struct run *run);                                     /* false: no memory */
void run_set_host(struct run *run);                                       /* needs the server */
int run_load_key(struct run *run, bool *ret_made, struct diag *ret_diag); /* ret_made may be NULL */
int run_load_endorsements(struct run *run, struct diag *ret_diag);        /* needs the key */
void run_find_trust(struct run *run); /* needs the server and paths; runs ssh-keygen */

/* The terminal this runs in, as a session's name; empty for another host's, or without one. */
void run_terminal(const struct run *run, char name[static LIM_NAME + 1]);

/*
 * Starts up to CALL_ASKS exchanges, the asks' owners, on one connection, which is as the first of
 * them wants it; more may be under way. A failure to start is a result too.
 */
void run_start_together(struct run *run, const struct call_ask *asks, size_t n);
void run_start(struct run *run, struct exchange *exchange, const struct msg *request);
/* Runs the loop until all are done. */
void run_wait(struct run *run);
/*
 * One exchange from start to end. Where the host's key is unknown, a person is asked and, if he
 * trusts it, the exchange is made again.
 */
void run_exchange(struct run *run, struct exchange *exchange, const struct msg *request);
/* Asks about the host's key if it must be asked about. 0, or the exit status. */
int run_trust(struct run *run);

/* What an exchange without an answer comes to, said in a line; 128 + n after a signal. */
int run_failure(struct run *run, const struct exchange *exchange, bool all,
                const struct line_fields *fields);

#endif
