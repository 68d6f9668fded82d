/* SPDX-License-Identifier: MIT */
/*
 * Scope-bound ownership: a variable marked with one of the CLEANUP_ words is released when its
 * scope ends, on every path. What is to outlive the scope is taken out with TAKE or TAKE_FD.
 */
#ifndef MSG_COMMON_MEM_H
#define MSG_COMMON_MEM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* errno of the call that just failed, never 0. */
static inline int mem_errno(void)
{
    return errno > 0 ? -errno : -EIO;
}

static inline void mem_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

/* Closes what is open and keeps errno, so that the error that led here is still to be told. */
static inline void mem_close_fd(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

static inline void mem_close_file(FILE **file)
{
    int saved = errno;
    if (*file)
        fclose(*file);
    errno = saved;
}

/* Room for one more item of that size: 0; or -ENOMEM, with all as it was. */
static inline int mem_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
    void *grown = reallocarray(*items, wanted, size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *capacity = wanted;
    return 0;
}

#define CLEANUP_FREE __attribute__((cleanup(mem_free_pointer)))
#define CLEANUP_FD   __attribute__((cleanup(mem_close_fd)))
#define CLEANUP_FILE __attribute__((cleanup(mem_close_file)))

static inline int mem_take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define TAKE_FD(fd) mem_take_fd(&(fd))
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) mem_taken = (pointer);                                                 \
        (pointer) = NULL;                                                                          \
        mem_taken;                                                                                 \
    })

#endif
