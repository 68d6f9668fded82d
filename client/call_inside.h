/* SPDX-License-Identifier: MIT */
/*
 * What the two halves of a call share: call.c begins it, connects, asks and tries again;
 * call_answer.c hears what the server says. Nobody else includes this.
 */
#ifndef MSG_CLIENT_CALL_INSIDE_H
#define MSG_CLIENT_CALL_INSIDE_H

#include "client/call.h"

#include "client/dial.h"

enum step {
    STEP_CONNECT, /* up to the key's judgement; of a SEND to the Unix socket up to WELCOME */
    STEP_ANSWER,  /* the request is sent */
    STEP_PAUSE,   /* the connection is lost; another try follows */
    STEP_END,     /* waits for its handles to close */
};

struct ask {
    struct msg request;
    void *owner;
    uint32_t id;   /* on this connection */
    bool accepted; /* an event came: from now on only ATTACH */
    bool over;     /* and then its result: */
    uint32_t last_q;
    struct call_result result;
};

struct call {
    struct call_server server;
    struct call_config config;
    enum step step;
    struct dial *dial; /* CONNECT */
    struct stream *stream;
    uv_timer_t timer;   /* the step's deadline, or the pause's end */
    uv_timer_t give_up; /* of the whole call, or of a lost connection */
    unsigned handles;
    uint32_t last_id; /* on this connection */
    bool sent;        /* the requests left at least once */
    bool withdrawing;
    bool unsure;       /* they may have been acted on, on a connection that was lost */
    unsigned tries;    /* since a connection last brought a request on */
    uint64_t retry_ms; /* the next try not before */
    uint64_t sent_at, lost_at;
    struct call_result result; /* what is known for all that are not over */
    size_t n, n_open;
    struct ask asks[]; /* all of one kind */
};

/* One is over. With the last the call is, once its handles are closed. */
void call_end_ask(struct call *call, struct ask *ask, const struct call_result *result);
/* All that are not over yet end so. Again: nothing. */
void call_finish(struct call *call, enum call_outcome outcome);
/* Whether a lost connection is made anew for it. */
bool call_survives_loss(const struct call *call);
/* When the call is given up: with its time, or when the connection was lost for too long. */
void call_set_give_up(struct call *call);
/* The requests, or after its acceptance an ATTACH that takes one's stream up where it broke off. */
void call_ask(struct call *call);

/* A stream_owner's message. */
void call_on_message(void *owner, struct stream *stream, const struct msg *msg);

#endif
