/* SPDX-License-Identifier: MIT */
/* Two peers and a wire in memory; what is told is a story with a clock of its own. */
#include "protocol/enrol.h"
#include "protocol/peer.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>

struct end {
    struct peer peer;
    struct peer_scratch scratch;
    uint8_t inbox[400000]; /* bytes on their way to this end */
    size_t inbox_len;
    struct peer_output last;
    char said[64]; /* type names of the messages that came */
    unsigned messages;
    uint32_t last_id;
    char code[LIM_CODE + 1], at[LIM_NAME + 1]; /* of ERROR and GOAWAY */
    struct noise_public asked;
    bool was_asked;
};

static struct end client, server;
static uint64_t now;

static void deliver(struct end *to, const struct peer_output *output)
{
    CU_ASSERT_FATAL(to->inbox_len + output->write_len <= sizeof(to->inbox));
    if (output->write_len > 0)
        memcpy(to->inbox + to->inbox_len, output->write, output->write_len);
    to->inbox_len += output->write_len;
}

static void remember(struct end *end, const struct peer_output *output)
{
    const struct msg *msg = &output->msg;

    end->messages++;
    end->last_id = msg->id;
    snprintf(end->said, sizeof(end->said), "%s", msg_name(msg->type));
    struct slice code = msg->type == MSG_ERROR    ? msg->u.error.code
                        : msg->type == MSG_GOAWAY ? msg->u.goaway.code
                                                  : (struct slice){0};
    snprintf(end->code, sizeof(end->code), "%.*s", (int)code.len, code.ptr ? code.ptr : "");
    struct slice at = msg->type == MSG_ERROR ? msg->u.error.at : (struct slice){0};
    snprintf(end->at, sizeof(end->at), "%.*s", (int)at.len, at.ptr ? at.ptr : "");
}

static struct peer_output step(struct end *end, struct peer_input input)
{
    struct peer_output output;

    peer_step(&end->peer, &input, now, &output);
    deliver(end == &client ? &server : &client, &output);
    if (output.action == PEER_MESSAGE)
        remember(end, &output);
    if (output.action == PEER_ASK_KEY) {
        end->asked = *output.key;
        end->was_asked = true;
    }
    if (output.action == PEER_CLOSE)
        end->last = output;
    return output;
}

/* Lets one end read what has come; true if anything happened. */
static bool read_all(struct end *end)
{
    bool any = false;

    while (end->inbox_len > 0) {
        struct peer_output output =
            step(end, (struct peer_input){.kind = PEER_BYTES, end->inbox, end->inbox_len});
        if (output.consumed == 0 && output.action == PEER_NOTHING && output.write_len == 0)
            break;
        memmove(end->inbox, end->inbox + output.consumed, end->inbox_len - output.consumed);
        end->inbox_len -= output.consumed;
        any = true;
        if (output.action == PEER_CLOSE)
            break;
    }
    return any;
}

/* Both ends read until neither has anything left that moves it. */
static void pump(void)
{
    bool moved;

    do {
        moved = read_all(&server);
        moved = read_all(&client) || moved;
    } while (moved);
}

static void verdict(struct end *end, const char *reject)
{
    step(end, (struct peer_input){.kind = PEER_VERDICT, .reject = reject});
}

static struct noise_keypair keypair(uint8_t seed)
{
    struct noise_keypair keys;

    memset(keys.secret.bytes, seed, sizeof(keys.secret.bytes));
    noise_public_key(&keys.secret, &keys.public);
    return keys;
}

static struct noise_keypair client_keys, server_keys;

static void begin_end(struct end *end, enum peer_role role, enum peer_suite suite)
{
    struct noise_secret ephemeral;

    memset(ephemeral.bytes, role == PEER_CLIENT ? 3 : 4, sizeof(ephemeral.bytes));
    memset(end, 0, sizeof(*end));
    struct peer_config config = {
        .role = role,
        .suite = suite,
        .static_keys = role == PEER_CLIENT ? &client_keys : &server_keys,
        .ephemeral = &ephemeral,
        .agent = SLICE("test 1"),
        .scratch = &end->scratch,
    };
    CU_ASSERT_EQUAL_FATAL(peer_begin(&end->peer, &config, now), 0);
}

