/* SPDX-License-Identifier: MIT */
/* Processes that do one thing at the same moment: each waits until all were made. */
#ifndef MSG_TESTS_UNIT_FORKS_H
#define MSG_TESTS_UNIT_FORKS_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int fork_gate[2];

static inline void fork_begin(void)
{
    if (pipe(fork_gate) < 0)
        abort();
}

/* True in the child, which ends with _exit(): once the gate is open, it reads the pipe's end. */
static inline bool fork_one(void)
{
    char byte;
    if (fork() != 0)
        return false;
    close(fork_gate[1]);
    return read(fork_gate[0], &byte, 1) == 0;
}

/* Opens the gate; how many of them failed. */
static inline int fork_end(int count)
{
    int failed = 0;
    close(fork_gate[1]);
    close(fork_gate[0]);
    for (int i = 0; i < count; i++) {
        int status = 1;
        if (wait(&status) < 0 || status != 0)
            failed++;
    }
    return failed;
}

#endif
