/* SPDX-License-Identifier: MIT */
/*
 * The messages of protocol/vectors/xx-session.json, made of structs and read back to them; and the
 * whole connection, byte for byte, between two peers.
 */
#include "protocol/peer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

#include <sodium.h>

#define AT_NOON 1767268800000u

static struct vector session;

static const char uid[16] = "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf";
static const char inst[16] = "\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf";
static const struct msg_selector to_bob = {.user = SLICE("bob")};

static const struct msg_event accepted = {
    .q = 1,
    .d = 1,
    .st = SLICE("accepted"),
    .at = AT_NOON,
    .user = SLICE("bob"),
    .sess = SLICE("pts/1"),
    .id = SLICE("7"),
    .kind = SLICE("terminal"),
};
static const struct msg_event displayed = {
    .q = 2, .d = 1, .st = SLICE("displayed"), .at = AT_NOON + 40};
static const struct msg_event acknowledged = {
    .q = 3, .d = 1, .st = SLICE("acknowledged"), .fin = true, .at = AT_NOON + 4200};

static const struct msg said[] = {
    {MSG_SEND,
     1,
     {.send = {.uid = {uid, sizeof(uid)},
               .to = {&to_bob, 1},
               .text = SLICE("Lunch?"),
               .title = SLICE("Canteen"),
               .wait = true,
               .time_ms = 30000,
               .lost_ms = 60000}}},
    {MSG_WELCOME,
     0,
     {.welcome = {.v = 1,
                  .inst = {inst, sizeof(inst)},
                  .name = SLICE("host.example"),
                  .you = SLICE("alice"),
                  .lim = {.text = LIM_TEXT,
                          .requests = LIM_OPEN_REQUESTS,
                          .deliveries = LIM_DELIVERIES,
                          .max_time_ms = LIM_MAX_TIME}}}},
    {MSG_EVENT, 1, {.events = {.ev = {&accepted, 1}, .n = 1, .time_ms = 30000}}},
    {MSG_EVENT, 1, {.events = {.ev = {&displayed, 1}}}},
    {MSG_EVENT, 1, {.events = {.ev = {&acknowledged, 1}}}},
    {MSG_RESULT, 1, {.result = {.st = SLICE("ok"), .n = {.acknowledged = 1}, .q = 3}}},
};
#define SAID (sizeof(said) / sizeof(said[0]))

static void test_encode(void)
{
    uint8_t out[1024];

    for (size_t i = 0; i < SAID; i++) {
        ssize_t n = msg_encode(&said[i], out, sizeof(out));
        CU_ASSERT_FATAL(n > 0);
        CU_ASSERT(vector_is(&session, out, (size_t)n, "transport.%zu.plaintext", i));
        CU_ASSERT_STRING_EQUAL(msg_name(said[i].type),
                               vector_get(&session, "transport.%zu.name", i));
    }
    CU_ASSERT_PTR_NULL(vector_get(&session, "transport.%zu.name", SAID));
}

static void test_decode(void)
{
    for (size_t i = 0; i < SAID; i++) {
        uint8_t bytes[1024], out[1024];
        struct msg_fault fault;
        struct wire_doc doc;
        struct msg msg;
        ssize_t n = vector_bytes(&session, bytes, sizeof(bytes), "transport.%zu.plaintext", i);
        CU_ASSERT_FATAL(n > 0);
        CU_ASSERT_EQUAL_FATAL(msg_decode(&msg, &doc, bytes, (size_t)n, &fault), 0);
        CU_ASSERT_EQUAL(msg.type, said[i].type);
        CU_ASSERT_EQUAL(msg.id, said[i].id);
        CU_ASSERT_EQUAL(msg_encode(&msg, out, sizeof(out)), n);
        CU_ASSERT_EQUAL(memcmp(out, bytes, (size_t)n), 0);
        wire_release(&doc);
    }
}

static void test_hellos(void)
{
    const struct msg_hello2 server = {.v = 1};
    const struct msg_hello3 client = {.v = 1, .agent = SLICE("vector 1")};
    uint8_t out[64];
    ssize_t n = msg_encode_hello2(&server, out, sizeof(out));

    CU_ASSERT(n > 0 && vector_is(&session, out, (size_t)n, "handshake.1.payload"));
    n = msg_encode_hello3(&client, out, sizeof(out));
    CU_ASSERT(n > 0 && vector_is(&session, out, (size_t)n, "handshake.2.payload"));
}

/* ---- the whole connection -------------------------------------------------------------------- */