static void begin(enum peer_suite suite)
{
    peer_wipe(&client.peer);
    peer_wipe(&server.peer);
    client_keys = keypair(1);
    server_keys = keypair(2);
    now = 1000000;
    begin_end(&client, PEER_CLIENT, suite);
    begin_end(&server, PEER_SERVER, suite);
    step(&client, (struct peer_input){.kind = PEER_START});
}

/* An open connection over Noise, WELCOME said. */
static void welcome(void)
{
    static const char inst[16] = "0123456789abcde";
    struct msg msg = {.type = MSG_WELCOME,
                      .u.welcome = {.v = 1,
                                    .inst = {inst, 16},
                                    .name = SLICE("host"),
                                    .you = SLICE("me"),
                                    .lim = {1, 2, 3, 4}}};

    CU_ASSERT_EQUAL(step(&server, (struct peer_input){.kind = PEER_SEND, .msg = &msg}).error, 0);
    pump();
    CU_ASSERT_STRING_EQUAL(client.said, "WELCOME");
}

static void open_noise(void)
{
    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    pump();
    verdict(&server, NULL);
    CU_ASSERT(peer_is_open(&server.peer) && peer_is_open(&client.peer));
    welcome();
}

static int send_who(uint32_t id)
{
    struct msg who = {.type = MSG_WHO, .id = id};

    return step(&client, (struct peer_input){.kind = PEER_SEND, .msg = &who}).error;
}

/* Sends bytes as one frame of the client's, encrypted. */
static void send_raw(const char *bytes, size_t len)
{
    uint8_t frame[2 + LIM_FRAME];
    ssize_t sealed =
        noise_encrypt(&client.peer.send, (const uint8_t *)bytes, len, frame + 2, LIM_FRAME);

    CU_ASSERT_FATAL(sealed > 0);
    wire_put_length(frame, (size_t)sealed);
    memcpy(server.inbox + server.inbox_len, frame, 2 + (size_t)sealed);
    server.inbox_len += 2 + (size_t)sealed;
    pump();
}

#define SEND_RAW(literal) send_raw(literal, sizeof(literal) - 1)

