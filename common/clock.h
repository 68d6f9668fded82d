/* SPDX-License-Identifier: MIT */
/*
 * The kernel's clocks. CLOCK_MONOTONIC for what a program waits for; CLOCK_BOOTTIME, which runs
 * on while the computer sleeps, for what a person was promised; CLOCK_REALTIME for what is shown
 * or compared between hosts.
 */
#ifndef MSG_COMMON_CLOCK_H
#define MSG_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline uint64_t clock_ms(clockid_t clock)
{
    return clock_us(clock) / 1000;
}

#endif
