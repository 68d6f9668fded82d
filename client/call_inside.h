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

struct call {
    struct call_server server;
    struct call_config config;
    struct msg request;
    enum step step;
    struct dial *dial; /* CONNECT */
    struct stream *stream;
    uv_timer_t timer;   /* the step's deadline, or the pause's end */
    uv_timer_t give_up; /* of the whole call, or of a lost connection */
    unsigned handles;
    uint32_t last_id; /* on this connection */
    uint32_t id;      /* of the request on this connection */
    bool sent;        /* the request left at least once */
    bool accepted;    /* an event came: from now on only ATTACH */
    bool withdrawing;
    bool queueing; /* turned away as busy: nothing of what was sent was acted on */
    bool unsure;   /* it may have been, on a connection that was lost */
    uint32_t last_q;
    unsigned tries;    /* since a connection last brought the request on */
    uint64_t retry_ms; /* the next try not before */
    uint64_t sent_at, lost_at;
    struct call_result result;
};

/* The call is over, once its handles are closed. Again: nothing. */
void call_finish(struct call *call, enum call_outcome outcome);
/* Whether a lost connection is made anew for it. */
bool call_survives_loss(const struct call *call);
/* When the call is given up: with its time, or when the connection was lost for too long. */
void call_set_give_up(struct call *call);
/* The request, or after its acceptance an ATTACH that takes its stream up where it broke off. */
void call_ask(struct call *call);

/* A stream_owner's message. */
void call_on_message(void *owner, struct stream *stream, const struct msg *msg);

#endif
