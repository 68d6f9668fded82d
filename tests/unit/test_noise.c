/* SPDX-License-Identifier: MIT */
/* What Noise refuses: the right bytes are test_vectors.c's matter. */
#include "protocol/limits.h"
#include "protocol/noise.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define PROLOGUE (const uint8_t *)"prologue", 8
#define SLACK    128

/* Two ends and the three messages that pass between them. */
static struct noise_keypair keys[2];
static struct noise_handshake ends[2];
static uint8_t messages[NOISE_MESSAGES][SLACK];
static size_t lengths[NOISE_MESSAGES];
static uint8_t scratch[LIM_FRAME + NOISE_TAG + 1];

static void begin(void)
{
    for (int i = 0; i < 2; i++) {
        struct noise_secret ephemeral;
        memset(keys[i].secret.bytes, 0x11 * (i + 1), NOISE_KEY);
        memset(ephemeral.bytes, 0x77 + i, NOISE_KEY);
        CU_ASSERT_EQUAL(noise_public_key(&keys[i].secret, &keys[i].public), 0);
        CU_ASSERT_EQUAL(noise_init(&ends[i], i == 0, &keys[i], &ephemeral, PROLOGUE), 0);
    }
}

static struct noise_handshake *writer(int number)
{
    return &ends[number % 2];
}
static struct noise_handshake *reader(int number)
{
    return &ends[1 - number % 2];
}

static void write_one(int number)
{
    ssize_t n = noise_write(writer(number), (const uint8_t *)"hello", 5, messages[number], SLACK);

    CU_ASSERT_EQUAL_FATAL(n, (ssize_t)noise_overhead((unsigned)number) + 5);
    lengths[number] = (size_t)n;
}
static ssize_t read_one(int number)
{
    return noise_read(reader(number), messages[number], lengths[number], scratch, sizeof(scratch));
}

/* Both ends, up to and without message `number`, which is written but not read. */
static void begin_at(int number)
{
    begin();
    for (int i = 0; i < number; i++) {
        write_one(i);
        CU_ASSERT_EQUAL_FATAL(read_one(i), 5);
    }
    write_one(number);
}

static bool is_wiped(const void *memory, size_t len)
{
    return sodium_is_zero(memory, len);
}

/* Nothing can be done with it any more, and none of its secrets is left. */
static void check_failed(struct noise_handshake *hs)
{
    struct noise_cipher send = {.nonce = 1}, receive = {.nonce = 1};

    CU_ASSERT(!noise_my_turn(hs) && !noise_done(hs) && !noise_knows_remote(hs));
    CU_ASSERT_EQUAL(noise_write(hs, NULL, 0, scratch, sizeof(scratch)), -EPROTO);
    CU_ASSERT_EQUAL(noise_read(hs, messages[0], lengths[0], scratch, sizeof(scratch)), -EPROTO);
    CU_ASSERT_EQUAL(noise_split(hs, &send, &receive), -EPROTO);
    CU_ASSERT(send.nonce == 1 && receive.nonce == 1);
    CU_ASSERT(is_wiped(&hs->cipher, sizeof(hs->cipher)));
    CU_ASSERT(is_wiped(&hs->ephemeral, sizeof(hs->ephemeral)));
    CU_ASSERT(is_wiped(hs->chaining_key, sizeof(hs->chaining_key)));
}

/* ---- turns and lengths ----------------------------------------------------------------------- */

static void test_overhead(void)
{
    CU_ASSERT_EQUAL(noise_overhead(0), 32);
    CU_ASSERT_EQUAL(noise_overhead(1), 32 + 48 + 16);
    CU_ASSERT_EQUAL(noise_overhead(2), 48 + 16);
}

/* Out of turn is the caller's mistake: refused, and the handshake goes on. */
static void test_turns(void)
{
    begin();
    for (int i = 0; i < NOISE_MESSAGES; i++) {
        CU_ASSERT(noise_my_turn(writer(i)) && !noise_my_turn(reader(i)));
        CU_ASSERT_EQUAL(noise_write(reader(i), NULL, 0, scratch, SLACK), -EPROTO);
        CU_ASSERT_EQUAL(noise_read(writer(i), scratch, SLACK, scratch, SLACK), -EPROTO);
        CU_ASSERT(!noise_done(writer(i)) && !noise_done(reader(i)));
        write_one(i);
        CU_ASSERT_EQUAL(read_one(i), 5);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(noise_done(&ends[i]) && !noise_my_turn(&ends[i]));
        CU_ASSERT_EQUAL(noise_write(&ends[i], NULL, 0, scratch, SLACK), -EPROTO);
        CU_ASSERT_EQUAL(noise_read(&ends[i], scratch, SLACK, scratch, SLACK), -EPROTO);
        CU_ASSERT(noise_done(&ends[i]));
    }
}