static void tick_at(struct end *end, uint64_t at)
{
    now = at;
    step(end, (struct peer_input){.kind = PEER_TICK});
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void both_learn_the_other_key(void)
{
    open_noise();
    CU_ASSERT(memcmp(&client.asked, &server_keys.public, NOISE_KEY) == 0);
    CU_ASSERT(memcmp(&server.asked, &client_keys.public, NOISE_KEY) == 0);
    CU_ASSERT(memcmp(client.peer.handshake_hash, server.peer.handshake_hash, NOISE_HASH) == 0);
    CU_ASSERT_EQUAL(send_who(1), 0);
    pump();
    CU_ASSERT_STRING_EQUAL(server.said, "WHO");
    CU_ASSERT_EQUAL(server.last_id, 1);
}

static void a_request_may_follow_message_3_at_once(void)
{
    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    CU_ASSERT_EQUAL(send_who(1), 0);
    pump();
    CU_ASSERT(server.was_asked);
    CU_ASSERT_EQUAL(server.messages, 0); /* not before the verdict */
    verdict(&server, NULL);
    pump();
    CU_ASSERT_STRING_EQUAL(server.said, "WHO");
}

static void bytes_may_come_one_by_one(void)
{
    begin(PEER_SUITE_NOISE);
    uint8_t bytes[400];
    size_t len = server.inbox_len;

    CU_ASSERT_FATAL(len <= sizeof(bytes));
    memcpy(bytes, server.inbox, len);
    server.inbox_len = 0;
    for (size_t i = 0; i < len; i++) {
        server.inbox[server.inbox_len++] = bytes[i];
        read_all(&server);
    }
    CU_ASSERT(client.inbox_len > 0);
    pump();
    CU_ASSERT(client.was_asked);
}

static void a_rejected_client_is_told_on_its_first_request(void)
{
    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    send_who(1);
    pump();
    verdict(&server, "unauthorized");
    pump();
    CU_ASSERT_STRING_EQUAL(client.said, "ERROR");
    CU_ASSERT_STRING_EQUAL(client.code, "unauthorized");
    CU_ASSERT_EQUAL(client.last_id, 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_UNAUTHORIZED);
    CU_ASSERT(server.last.linger);
    CU_ASSERT_EQUAL(server.messages, 0);
}

/* Up to the server's verdict on a client that asks with this message. */
static void ask_as_a_stranger(const struct msg *msg)
{
    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    CU_ASSERT_EQUAL(step(&client, (struct peer_input){.kind = PEER_SEND, .msg = msg}).error, 0);
    pump();
    step(&server,
         (struct peer_input){.kind = PEER_VERDICT, .reject = "unauthorized", .may_enrol = true});
    pump();
}

static struct msg an_enrol(uint32_t id)
{
    static const char bytes[ENROL_MAC];

    return (struct msg){.type = MSG_ENROL,
                        .id = id,
                        .u.enrol = {.id = {bytes, ENROL_ID}, .mac = {bytes, ENROL_MAC}}};
}

static void a_stranger_may_enrol(void)
{
    const struct msg enrol = an_enrol(3);
    struct msg enrolled = {.type = MSG_ENROLLED,
                           .id = 3,
                           .u.enrolled = {.mac = enrol.u.enrol.mac, .you = SLICE("alice")}};

    ask_as_a_stranger(&enrol);
    CU_ASSERT_STRING_EQUAL(server.said, "ENROL");
    CU_ASSERT_EQUAL(server.messages, 1);
    CU_ASSERT_FALSE(peer_is_open(&server.peer));
    CU_ASSERT_EQUAL(step(&server, (struct peer_input){.kind = PEER_SEND, .msg = &enrolled}).error,
                    -ENOTCONN);
    verdict(&server, NULL);
    CU_ASSERT(peer_is_open(&server.peer));
    CU_ASSERT_EQUAL(step(&server, (struct peer_input){.kind = PEER_SEND, .msg = &enrolled}).error,
                    0);
    pump();
    CU_ASSERT_STRING_EQUAL(client.said, "ENROLLED"); /* before WELCOME */
    send_who(3);                                     /* an id is used once, ENROL's too */
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
}

static void a_stranger_whose_invitation_is_none(void)
{
    const struct msg enrol = an_enrol(1);

    ask_as_a_stranger(&enrol);
    verdict(&server, "invite-invalid");
    pump();
    CU_ASSERT_STRING_EQUAL(client.said, "ERROR");
    CU_ASSERT_STRING_EQUAL(client.code, "invite-invalid");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_UNAUTHORIZED);
    CU_ASSERT(server.last.linger);
}

/* Only ENROL, only as a request, and only where it is offered. */
static void a_stranger_may_ask_nothing_else(void)
{
    const struct msg who = {.type = MSG_WHO, .id = 1}, enrol = an_enrol(1);

    ask_as_a_stranger(&who);
    CU_ASSERT_STRING_EQUAL(client.code, "unauthorized");
    CU_ASSERT_EQUAL(server.messages, 0);
    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    step(&client, (struct peer_input){.kind = PEER_SEND, .msg = &enrol});
    pump();
    verdict(&server, "unauthorized");
    pump();
    CU_ASSERT_STRING_EQUAL(client.code, "unauthorized");
    CU_ASSERT_EQUAL(server.messages, 0);
}

static void a_distrusted_server_learns_nothing(void)
{
    begin(PEER_SUITE_NOISE);
    pump();
    server.inbox_len = 0;
    verdict(&client, "no");
    CU_ASSERT_EQUAL(client.last.end, PEER_END_UNAUTHORIZED);
    CU_ASSERT_EQUAL(server.inbox_len, 0); /* message 3 holds our key: it never left */
    CU_ASSERT_EQUAL(send_who(1), -ENOTCONN);
}

