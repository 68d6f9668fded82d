/* SPDX-License-Identifier: MIT */
#include "client/secret.h"

#include "common/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>

static const int NUMBERS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define N_NUMBERS ARRAY_SIZE(NUMBERS)

static volatile sig_atomic_t came;

static void on_signal(int number)
{
    came = number;
}

/* Without SA_RESTART: what waits for input wakes. What is ignored stays so. */
static void watch(struct sigaction before[static N_NUMBERS])
{
    const struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < N_NUMBERS; i++) {
        sigaction(NUMBERS[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(NUMBERS[i], &action, NULL);
    }
}

static void unwatch(const struct sigaction before[static N_NUMBERS])
{
    for (size_t i = 0; i < N_NUMBERS; i++)
        sigaction(NUMBERS[i], &before[i], NULL);
    if (came)
        raise(came);
}

/* Up to LF or the end; the length, or a negative errno. */
static ssize_t read_line(int fd, char *out, size_t capacity)
{
    size_t len = 0;

    while (len < capacity) {
        ssize_t got = read(fd, out + len, 1);
        if (got < 0)
            return mem_errno();
        if (got == 0 || out[len] == '\n')
            return (ssize_t)len;
        len++;
    }
    return -EMSGSIZE;
}

static ssize_t ask(int fd, const char *prompt, char *out, size_t capacity)
{
    struct sigaction before[N_NUMBERS];
    struct termios old, silent;
    ssize_t len = -EIO;

    if (tcgetattr(fd, &old) < 0)
        return mem_errno();
    silent = old;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    watch(before);
    if (tcsetattr(fd, TCSAFLUSH, &silent) == 0 && write(fd, prompt, strlen(prompt)) >= 0)
        len = read_line(fd, out, capacity);
    tcsetattr(fd, TCSAFLUSH, &old);
    if (write(fd, "\n", 1) < 0)
        len = mem_errno();
    unwatch(before);
    return len;
}

int secret_read(const char *prompt, char *buffer, size_t capacity, struct slice *ret_line)
{
    CLEANUP_FD int fd = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
    ssize_t len =
        fd >= 0 ? ask(fd, prompt, buffer, capacity) : read_line(STDIN_FILENO, buffer, capacity);
    struct slice line = {buffer, len > 0 ? (size_t)len : 0};

    while (line.len > 0 && strchr(" \t\r", line.ptr[0]))
        line = slice_from(line, 1);
    while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]))
        line.len--;
    if (len < 0)
        return (int)len;
    *ret_line = line;
    return line.len > 0 ? 0 : -ENODATA;
}