static void test_knows_remote(void)
{
    static const bool initiator[] = {false, true, true}, responder[] = {false, false, true};

    begin();
    for (int i = 0; i < NOISE_MESSAGES; i++) {
        write_one(i);
        CU_ASSERT_EQUAL(read_one(i), 5);
        CU_ASSERT_EQUAL(noise_knows_remote(&ends[0]), initiator[i]);
        CU_ASSERT_EQUAL(noise_knows_remote(&ends[1]), responder[i]);
    }
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(memcmp(ends[i].remote_static.bytes, keys[1 - i].public.bytes, NOISE_KEY),
                        0);
}

static void test_early_split(void)
{
    struct noise_cipher send, receive;

    begin_at(2);
    CU_ASSERT_EQUAL(noise_split(reader(2), &send, &receive), -EPROTO);
    CU_ASSERT_EQUAL(noise_split(writer(2), &send, &receive), 0);
}

/* Every shorter length: below the overhead by its length, above it by its tag. */
static void test_truncated(void)
{
    for (int i = 0; i < NOISE_MESSAGES; i++) {
        begin_at(i);
        for (size_t len = 0; len < lengths[i]; len++) {
            struct noise_handshake copy = *reader(i);
            ssize_t n = noise_read(&copy, messages[i], len, scratch, sizeof(scratch));
            if (len < noise_overhead((unsigned)i))
                CU_ASSERT_EQUAL(n, -EMSGSIZE);
            if (len >= noise_overhead((unsigned)i) && i > 0)
                CU_ASSERT_EQUAL(n, -EBADMSG);
            if (n < 0)
                check_failed(&copy);
        }
    }
}

static void test_room(void)
{
    for (int i = 0; i < NOISE_MESSAGES; i++) {
        size_t overhead = noise_overhead((unsigned)i);
        begin_at(i);
        struct noise_handshake copy = *reader(i);
        CU_ASSERT_EQUAL(noise_read(&copy, messages[i], lengths[i], scratch, 5), 5);
        copy = *reader(i);
        CU_ASSERT_EQUAL(noise_read(&copy, messages[i], lengths[i], scratch, 4), -EMSGSIZE);
        check_failed(&copy);
        CU_ASSERT_EQUAL(read_one(i), 5);
        if (i == NOISE_MESSAGES - 1)
            break;
        overhead = noise_overhead((unsigned)i + 1);
        copy = *writer(i + 1);
        CU_ASSERT_EQUAL(noise_write(&copy, messages[0], 5, scratch, overhead + 5),
                        (ssize_t)overhead + 5);
        copy = *writer(i + 1);
        CU_ASSERT_EQUAL(noise_write(&copy, messages[0], 5, scratch, overhead + 4), -EMSGSIZE);
        check_failed(&copy);
    }
}

/* A Noise message has at most 65,535 bytes. */
static void test_longest(void)
{
    static uint8_t payload[LIM_FRAME];
    size_t most = LIM_FRAME - noise_overhead(0);

    begin();
    struct noise_handshake copy = ends[0];
    CU_ASSERT_EQUAL(noise_write(&copy, payload, most, scratch, sizeof(scratch)), LIM_FRAME);
    CU_ASSERT_EQUAL(noise_read(&ends[1], scratch, LIM_FRAME, payload, sizeof(payload)),
                    (ssize_t)most);
    copy = ends[0];
    CU_ASSERT_EQUAL(noise_write(&copy, payload, most + 1, scratch, sizeof(scratch)), -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_write(&ends[0], payload, SIZE_MAX, scratch, sizeof(scratch)), -EMSGSIZE);
    begin();
    CU_ASSERT_EQUAL(noise_read(&ends[1], scratch, LIM_FRAME + 1, payload, sizeof(payload)),
                    -EMSGSIZE);
}

/* ---- what an attacker on the wire can do ----------------------------------------------------- */

