/* SPDX-License-Identifier: MIT */
/*
 * Whole connections against a running msgd over TCP: handshake, one SEND that waits, its three
 * events and the RESULT, close. A round is a number of them, some side by side; before each round
 * four scalar multiplications are measured, so that a busy machine slows both alike. The server's
 * CPU time is what the kernel has counted for all its threads.
 *
 * bench_load ADDRESS PORT KEY-FILE USER PID ROUNDS CONNECTIONS PARALLEL
 */
#include "common/keys.h"
#include "common/stream.h"
#include "tests/bench/bench.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#define MOST_ROUNDS 1000
#define MOST_PLACES 256

struct place { /* makes one connection after another */
    struct stream *stream;
    double started;
    unsigned events;
    bool done;
};

static struct {
    struct sockaddr_storage address;
    struct noise_keypair *keys;
    struct slice user;
    const char *pid;
    unsigned rounds, connections, parallel;
} options;

static struct place places[MOST_PLACES];
static uv_loop_t loop;
static unsigned left;   /* connections to begin in this round */
static double *latency; /* microseconds, of each connection in all rounds */
static size_t latencies;

static void begin(struct place *place);

/* ---- one connection -------------------------------------------------------------------------- */

static void on_key(void *owner, struct stream *stream, const struct noise_public *key)
{
    struct msg_selector to = {.user = options.user};
    char uid[16];
    struct msg send = {
        .type = MSG_SEND,
        .id = 1,
        .u.send = {.uid = {uid, sizeof(uid)},
                   .to = {&to, 1},
                   .text = SLICE("Lunch at half past twelve?"),
                   .wait = true,
                   .time_ms = 60000},
    };

    (void)owner;
    (void)key; /* whoever answers is measured */
    randombytes_buf(uid, sizeof(uid));
    stream_verdict(stream, NULL);
    bench_require(stream_send(stream, &send) == 0, "SEND cannot be sent");
}

static void on_message(void *owner, struct stream *stream, const struct msg *msg)
{
    struct place *place = owner;

    if (msg->type == MSG_ERROR) {
        fprintf(stderr, "bench: ERROR %.*s\n", (int)msg->u.error.code.len, msg->u.error.code.ptr);
        exit(1);
    }
    if (msg->type == MSG_EVENT)
        place->events += (unsigned)msg->u.events.ev.n;
    if (msg->type != MSG_RESULT)
        return;
    bench_require(slice_eq(msg->u.result.st, SLICE("ok")), "a RESULT that is not ok");
    bench_require(place->events == 3, "a RESULT after other than three events");
    latency[latencies++] = bench_us(CLOCK_MONOTONIC) - place->started;
    place->done = true;
    stream_close(stream);
}

static void on_gone(void *owner, struct stream *stream, const struct stream_end *end)
{
    struct place *place = owner;

    (void)stream;
    if (!place->done)
        fprintf(stderr, "bench: %s\n", peer_end_name(end->why));
    bench_require(place->done, "a connection ended without a RESULT");
    begin(place);
}

static void begin(struct place *place)
{
    static const struct stream_owner owner = {
        .key = on_key, .message = on_message, .gone = on_gone};
    struct stream_config config = {
        .loop = &loop,
        .owner = &owner,
        .context = place,
        .static_keys = options.keys,
        .agent = SLICE("bench"),
    };

    if (left == 0)
        return;
    left--;
    *place = (struct place){.started = bench_us(CLOCK_MONOTONIC)};
    bench_require(
        stream_connect(&place->stream, &config, (const struct sockaddr *)&options.address) == 0,
        "cannot connect");
}

/* ---- the server's time ----------------------------------------------------------------------- */

/* Nanoseconds that a thread has run: the first number of its schedstat. */
static double thread_ns(const char *thread)
{
    char path[PATH_MAX];
    unsigned long long ns = 0;

    snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", options.pid, thread);
    FILE *file = fopen(path, "r");
    bench_require(file != NULL && fscanf(file, "%llu", &ns) == 1, "no schedstat in /proc");
    fclose(file);
    return (double)ns;
}

