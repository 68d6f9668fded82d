/* SPDX-License-Identifier: MIT */
/* What the benchmarks share: clocks, percentiles, and the bound that handshakes are held against.
 */
#ifndef MSG_TESTS_BENCH_H
#define MSG_TESTS_BENCH_H

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A benchmark has no second way: what fails ends it. */
static inline void bench_require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static inline double bench_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline int bench_by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts the values. part: 0.5 is the median. */
static inline double bench_percentile(double *values, size_t n, double part)
{
    size_t place = (size_t)((double)n * part);

    qsort(values, n, sizeof(values[0]), bench_by_size);
    return values[place < n ? place : n - 1];
}

struct bench_dh {
    double scalarmult, base; /* microseconds of CPU time, of one */
};

/* The four scalar multiplications of one side of Noise XX: ee, es, se and the ephemeral key. */
static inline double bench_four(struct bench_dh dh)
{
    return 3 * dh.scalarmult + dh.base;
}

static inline struct bench_dh bench_scalarmult(unsigned each)
{
    unsigned char secret[crypto_scalarmult_SCALARBYTES], point[crypto_scalarmult_BYTES];
    struct bench_dh dh;
    bool ok = true;

    randombytes_buf(secret, sizeof(secret));
    double from = bench_us(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < each; i++)
        ok = crypto_scalarmult_base(point, secret) == 0 && ok;
    double middle = bench_us(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < each; i++)
        ok = crypto_scalarmult(point, secret, point) == 0 && ok;
    dh.base = (middle - from) / each;
    dh.scalarmult = (bench_us(CLOCK_PROCESS_CPUTIME_ID) - middle) / each;
    bench_require(ok, "libsodium's scalar multiplication failed");
    return dh;
}

#endif