static enum peer_end preamble(const char *bytes, size_t len)
{
    begin(PEER_SUITE_NOISE);
    server.inbox_len = len;
    memcpy(server.inbox, bytes, len);
    pump();
    return server.last.end;
}

static void wrong_preambles(void)
{
    CU_ASSERT_EQUAL(preamble("GET / HT", 8), PEER_END_GARBAGE);
    CU_ASSERT_EQUAL(preamble("M", 1), PEER_END_NONE); /* not yet */
    CU_ASSERT_EQUAL(preamble("X", 1), PEER_END_GARBAGE);
    CU_ASSERT_EQUAL(client.inbox_len, 0); /* in silence */
    CU_ASSERT_EQUAL(preamble("MSG\0\2\1\0\0", 8), PEER_END_REFUSED);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_REFUSED);
    CU_ASSERT_EQUAL(client.peer.refusal.code, PEER_REFUSE_VERSION);
    CU_ASSERT_EQUAL(client.peer.refusal.lowest, 1);
    CU_ASSERT_EQUAL(client.peer.refusal.highest, 1);
    CU_ASSERT_EQUAL(preamble("MSG\0\1\0\0\0", 8), PEER_END_REFUSED); /* plain over TCP */
    CU_ASSERT_EQUAL(client.peer.refusal.code, PEER_REFUSE_SUITE);
    CU_ASSERT_EQUAL(preamble("MSG\0\1\2\0\0", 8), PEER_END_REFUSED); /* the reserved suite */
    CU_ASSERT_EQUAL(client.peer.refusal.code, PEER_REFUSE_SUITE);
    CU_ASSERT_EQUAL(preamble("MSG\0\1\1\0\1", 8), PEER_END_REFUSED); /* a flag */
}

static void a_busy_server_says_how_long(void)
{
    begin(PEER_SUITE_NOISE);
    step(&server, (struct peer_input){.kind = PEER_REFUSE, .wait_s = 5});
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_REFUSED);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_REFUSED);
    CU_ASSERT_EQUAL(client.peer.refusal.code, PEER_REFUSE_BUSY);
    CU_ASSERT_EQUAL(client.peer.refusal.wait_s, 5);
}

static void handshake_frames_are_bounded_by_their_length_bytes(void)
{
    begin(PEER_SUITE_NOISE);
    memcpy(server.inbox, "MSG\0\1\1\0\0\x01\x21", 10); /* 289 */
    server.inbox_len = 10;
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_GARBAGE);
    begin(PEER_SUITE_NOISE);
    memcpy(server.inbox, "MSG\0\1\1\0\0\x01\x20", 10); /* 288: waits for the rest */
    server.inbox_len = 10;
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    begin(PEER_SUITE_NOISE);
    memcpy(client.inbox, "\x10\x61", 2); /* 4,193 as message 2 */
    client.inbox_len = 2;
    read_all(&client);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_GARBAGE);
    begin(PEER_SUITE_NOISE);
    pump();
    memcpy(server.inbox, "\x20\x41", 2); /* 8,257 as message 3 */
    server.inbox_len = 2;
    read_all(&server);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_GARBAGE);
    begin(PEER_SUITE_NOISE);
    pump();
    memcpy(server.inbox, "\0\0", 2); /* a frame of nothing */
    server.inbox_len = 2;
    read_all(&server);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_GARBAGE);
}

static void every_flipped_bit_of_the_handshake_ends_it(void)
{
    for (size_t byte = 8; byte < 8 + 2 + 32; byte++) {
        begin(PEER_SUITE_NOISE);
        server.inbox[byte] ^= 1;
        pump();
        verdict(&client, NULL);
        pump();
        CU_ASSERT(!server.was_asked);
        CU_ASSERT(!peer_is_open(&server.peer));
    }
}

static void a_reflected_handshake_fails(void)
{
    begin(PEER_SUITE_NOISE);
    /* What the client sent comes back to it, as if it were the server's. */
    memcpy(client.inbox, server.inbox + LIM_PREAMBLE, server.inbox_len - LIM_PREAMBLE);
    client.inbox_len = server.inbox_len - LIM_PREAMBLE;
    read_all(&client);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_AUTH);
    CU_ASSERT(!client.was_asked);
}