static double server_us(void)
{
    char path[PATH_MAX];
    double ns = 0;

    usleep(50000); /* what is still to be closed */
    snprintf(path, sizeof(path), "/proc/%s/task", options.pid);
    DIR *threads = opendir(path);
    bench_require(threads != NULL, "no such process");
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            ns += thread_ns(entry->d_name);
    closedir(threads);
    return ns / 1e3;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

struct round {
    double four, server, wall; /* microseconds: of four, and of one connection */
};

static struct round run_round(void)
{
    struct round round = {.four = bench_four(bench_scalarmult(100))};
    double server = server_us(), wall = bench_us(CLOCK_MONOTONIC);

    left = options.connections;
    for (unsigned i = 0; i < options.parallel; i++)
        begin(&places[i]);
    bench_require(uv_run(&loop, UV_RUN_DEFAULT) == 0, "the loop did not end");
    round.wall = (bench_us(CLOCK_MONOTONIC) - wall) / options.connections;
    round.server = (server_us() - server) / options.connections;
    return round;
}

static void report(const struct round *rounds)
{
    double ratio[MOST_ROUNDS], server[MOST_ROUNDS], wall[MOST_ROUNDS], four[MOST_ROUNDS];

    for (unsigned i = 0; i < options.rounds; i++) {
        ratio[i] = rounds[i].server / rounds[i].four;
        server[i] = rounds[i].server;
        wall[i] = rounds[i].wall;
        four[i] = rounds[i].four;
    }
    double us = bench_percentile(server, options.rounds, 0.5);
    double times = bench_percentile(ratio, options.rounds, 0.5);
    double lowest = bench_percentile(ratio, options.rounds, 0);
    printf("%2u side by side   server CPU %6.1f us (%.0f a second a core); its four scalar "
           "multiplications %.1f us\n",
           options.parallel, us, 1e6 / us, bench_percentile(four, options.rounds, 0.5));
    /* The lowest round is the one that other work on the machine disturbed least. */
    printf("                  that is %.2f times the four, in the lowest round %.2f times\n", times,
           lowest);
    printf("                  %.0f connections a second, latency p50 %.2f ms, p99 %.2f ms\n",
           1e6 / bench_percentile(wall, options.rounds, 0.5),
           bench_percentile(latency, latencies, 0.5) / 1e3,
           bench_percentile(latency, latencies, 0.99) / 1e3);
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    bench_require(*end == '\0' && value > 0 && value <= most, "a number out of range");
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    static struct round rounds[MOST_ROUNDS];
    struct diag diag;

    bench_require(argc == 9, "ADDRESS PORT KEY-FILE USER PID ROUNDS CONNECTIONS PARALLEL");
    bench_require(sodium_init() >= 0 && uv_loop_init(&loop) == 0, "no loop");
    bench_require(uv_ip4_addr(argv[1], (int)number(argv[2], 65535),
                              (struct sockaddr_in *)&options.address) == 0,
                  "ADDRESS is not IPv4");
    bench_require(key_load_or_make(argv[3], &options.keys, NULL, &diag) == 0, "no key");
    options.user = slice_of(argv[4]);
    options.pid = argv[5];
    options.rounds = number(argv[6], MOST_ROUNDS);
    options.connections = number(argv[7], 1000000);
    options.parallel = number(argv[8], MOST_PLACES);
    latency = calloc((size_t)options.rounds * options.connections, sizeof(*latency));
    bench_require(latency != NULL, "no memory");
    for (unsigned i = 0; i < options.rounds; i++)
        rounds[i] = run_round();
    report(rounds);
    free(latency);
    key_free(options.keys);
    uv_loop_close(&loop);
    return 0;
}
