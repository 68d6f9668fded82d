/* SPDX-License-Identifier: MIT */
/*
 * What a handshake costs one side, beside the four scalar multiplications that Noise XX cannot do
 * without, measured in turns in the same run. CPU time of this process, one core.
 */
#include "protocol/noise.h"
#include "tests/bench/bench.h"

#define ROUNDS 40
#define EACH   100 /* of everything, in each round */

static struct noise_keypair keys[2];                             /* 0: the initiator's */
static double scalarmult[ROUNDS], base[ROUNDS], side[2][ROUNDS]; /* microseconds, of one */

/* One handshake between two ends in this process; adds what each took. */
static void shake_hands(double us[2])
{
    struct noise_handshake ends[2];
    struct noise_secret ephemeral;
    struct noise_cipher send, receive;
    uint8_t message[256], payload[256] = "";
    size_t len = 0;

    for (int i = 0; i < 2; i++) {
        randombytes_buf(ephemeral.bytes, NOISE_KEY);
        double from = bench_us(CLOCK_PROCESS_CPUTIME_ID);
        int r = noise_init(&ends[i], i == 0, &keys[i], &ephemeral, payload, 8);
        us[i] += bench_us(CLOCK_PROCESS_CPUTIME_ID) - from;
        bench_require(r == 0, "noise_init");
    }
    for (int i = 0; i < 2 * NOISE_MESSAGES; i++) { /* write, read, write, ... */
        int end = (i + 1) / 2 % 2;
        double from = bench_us(CLOCK_PROCESS_CPUTIME_ID);
        ssize_t n = i % 2 == 0 ? noise_write(&ends[end], NULL, 0, message, sizeof(message))
                               : noise_read(&ends[end], message, len, payload, sizeof(payload));
        us[end] += bench_us(CLOCK_PROCESS_CPUTIME_ID) - from;
        bench_require(n >= 0, "the handshake failed");
        len = (size_t)n;
    }
    for (int i = 0; i < 2; i++) {
        double from = bench_us(CLOCK_PROCESS_CPUTIME_ID);
        int r = noise_split(&ends[i], &send, &receive);
        noise_wipe(&ends[i]);
        us[i] += bench_us(CLOCK_PROCESS_CPUTIME_ID) - from;
        bench_require(r == 0, "noise_split");
    }
}

static void measure(int round)
{
    struct bench_dh dh = bench_scalarmult(EACH);
    double us[2] = {0, 0};

    for (int i = 0; i < EACH; i++)
        shake_hands(us);
    scalarmult[round] = dh.scalarmult;
    base[round] = dh.base;
    for (int i = 0; i < 2; i++)
        side[i][round] = us[i] / EACH;
}

int main(void)
{
    static const char *const names[] = {"initiator", "responder"};

    bench_require(sodium_init() >= 0, "sodium_init");
    for (int i = 0; i < 2; i++) {
        randombytes_buf(keys[i].secret.bytes, NOISE_KEY);
        bench_require(noise_public_key(&keys[i].secret, &keys[i].public) == 0, "a key");
    }
    for (int round = 0; round < ROUNDS; round++)
        measure(round);

    struct bench_dh dh = {bench_percentile(scalarmult, ROUNDS, 0.5),
                          bench_percentile(base, ROUNDS, 0.5)};
    double four = bench_four(dh);
    printf("scalar multiplication   %7.1f us, of the base point %.1f us\n", dh.scalarmult, dh.base);
    printf("four of them            %7.1f us   %6.0f a second a core: the bound\n", four,
           1e6 / four);
    for (int i = 0; i < 2; i++) {
        double us = bench_percentile(side[i], ROUNDS, 0.5);
        printf("handshake, %s    %7.1f us   %6.0f a second a core   %.2f times the four\n",
               names[i], us, 1e6 / us, us / four);
    }
    return 0;
}
