/* SPDX-License-Identifier: MIT */
/* Noise after the handshake: order, forgery, sizes, the last nonce. */
#include "protocol/limits.h"
#include "protocol/noise.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define SLACK 128

static uint8_t message[SLACK], scratch[SLACK];

/* The keys of two ends after a whole handshake. */
static void split_both(struct noise_cipher send[2], struct noise_cipher receive[2])
{
    struct noise_keypair keys[2];
    struct noise_handshake ends[2];

    for (int i = 0; i < 2; i++) {
        struct noise_secret ephemeral;
        memset(keys[i].secret.bytes, 0x11 * (i + 1), NOISE_KEY);
        memset(ephemeral.bytes, 0x77 + i, NOISE_KEY);
        CU_ASSERT_EQUAL(noise_public_key(&keys[i].secret, &keys[i].public), 0);
        CU_ASSERT_EQUAL(noise_init(&ends[i], i == 0, &keys[i], &ephemeral, NULL, 0), 0);
    }
    for (int i = 0; i < NOISE_MESSAGES; i++) {
        ssize_t n = noise_write(&ends[i % 2], NULL, 0, message, SLACK);
        CU_ASSERT_FATAL(n > 0);
        CU_ASSERT_EQUAL(noise_read(&ends[1 - i % 2], message, (size_t)n, scratch, SLACK), 0);
    }
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(noise_split(&ends[i], &send[i], &receive[i]), 0);
}

static void test_in_place(void)
{
    struct noise_cipher send[2], receive[2];
    uint8_t buffer[5 + NOISE_TAG] = "hello";

    split_both(send, receive);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(noise_encrypt(&send[i], buffer, 5, buffer, sizeof(buffer)), 21);
        CU_ASSERT_NOT_EQUAL(memcmp(buffer, "hello", 5), 0);
        CU_ASSERT_EQUAL(noise_decrypt(&receive[1 - i], buffer, 21, buffer, sizeof(buffer)), 5);
        CU_ASSERT_EQUAL(memcmp(buffer, "hello", 5), 0);
    }
}

static void test_transport_order(void)
{
    struct noise_cipher send[2], receive[2];
    uint8_t one[21], two[21];

    split_both(send, receive);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], message, 5, one, sizeof(one)), 21);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], message, 5, two, sizeof(two)), 21);
    CU_ASSERT_NOT_EQUAL(memcmp(one, two, sizeof(one)), 0);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[0], one, 21, scratch, SLACK), -EBADMSG); /* reflected */
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], two, 21, scratch, SLACK), -EBADMSG); /* too early */
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], one, 21, scratch, SLACK), 5);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], one, 21, scratch, SLACK), -EBADMSG); /* replayed */
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], two, 21, scratch, SLACK), 5);
}

static void test_transport_flipped(void)
{
    struct noise_cipher send[2], receive[2];
    uint8_t sealed[21];

    split_both(send, receive);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], (const uint8_t *)"hello", 5, sealed, 21), 21);
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, 21, scratch, SLACK), -EBADMSG);
        CU_ASSERT_NOT_EQUAL(memcmp(scratch, "hello", 5), 0);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, 20, scratch, SLACK), -EBADMSG);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, 21, scratch, SLACK), 5);
}

static void test_transport_sizes(void)
{
    static uint8_t plain[LIM_FRAME], sealed[LIM_FRAME + 1];
    struct noise_cipher send[2], receive[2];

    split_both(send, receive);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], plain, LIM_PLAINTEXT, sealed, LIM_FRAME), LIM_FRAME);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], plain, LIM_PLAINTEXT + 1, sealed, sizeof(sealed)),
                    -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], plain, 5, sealed, 20), -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], plain, SIZE_MAX, sealed, SIZE_MAX), -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, LIM_FRAME, plain, LIM_PLAINTEXT - 1),
                    -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, LIM_FRAME + 1, plain, sizeof(plain)),
                    -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, NOISE_TAG - 1, plain, sizeof(plain)),
                    -EMSGSIZE);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, LIM_FRAME, plain, LIM_PLAINTEXT),
                    LIM_PLAINTEXT);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], NULL, 0, sealed, NOISE_TAG), NOISE_TAG);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], sealed, NOISE_TAG, plain, 0), 0);
}

/* 2^64 - 1 is never used as a nonce. */
static void test_nonce(void)
{
    struct noise_cipher send[2], receive[2];

    split_both(send, receive);
    send[0].nonce = receive[1].nonce = UINT64_MAX - 1;
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], NULL, 0, message, SLACK), NOISE_TAG);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], message, NOISE_TAG, scratch, SLACK), 0);
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], NULL, 0, message, SLACK), -EOVERFLOW);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[1], message, NOISE_TAG, scratch, SLACK), -EOVERFLOW);
    CU_ASSERT_EQUAL(send[0].nonce, UINT64_MAX);
}

static void test_cipher_wipe(void)
{
    struct noise_cipher send[2], receive[2];

    split_both(send, receive);
    noise_cipher_wipe(&send[0]);
    CU_ASSERT(sodium_is_zero((const uint8_t *)&send[0], sizeof(send[0])));
    CU_ASSERT_EQUAL(noise_encrypt(&send[0], NULL, 0, message, SLACK), -EPROTO);
    noise_cipher_wipe(&receive[0]);
    CU_ASSERT_EQUAL(noise_decrypt(&receive[0], message, SLACK, scratch, SLACK), -EPROTO);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_in_place),
        UNIT_TEST(test_transport_order),
        UNIT_TEST(test_transport_flipped),
        UNIT_TEST(test_transport_sizes),
        UNIT_TEST(test_nonce),
        UNIT_TEST(test_cipher_wipe),
        UNIT_END,
    };

    return sodium_init() < 0 ? 1 : unit_run("noise_transport", tests);
}
