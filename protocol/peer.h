/* SPDX-License-Identifier: MIT */
/*
 * One connection's life as a step function: preamble, handshake, frames, keep-alive and deadlines,
 * for both roles and both transports. Bytes, time and randomness come in; bytes, messages and one
 * decision at a time go out. No I/O, clock, randomness or log here: common/stream.c is the adapter.
 *
 * The owner answers two questions: whether the other side's static key is accepted (PEER_ASK_KEY),
 * and what to do with a message (PEER_MESSAGE). PING, PONG, NOOP, unknown types and faulty requests
 * never reach it.
 */
#ifndef MSG_PROTOCOL_PEER_H
#define MSG_PROTOCOL_PEER_H

#include "protocol/messages.h"
#include "protocol/noise.h"

#define PEER_VERSION 1

enum peer_role { PEER_CLIENT, PEER_SERVER };
enum peer_suite { PEER_SUITE_PLAIN = 0, PEER_SUITE_NOISE = 1 }; /* plain: Unix socket only */
enum peer_refusal_code { PEER_REFUSE_VERSION = 1, PEER_REFUSE_SUITE = 2, PEER_REFUSE_BUSY = 3 };

/* Why a connection ended. Only what is above PEER_END_LOST is the other side's fault. */
enum peer_end {
    PEER_END_NONE,
    PEER_END_CLOSED,       /* we closed it, everything said */
    PEER_END_IDLE,         /* no request for LIM_IDLE, or none within LIM_FIRST_REQUEST */
    PEER_END_AGE,          /* LIM_AGE or LIM_MESSAGES reached: GOAWAY was sent */
    PEER_END_EOF,          /* the other side closed it */
    PEER_END_LOST,         /* the transport failed; stream_end.error says how */
    PEER_END_SILENT,       /* two PINGs unanswered */
    PEER_END_STALLED,      /* took nothing for LIM_STALLED */
    PEER_END_DEADLINE,     /* first bytes, handshake */
    PEER_END_GARBAGE,      /* no preamble of ours, or a frame that cannot be */
    PEER_END_AUTH,         /* a frame or handshake message does not authenticate */
    PEER_END_REFUSED,      /* the server's refusal frame (client), or we sent one (server) */
    PEER_END_BAD_MESSAGE,  /* authentic, but not of this protocol */
    PEER_END_UNAUTHORIZED, /* the owner rejected the key (server: after the first request) */
    PEER_ENDS
};

struct peer_refusal {
    uint8_t code;            /* enum peer_refusal_code */
    uint8_t lowest, highest; /* major versions the server speaks */
    uint8_t wait_s;
};

/*
 * Work space, one for all peers of a loop: a message's strings live in it until the next
 * PEER_BYTES step of any peer, bytes to write until the next step of any.
 */
struct peer_scratch {
    uint8_t plain[LIM_FRAME];
    uint8_t out[LIM_PREAMBLE + 2 * (2 + LIM_FRAME)];
};

struct peer {
    enum peer_role role;
    enum peer_suite suite;
    int state; /* enum peer_state of peer_inside.h */
    struct peer_scratch *scratch;
    struct slice agent;
    const struct slice_list *end; /* our endorsements; NULL: none */
    const struct noise_keypair *static_keys;
    struct noise_handshake *handshake; /* allocated when it begins, freed when it is done */
    struct noise_secret ephemeral;     /* server: until the handshake begins */
    struct noise_cipher send, receive;
    uint8_t handshake_hash[NOISE_HASH];
    struct wire_doc doc;
    bool has_doc;
    const char *reject;      /* ERROR code for the first request of a rejected key */
    bool may_enrol;          /* server: a rejected key's first request may be ENROL */
    uint64_t sent, received; /* messages, against LIM_MESSAGES */
    uint32_t last_id;        /* server: the highest the client has used */
    bool welcomed;           /* client: WELCOME has come */
    unsigned open_requests;
    unsigned pings; /* unanswered */
    /* On the owner's monotonic clock: begun, opened, last bytes, since when without a request. */
    uint64_t started, opened, heard, idle_since;
    struct peer_refusal refusal;
};

struct peer_config {
    enum peer_role role;
    enum peer_suite suite;
    const struct noise_keypair *static_keys; /* NOISE: borrowed until the peer ends */
    const struct noise_secret *ephemeral;    /* NOISE: copied; fresh randomness */
    struct slice agent;                      /* client: name and version; outlives the peer */
    const struct slice_list *end;            /* NOISE: our endorsements, or NULL; likewise */
    struct peer_scratch *scratch;
};

/* 0, -ENOMEM, or -EINVAL (keys). peer_wipe() frees and wipes; the struct itself is the owner's. */
int peer_begin(struct peer *peer, const struct peer_config *config, uint64_t now);
void peer_wipe(struct peer *peer);

enum peer_input_kind {
    PEER_START, /* the transport is connected */
    PEER_BYTES, /* bytes came; call again with the rest while something is consumed */
    PEER_SEND,  /* send msg */
    /*
     * The answer to PEER_ASK_KEY: reject NULL, or an ERROR code (client: any text). With may_enrol
     * (server) a rejected key's ENROL comes as PEER_MESSAGE; it is answered by a second
     * PEER_VERDICT.
     */
    PEER_VERDICT,
    PEER_REFUSE, /* server, before anything else: refuse as busy for wait_s */
    PEER_TICK,   /* wake_at has come */
    PEER_EOF,
};

struct peer_input {
    enum peer_input_kind kind;
    const uint8_t *bytes;
    size_t len;
    const struct msg *msg;
    const char *reject;
    bool may_enrol;
    uint8_t wait_s;
};

enum peer_action {
    PEER_NOTHING,
    PEER_ASK_KEY, /* judge output.key; nothing is consumed until PEER_VERDICT */
    PEER_MESSAGE, /* output.msg, valid until the next PEER_BYTES step */
    PEER_CLOSE,   /* write output.write, then close; output.linger: with discard (LIM_LINGER) */
};

struct peer_output {
    enum peer_action action;
    size_t consumed;
    const uint8_t *write; /* in scratch->out, valid until the next step */
    size_t write_len;
    const struct noise_public *key;
    struct slice_list
        endorsements; /* with the key: what endorses it, or does not; valid as msg is */
    struct msg msg;
    enum peer_end end;
    bool linger;
    int error; /* PEER_SEND: 0, -EMSGSIZE, -EINVAL (msg_encode), -ENOTCONN (not open yet, or over)
                */
    uint64_t wake_at; /* 0: no deadline */
};

void peer_step(struct peer *peer, const struct peer_input *input, uint64_t now,
               struct peer_output *ret_output);

/* How many requests the owner has open on this connection: idle time starts at 0. */
void peer_set_requests(struct peer *peer, unsigned open, uint64_t now);
/* True once messages may be sent. */
bool peer_is_open(const struct peer *peer);
/* One word for logs. */
const char *peer_end_name(enum peer_end end);

#endif