static void a_replayed_frame_does_not_authenticate(void)
{
    open_noise();
    send_who(1);
    uint8_t frame[256];
    size_t len = server.inbox_len;

    memcpy(frame, server.inbox, len);
    pump();
    memcpy(server.inbox, frame, len);
    server.inbox_len = len;
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_AUTH);
    CU_ASSERT_EQUAL(server.messages, 1);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void ping_is_answered_without_the_owner(void)
{
    open_noise();
    SEND_RAW("\x93\x02\x00\x81\xa1t\x2a");
    CU_ASSERT_EQUAL(server.messages, 0);
    CU_ASSERT_EQUAL(client.messages, 1); /* WELCOME alone: PONG is housekeeping too */
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
}

static void bad_msgpack_is_the_end(void)
{
    open_noise();
    SEND_RAW("\xdd\x00\xff\xff\xff");
    CU_ASSERT_STRING_EQUAL(client.said, "GOAWAY");
    CU_ASSERT_STRING_EQUAL(client.code, "bad-message");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
    CU_ASSERT(server.last.linger);
}

static void a_faulty_message_of_the_connection_is_the_end(void)
{
    open_noise();
    SEND_RAW("\x93\x02\x00\x80"); /* PING without t */
    CU_ASSERT_STRING_EQUAL(client.said, "GOAWAY");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
}

static void a_faulty_request_costs_only_itself(void)
{
    open_noise();
    SEND_RAW("\x93\x12\x01\x81\xa3uid\xc0");
    CU_ASSERT_STRING_EQUAL(client.code, "bad-message");
    CU_ASSERT_STRING_EQUAL(client.at, "uid");
    CU_ASSERT_EQUAL(client.last_id, 1);
    SEND_RAW("\x93\x16\x02\x81\xa2!x\xc0");
    CU_ASSERT_STRING_EQUAL(client.code, "unsupported");
    CU_ASSERT_STRING_EQUAL(client.at, "!x");
    SEND_RAW("\x93\x16\x03\x81\xa2!\x1b\xc0"); /* a key that may not go back into a message */
    CU_ASSERT_STRING_EQUAL(client.code, "unsupported");
    CU_ASSERT_STRING_EQUAL(client.at, "");
    send_who(4);
    pump();
    CU_ASSERT_STRING_EQUAL(server.said, "WHO");
}

static void ids_rise(void)
{
    open_noise();
    SEND_RAW("\x93\x16\x05\x80");
    CU_ASSERT_EQUAL(server.messages, 1);
    SEND_RAW("\x93\x16\x05\x80");
    CU_ASSERT_STRING_EQUAL(client.code, "bad-message");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
    open_noise();
    SEND_RAW("\x93\x16\x00\x80"); /* 0 is the connection itself */
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
}

static void unknown_types(void)
{
    open_noise();
    SEND_RAW("\x93\x65\x01\x80"); /* odd */
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    CU_ASSERT_EQUAL(client.messages, 1);
    SEND_RAW("\x93\x66\x01\x80"); /* even */
    CU_ASSERT_STRING_EQUAL(client.code, "unsupported");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    SEND_RAW("\x93\x66\x00\x80"); /* even, of the connection */
    CU_ASSERT_STRING_EQUAL(client.said, "GOAWAY");
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
}

static void a_server_type_from_a_client_is_the_end(void)
{
    open_noise();
    SEND_RAW("\x93\x22\x01\x82\xa2st\xa2ok\xa1q\x01"); /* RESULT */
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
    open_noise();
    SEND_RAW("\x93\x0e\x00\x81\xa1v\x01"); /* HELLO over Noise */
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
}

static void nothing_comes_before_welcome(void)
{
    struct msg result = {.type = MSG_RESULT, .id = 1, .u.result = {.st = SLICE("ok"), .q = 1}};

    begin(PEER_SUITE_NOISE);
    pump();
    verdict(&client, NULL);
    pump();
    verdict(&server, NULL);
    step(&server, (struct peer_input){.kind = PEER_SEND, .msg = &result});
    pump();
    CU_ASSERT_EQUAL(client.messages, 0);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_BAD_MESSAGE);
}

