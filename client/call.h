/* SPDX-License-Identifier: MIT */
/*
 * One call to one server, told in order: resolve, connect, handshake, judge the host's key, ask,
 * take the answers. A SEND survives a lost connection: before its first event the same SEND is
 * repeated, after it the call attaches again, until the time is over. Prints nothing, asks nobody:
 * the caller decides and speaks. Many calls may run side by side on one loop.
 */
#ifndef MSG_CLIENT_CALL_H
#define MSG_CLIENT_CALL_H

#include "protocol/enrol.h"
#include "protocol/messages.h"
#include "protocol/noise.h"
#include "protocol/peer.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

#define CALL_PORT 6743

#define CALL_ASKS LIM_OPEN_REQUESTS /* requests of one call: all are open on its connection */

/* Where to call. name is what the user typed, alias resolved: trust hangs on it. */
struct call_server {
    bool local;
    char name[256];
    char host[256];
    uint16_t port;
    char socket[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* local */
    bool own_uid_too; /* the socket was named by option: a server of the caller's own uid is
                         believed */
};

enum call_judgement {
    CALL_TRUSTED,
    CALL_ASK,       /* a person must be asked: the call ends CALL_KEY_UNKNOWN, to be made again */
    CALL_UNTRUSTED, /* changed or refused: the call ends CALL_KEY_REFUSED */
};

enum call_outcome {
    CALL_RESULT,      /* result is valid */
    CALL_ERROR,       /* the server's ERROR: code, message, retry_ms, at */
    CALL_UNREACHABLE, /* nothing was sent: error says why (negative errno, or UV_EAI_*) */
    CALL_TIMED_OUT,   /* nothing but silence for connect_ms, or no WELCOME; never of a SEND that may
                         have been read */
    CALL_REFUSED,     /* refusal frame: refusal is valid; nothing was sent */
    CALL_NOT_MSGD,    /* what answered does not speak the protocol; end says how */
    CALL_KEY_UNKNOWN, /* key is valid; nothing was sent */
    CALL_KEY_REFUSED, /* key is valid; nothing was sent */
    CALL_NOT_INVITER, /* ENROL: the server does not know the invitation it was to have made */
    CALL_BAD_SERVER,  /* Unix socket: the server's uid is valid and not to be believed */
    CALL_UNKNOWN,     /* sent, and no RESULT to be had: outcome unknown */
    CALL_INTERRUPTED, /* call_abandon() */
};

/* Another address of the server's name that did not answer, beside the one in `address`. */
struct call_other {
    char address[INET6_ADDRSTRLEN];
    int error; /* negative errno; UV_ETIMEDOUT: silence */
};

struct call_result {
    enum call_outcome outcome;
    char state[LIM_CODE + 1]; /* RESULT.st */
    struct msg_counts counts;
    char code[LIM_CODE + 1]; /* ERROR.code, or GOAWAY's */
    char message[LIM_NOTE + 1];
    char at[LIM_NAME + 1];
    uint64_t retry_ms;
    int error;
    enum peer_end end;
    struct peer_refusal refusal;
    struct noise_public key;
    uid_t uid;
    char address[112]; /* `192.0.2.7 port 6743`, or the socket's path; may be empty */
    struct call_other others[LIM_ADDRESSES - 1]; /* UNREACHABLE, TIMED_OUT */
    size_t n_others;
};

struct call;

/* One request, and whose it is. The message and all it points to are borrowed until done. */
struct call_ask {
    const struct msg *request; /* its id is chosen by the call */
    void *owner;               /* handed back to call_owner */
};

/* What is of the connection, not of one request, goes to the first request's owner. */
struct call_owner {
    /* Judge the host's key (TCP only), and what it shows to endorse it. */
    enum call_judgement (*judge)(void *owner, const struct noise_public *key,
                                 const struct slice_list *end);
    /*
     * WELCOME, ENROLLED, GRANTED, EVENT and NOTE, in order; the strings are valid during the call.
     */
    void (*message)(void *owner, const struct msg *msg);
    /* The connection was lost after the request was sent and is being made again. May be NULL. */
    void (*reconnecting)(void *owner);
    /*
     * The last calls, one for each request, when all of them have ended: the call is no more. A
     * resolver that hangs may keep the loop alive beyond it: nobody should wait for the loop to
     * become empty.
     */
    void (*done)(void *owner, const struct call_result *result);
};

struct call_config {
    uv_loop_t *loop;
    const struct call_server *server;
    const struct noise_keypair *identity; /* not local; borrowed until done */
    const struct slice_list *end;         /* what endorses it, or NULL; likewise */
    const struct call_owner *owner;
    const struct enrol_key *invited; /* ENROL: the invitation's key; borrowed until done */
    uint64_t connect_ms;             /* from start to WELCOME, for each try: 5,000 */
    uint64_t give_up_ms;             /* after the request was sent: then CALL_UNKNOWN; 0: none */
    uint64_t lost_ms; /* SEND, ATTACH: how long a lost connection is tried to be made again */
};

/*
 * Starts a call with one request: SEND, WHO, CANCEL, ATTACH, ACK, LIST, ENROL (its mac is made
 * here; done at an ENROLLED that proves the server with CALL_RESULT), GRANT (done at GRANTED), or
 * PING (nothing is asked: done at WELCOME with CALL_RESULT); or with up to CALL_ASKS SENDs at once.
 * 0 or negative errno; then done is not called. No callback comes before the return.
 */
int call_start(struct call **ret_call, const struct call_config *config,
               const struct call_ask *asks, size_t n);

/* SEND: asks the server to take the messages down; the call ends with their RESULTs as ever. */
void call_withdraw(struct call *call);
/* Ends at once with CALL_INTERRUPTED. */
void call_abandon(struct call *call);

#endif