/* Message 1 is in the clear, so there a flipped bit shows in message 2. */
static void test_flipped(void)
{
    for (int i = 1; i < NOISE_MESSAGES; i++) {
        begin_at(i);
        for (size_t bit = 0; bit < 8 * lengths[i]; bit++) {
            struct noise_handshake copy = *reader(i);
            messages[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
            ssize_t n = noise_read(&copy, messages[i], lengths[i], scratch, sizeof(scratch));
            CU_ASSERT_EQUAL(n, -EBADMSG);
            check_failed(&copy);
            messages[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CU_ASSERT_EQUAL(read_one(i), 5);
    }
}

static void test_flipped_first(void)
{
    for (size_t bit = 0; bit < 8 * 37; bit++) {
        begin_at(0);
        messages[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(read_one(0), 5);
        write_one(1);
        CU_ASSERT_EQUAL(read_one(1), -EBADMSG);
        check_failed(&ends[0]);
    }
}

static void test_other_prologue(void)
{
    struct noise_secret ephemeral;

    begin_at(0);
    memset(ephemeral.bytes, 3, NOISE_KEY);
    noise_init(&ends[1], false, &keys[1], &ephemeral, (const uint8_t *)"Prologue", 8);
    CU_ASSERT_EQUAL(read_one(0), 5);
    write_one(1);
    CU_ASSERT_EQUAL(read_one(1), -EBADMSG);
}

/* One's own message sent back is no message of the other side. */
static void test_reflection(void)
{
    begin_at(0);
    CU_ASSERT_EQUAL(noise_read(&ends[0], messages[0], lengths[0], scratch, SLACK), -EMSGSIZE);
    check_failed(&ends[0]);
    begin_at(0);
    lengths[0] = noise_overhead(1); /* long enough: its static key does not authenticate */
    CU_ASSERT_EQUAL(noise_read(&ends[0], messages[0], lengths[0], scratch, SLACK), -EBADMSG);
    begin_at(1);
    CU_ASSERT_EQUAL(noise_read(&ends[1], messages[1], lengths[1], scratch, SLACK), -EBADMSG);
    check_failed(&ends[1]);
}

/* Message 1 may be replayed, which gains nothing: message 3 cannot, the ephemeral key is new. */
static void test_replay(void)
{
    uint8_t first[SLACK], third[SLACK];
    struct noise_secret fresh;

    begin_at(2);
    memcpy(first, messages[0], SLACK);
    memcpy(third, messages[2], SLACK);
    memset(fresh.bytes, 0x99, NOISE_KEY);
    noise_init(&ends[1], false, &keys[1], &fresh, PROLOGUE);
    CU_ASSERT_EQUAL(noise_read(&ends[1], first, lengths[0], scratch, SLACK), 5);
    CU_ASSERT(noise_write(&ends[1], NULL, 0, scratch, SLACK) > 0);
    CU_ASSERT_EQUAL(noise_read(&ends[1], third, lengths[2], scratch, SLACK), -EBADMSG);
    check_failed(&ends[1]);
}

/* Points whose multiples are all of low order, so that any DH with them is zero (RFC 7748, 7). */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/* The first bit of the last byte does not count: the same points once more with it set. */
static struct noise_public low_order_point(size_t number)
{
    struct noise_public point;

    CU_ASSERT_EQUAL(
        sodium_hex2bin(point.bytes, NOISE_KEY, low_order[number / 2], 64, NULL, NULL, NULL), 0);
    point.bytes[NOISE_KEY - 1] |= number % 2 ? 0x80 : 0;
    return point;
}
#define LOW_ORDER_POINTS (2 * sizeof(low_order) / sizeof(low_order[0]))

static void test_low_order_ephemeral(void)
{
    for (size_t i = 0; i < LOW_ORDER_POINTS; i++) {
        begin();
        ends[0].ephemeral.public = low_order_point(i);
        write_one(0);
        CU_ASSERT_EQUAL(read_one(0), 5);
        CU_ASSERT_EQUAL(noise_write(&ends[1], NULL, 0, scratch, SLACK), -EBADMSG); /* ee */
        check_failed(&ends[1]);

        begin_at(0);
        CU_ASSERT_EQUAL(read_one(0), 5);
        ends[1].ephemeral.public = low_order_point(i);
        write_one(1);
        CU_ASSERT_EQUAL(read_one(1), -EBADMSG); /* ee, at the other end */
        check_failed(&ends[0]);
    }
}

/* A static key is encrypted, so it takes a true peer to send a bad one. */
static void test_low_order_static(void)
{
    for (size_t i = 0; i < LOW_ORDER_POINTS; i++) {
        begin();
        keys[1].public = low_order_point(i);
        write_one(0);
        CU_ASSERT_EQUAL(read_one(0), 5);
        write_one(1);
        CU_ASSERT_EQUAL(read_one(1), -EBADMSG); /* es */
        check_failed(&ends[0]);

        begin_at(1);
        CU_ASSERT_EQUAL(read_one(1), 5);
        keys[0].public = low_order_point(i);
        write_one(2);
        CU_ASSERT_EQUAL(read_one(2), -EBADMSG); /* se */
        check_failed(&ends[1]);
    }
}

static void test_wipe(void)
{
    begin_at(1);
    noise_wipe(&ends[0]);
    check_failed(&ends[0]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_overhead),
        UNIT_TEST(test_turns),
        UNIT_TEST(test_knows_remote),
        UNIT_TEST(test_early_split),
        UNIT_TEST(test_truncated),
        UNIT_TEST(test_room),
        UNIT_TEST(test_longest),
        UNIT_TEST(test_flipped),
        UNIT_TEST(test_flipped_first),
        UNIT_TEST(test_other_prologue),
        UNIT_TEST(test_reflection),
        UNIT_TEST(test_replay),
        UNIT_TEST(test_low_order_ephemeral),
        UNIT_TEST(test_low_order_static),
        UNIT_TEST(test_wipe),
        UNIT_END,
    };

    return sodium_init() < 0 ? 1 : unit_run("noise", tests);
}