static void plain_begins_with_hello(void)
{
    begin(PEER_SUITE_PLAIN);
    CU_ASSERT_EQUAL(send_who(1), 0);
    pump();
    CU_ASSERT_EQUAL(server.messages, 2);
    CU_ASSERT_STRING_EQUAL(server.said, "WHO");
    welcome();
    begin(PEER_SUITE_PLAIN);
    memcpy(server.inbox, "MSG\0\1\0\0\0\0\4\x93\x16\x01\x80", 14); /* WHO without HELLO */
    server.inbox_len = 14;
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_BAD_MESSAGE);
    begin(PEER_SUITE_PLAIN);
    pump();
    memcpy(server.inbox, "\xff\xf0", 2); /* 65,520: more than a plaintext may be */
    server.inbox_len = 2;
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_GARBAGE);
}

static void a_message_too_large_is_refused_and_costs_nothing(void)
{
    static char text[LIM_TEXT + 1];
    struct msg_selector to = {.all = true};
    static const char uid[16];
    struct msg send = {.type = MSG_SEND,
                       .id = 1,
                       .u.send = {.uid = {uid, 16}, .to = {&to, 1}, .text = {text, sizeof(text)}}};

    open_noise();
    memset(text, 'x', sizeof(text));
    CU_ASSERT_EQUAL(step(&client, (struct peer_input){.kind = PEER_SEND, .msg = &send}).error,
                    -EINVAL);
    CU_ASSERT_EQUAL(server.inbox_len, 0);
    send.u.send.text.len = LIM_TEXT;
    CU_ASSERT_EQUAL(step(&client, (struct peer_input){.kind = PEER_SEND, .msg = &send}).error, 0);
    pump();
    CU_ASSERT_STRING_EQUAL(server.said, "SEND");
}

/* ---- time ------------------------------------------------------------------------------------ */

static void first_bytes_and_handshake_have_deadlines(void)
{
    begin(PEER_SUITE_NOISE);
    uint64_t start = now;
    tick_at(&server, start + LIM_FIRST_BYTES - 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, start + LIM_FIRST_BYTES);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_DEADLINE);

    begin(PEER_SUITE_NOISE);
    pump();
    tick_at(&server, start + LIM_HANDSHAKE - 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, start + LIM_HANDSHAKE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_DEADLINE);
}

static void progress_does_not_extend_the_handshake(void)
{
    begin(PEER_SUITE_NOISE);
    uint64_t start = now;
    pump();
    now = start + LIM_HANDSHAKE - 1;
    server.inbox[0] = 0;
    server.inbox_len = 1;
    read_all(&server);
    tick_at(&server, start + LIM_HANDSHAKE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_DEADLINE);
}

static void an_idle_connection_ends(void)
{
    open_noise();
    uint64_t opened = now;
    tick_at(&server, opened + LIM_FIRST_REQUEST - 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, opened + LIM_FIRST_REQUEST);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_IDLE);

    open_noise();
    send_who(1);
    pump();
    peer_set_requests(&server.peer, 1, now);
    peer_set_requests(&server.peer, 0, now + 5000);
    tick_at(&server, opened + 5000 + LIM_IDLE - 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, opened + 5000 + LIM_IDLE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_IDLE);
}

static void a_silent_peer_is_pinged_twice_and_given_up(void)
{
    open_noise();
    send_who(1);
    pump();
    peer_set_requests(&server.peer, 1, now);
    uint64_t heard = now;
    client.inbox_len = 0;
    tick_at(&server, heard + LIM_SILENCE);
    CU_ASSERT(client.inbox_len > 0);
    tick_at(&server, heard + 2 * LIM_SILENCE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, heard + 3 * LIM_SILENCE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_SILENT);
}

