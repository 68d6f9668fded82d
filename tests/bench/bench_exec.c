/* SPDX-License-Identifier: MIT */
/*
 * How long a command takes from start to exit, several commands in turns, what they print thrown
 * away. The first command is what the others are held against.
 *
 * bench_exec TIMES NAME COMMAND ARGUMENT... -- NAME COMMAND ARGUMENT... -- ...
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_COMMANDS 8
#define MOST_TIMES    10000

struct command {
    const char *name;
    char **argv;
    double us[MOST_TIMES];
};

static struct command commands[MOST_COMMANDS];
static posix_spawn_file_actions_t silent;

static double run(const struct command *command)
{
    int status = -1;
    pid_t pid;
    double from = bench_us(CLOCK_MONOTONIC);

    bench_require(posix_spawn(&pid, command->argv[0], &silent, NULL, command->argv, environ) == 0,
                  command->argv[0]);
    bench_require(waitpid(pid, &status, 0) == pid, "waitpid");
    double us = bench_us(CLOCK_MONOTONIC) - from;
    if (status != 0)
        fprintf(stderr, "bench: %s ended with status %d\n", command->name, WEXITSTATUS(status));
    bench_require(status == 0, "a command failed");
    return us;
}

/* The words between "--" and "--", in place: each command's arguments end with NULL. */
static size_t split(char **words)
{
    size_t n = 0;

    while (*words != NULL) {
        bench_require(n < MOST_COMMANDS && words[1] != NULL, "NAME COMMAND ARGUMENT... -- ...");
        commands[n].name = *words++;
        commands[n++].argv = words;
        while (*words != NULL && strcmp(*words, "--") != 0)
            words++;
        if (*words != NULL)
            *words++ = NULL;
    }
    return n;
}

int main(int argc, char **argv)
{
    bench_require(argc > 3, "TIMES NAME COMMAND ARGUMENT... -- ...");
    unsigned long times = strtoul(argv[1], NULL, 10);
    bench_require(times > 0 && times <= MOST_TIMES, "TIMES is out of range");
    size_t n = split(argv + 2);

    posix_spawn_file_actions_init(&silent);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_addopen(&silent, i, "/dev/null", i == 0 ? O_RDONLY : O_WRONLY, 0);
    for (unsigned long i = 0; i < times; i++)
        for (size_t j = 0; j < n; j++)
            commands[j].us[i] = run(&commands[j]);
    posix_spawn_file_actions_destroy(&silent);

    double first = bench_percentile(commands[0].us, times, 0.5);
    for (size_t j = 0; j < n; j++) {
        double p50 = bench_percentile(commands[j].us, times, 0.5);
        printf("%-14s p50 %6.2f ms, p99 %6.2f ms   %5.2f times %s\n", commands[j].name, p50 / 1e3,
               bench_percentile(commands[j].us, times, 0.99) / 1e3, p50 / first, commands[0].name);
    }
    return 0;
}