struct end {
    const char *role;
    struct peer peer;
    struct noise_keypair keys;
    uint8_t wrote[2048];  /* all of it, from the first byte */
    size_t written, read; /* of it, by the other end */
    size_t heard;         /* messages */
};
static struct end ends[2] = {{.role = "client"}, {.role = "server"}};
static struct peer_scratch scratch;

static struct peer_output step(struct end *end, struct peer_input input)
{
    struct peer_output output;

    peer_step(&end->peer, &input, 1, &output);
    CU_ASSERT_FATAL(end->written + output.write_len <= sizeof(end->wrote));
    if (output.write_len > 0)
        memcpy(end->wrote + end->written, output.write, output.write_len);
    end->written += output.write_len;
    CU_ASSERT_EQUAL(output.error, 0);
    CU_ASSERT_NOT_EQUAL(output.action, PEER_CLOSE);
    return output;
}

static void begin(struct end *end, enum peer_role role)
{
    struct noise_secret ephemeral;
    struct peer_config config = {
        .role = role,
        .suite = PEER_SUITE_NOISE,
        .static_keys = &end->keys,
        .ephemeral = &ephemeral,
        .agent = SLICE("vector 1"),
        .scratch = &scratch,
    };

    end->written = end->read = end->heard = 0;
    vector_bytes(&session, end->keys.secret.bytes, NOISE_KEY, "keys.%s_static.private", end->role);
    vector_bytes(&session, ephemeral.bytes, NOISE_KEY, "keys.%s_ephemeral.private", end->role);
    CU_ASSERT_EQUAL(noise_public_key(&end->keys.secret, &end->keys.public), 0);
    CU_ASSERT_EQUAL_FATAL(peer_begin(&end->peer, &config, 1), 0);
}

/* The message that came is the next that the other end has said. */
static void check_heard(struct end *end, const struct msg *msg)
{
    uint8_t out[1024];
    ssize_t n = msg_encode(msg, out, sizeof(out));

    while (strcmp(vector_get(&session, "transport.%zu.from", end->heard), end->role) == 0)
        end->heard++;
    CU_ASSERT(n > 0 && vector_is(&session, out, (size_t)n, "transport.%zu.plaintext", end->heard));
    end->heard++;
}

/* Reads what the other end wrote, and judges its key well. */
static void read_from(struct end *end, struct end *from)
{
    while (from->read < from->written) {
        struct peer_output output =
            step(end, (struct peer_input){.kind = PEER_BYTES,
                                          .bytes = from->wrote + from->read,
                                          .len = from->written - from->read});
        from->read += output.consumed;
        if (output.action == PEER_MESSAGE)
            check_heard(end, &output.msg);
        if (output.action == PEER_ASK_KEY)
            step(end, (struct peer_input){.kind = PEER_VERDICT});
        if (output.action == PEER_NOTHING && output.consumed == 0)
            break;
    }
}

static void test_connection(void)
{
    begin(&ends[0], PEER_CLIENT);
    begin(&ends[1], PEER_SERVER);
    step(&ends[0], (struct peer_input){.kind = PEER_START});
    read_from(&ends[1], &ends[0]);
    read_from(&ends[0], &ends[1]);
    for (size_t i = 0; i < SAID; i++) {
        struct end *from =
            &ends[strcmp(vector_get(&session, "transport.%zu.from", i), "server") == 0];
        step(from, (struct peer_input){.kind = PEER_SEND, .msg = &said[i]});
        read_from(&ends[from == &ends[0]], from);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(vector_is(&session, ends[i].wrote, ends[i].written, "streams.%s", ends[i].role));
        CU_ASSERT(vector_is(&session, ends[i].peer.handshake_hash, NOISE_HASH, "handshake_hash"));
        CU_ASSERT_EQUAL(ends[i].read, ends[i].written);
        peer_wipe(&ends[i].peer);
    }
    CU_ASSERT_EQUAL(ends[1].heard, 1);
    CU_ASSERT_EQUAL(ends[0].heard, SAID);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_encode),
        UNIT_TEST(test_decode),
        UNIT_TEST(test_hellos),
        UNIT_TEST(test_connection),
        UNIT_END,
    };
    FILE *file = vectors_open_ours("xx-session.json");

    if (sodium_init() < 0 || file == NULL || !vector_read(file, &session) || pclose(file) != 0)
        return 1;
    int status = unit_run("session", tests);
    vector_release(&session);
    return status;
}