static void a_pong_keeps_it_alive(void)
{
    open_noise();
    send_who(1);
    pump();
    peer_set_requests(&server.peer, 1, now);
    uint64_t heard = now;
    for (unsigned i = 1; i <= 5; i++) {
        tick_at(&server, heard + i * LIM_SILENCE);
        pump();
        CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
        CU_ASSERT_EQUAL(server.peer.pings, 0);
    }
}

static void a_connection_grows_old(void)
{
    open_noise();
    send_who(1);
    pump();
    peer_set_requests(&server.peer, 1, now);
    uint64_t opened = now;
    server.peer.heard = opened + LIM_AGE; /* it was never silent */
    tick_at(&server, opened + LIM_AGE - 1);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_NONE);
    tick_at(&server, opened + LIM_AGE);
    CU_ASSERT_EQUAL(server.last.end, PEER_END_AGE);
    pump();
    CU_ASSERT_STRING_EQUAL(client.said, "GOAWAY");
    CU_ASSERT_STRING_EQUAL(client.code, "shutting-down");
}

static void the_number_of_messages_is_bounded(void)
{
    open_noise();
    server.peer.received = LIM_MESSAGES - 1;
    send_who(1);
    pump();
    CU_ASSERT_EQUAL(server.last.end, PEER_END_AGE);
    CU_ASSERT_STRING_EQUAL(client.said, "GOAWAY");
}

static void what_is_sent_is_counted_too(void)
{
    open_noise();
    client.peer.sent = LIM_MESSAGES - 1;
    CU_ASSERT_EQUAL(send_who(1), 0);
    CU_ASSERT_EQUAL(client.last.end, PEER_END_AGE);
    pump();
    CU_ASSERT_STRING_EQUAL(server.said, "GOAWAY"); /* behind the request, which is not lost */
    CU_ASSERT_EQUAL(server.messages, 2);
}

static CU_TestInfo tests[] = {
    UNIT_TEST(both_learn_the_other_key),
    UNIT_TEST(a_request_may_follow_message_3_at_once),
    UNIT_TEST(bytes_may_come_one_by_one),
    UNIT_TEST(a_rejected_client_is_told_on_its_first_request),
    UNIT_TEST(a_stranger_may_enrol),
    UNIT_TEST(a_stranger_whose_invitation_is_none),
    UNIT_TEST(a_stranger_may_ask_nothing_else),
    UNIT_TEST(a_distrusted_server_learns_nothing),
    UNIT_TEST(wrong_preambles),
    UNIT_TEST(a_busy_server_says_how_long),
    UNIT_TEST(handshake_frames_are_bounded_by_their_length_bytes),
    UNIT_TEST(every_flipped_bit_of_the_handshake_ends_it),
    UNIT_TEST(a_reflected_handshake_fails),
    UNIT_TEST(a_replayed_frame_does_not_authenticate),
    UNIT_TEST(ping_is_answered_without_the_owner),
    UNIT_TEST(bad_msgpack_is_the_end),
    UNIT_TEST(a_faulty_message_of_the_connection_is_the_end),
    UNIT_TEST(a_faulty_request_costs_only_itself),
    UNIT_TEST(ids_rise),
    UNIT_TEST(unknown_types),
    UNIT_TEST(a_server_type_from_a_client_is_the_end),
    UNIT_TEST(nothing_comes_before_welcome),
    UNIT_TEST(plain_begins_with_hello),
    UNIT_TEST(a_message_too_large_is_refused_and_costs_nothing),
    UNIT_TEST(first_bytes_and_handshake_have_deadlines),
    UNIT_TEST(progress_does_not_extend_the_handshake),
    UNIT_TEST(an_idle_connection_ends),
    UNIT_TEST(a_silent_peer_is_pinged_twice_and_given_up),
    UNIT_TEST(a_pong_keeps_it_alive),
    UNIT_TEST(a_connection_grows_old),
    UNIT_TEST(the_number_of_messages_is_bounded),
    UNIT_TEST(what_is_sent_is_counted_too),
    UNIT_END,
};

int main(void)
{
    if (sodium_init() < 0)
        return 2;
    int result = unit_run("peer", tests);
    peer_wipe(&client.peer);
    peer_wipe(&server.peer);
    return result;
}
