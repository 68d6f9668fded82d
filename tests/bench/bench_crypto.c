/* SPDX-License-Identifier: MIT */
/*
 * What a handshake costs one side, beside the four scalar multiplications that Noise XX cannot do
 * without, measured in turns in the same run. CPU time of this process, one core.
 */
#include "protocol/noise.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 40
#define EACH   100 /* of everything, in each round */

enum { SCALARMULT, SCALARMULT_BASE, INITIATOR, RESPONDER, MEASURES };

static double taken[MEASURES][ROUNDS]; /* microseconds, of one */
static struct noise_keypair keys[2];

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void require(bool truth)
{
    if (!truth)
        abort();
}

/* One handshake between two ends in this process; adds what each took. */
static void shake_hands(double us[2])
{
    struct noise_handshake ends[2];
    struct noise_secret ephemeral;
    struct noise_cipher send, receive;
    uint8_t message[256], payload[256];
    size_t len = 0;

    for (int i = 0; i < 2; i++) {
        randombytes_buf(ephemeral.bytes, NOISE_KEY);
        double from = now_us();
        require(noise_init(&ends[i], i == 0, &keys[i], &ephemeral, payload, 8) == 0);
        us[i] += now_us() - from;
    }
    for (int i = 0; i < 2 * NOISE_MESSAGES; i++) { /* write, read, write, ... */
        int end = (i + 1) / 2 % 2;
        double from = now_us();
        ssize_t n = i % 2 == 0 ? noise_write(&ends[end], NULL, 0, message, sizeof(message))
                               : noise_read(&ends[end], message, len, payload, sizeof(payload));
        us[end] += now_us() - from;
        require(n >= 0);
        len = (size_t)n;
    }
    for (int i = 0; i < 2; i++) {
        double from = now_us();
        require(noise_split(&ends[i], &send, &receive) == 0);
        noise_wipe(&ends[i]);
        us[i] += now_us() - from;
    }
}

static void measure(int round)
{
    uint8_t out[NOISE_KEY];
    double us[2] = {0, 0}, from = now_us();

    for (int i = 0; i < EACH; i++)
        require(crypto_scalarmult(out, keys[0].secret.bytes, keys[1].public.bytes) == 0);
    taken[SCALARMULT][round] = (now_us() - from) / EACH;
    from = now_us();
    for (int i = 0; i < EACH; i++)
        require(crypto_scalarmult_base(out, keys[0].secret.bytes) == 0);
    taken[SCALARMULT_BASE][round] = (now_us() - from) / EACH;
    for (int i = 0; i < EACH; i++)
        shake_hands(us);
    taken[INITIATOR][round] = us[0] / EACH;
    taken[RESPONDER][round] = us[1] / EACH;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double values[static ROUNDS])
{
    qsort(values, ROUNDS, sizeof(values[0]), by_size);
    return values[ROUNDS / 2];
}

int main(void)
{
    double us[MEASURES];

    require(sodium_init() >= 0);
    for (int i = 0; i < 2; i++) {
        randombytes_buf(keys[i].secret.bytes, NOISE_KEY);
        require(noise_public_key(&keys[i].secret, &keys[i].public) == 0);
    }
    for (int round = 0; round < ROUNDS; round++)
        measure(round);
    for (int i = 0; i < MEASURES; i++)
        us[i] = median(taken[i]);

    double four = 3 * us[SCALARMULT] + us[SCALARMULT_BASE]; /* ee, es, se and the ephemeral key */
    printf("crypto_scalarmult        %7.1f us    crypto_scalarmult_base %.1f us\n", us[SCALARMULT],
           us[SCALARMULT_BASE]);
    printf("four of them             %7.1f us    %6.0f a second a core: the bound\n", four,
           1e6 / four);
    for (int i = INITIATOR; i <= RESPONDER; i++)
        printf("handshake, %-9s     %7.1f us    %6.0f a second a core    %.2f times the four\n",
               i == INITIATOR ? "initiator" : "responder", us[i], 1e6 / us[i], us[i] / four);
    return 0;
}
