/* SPDX-License-Identifier: MIT */
#include "client/tool.h"

#include "common/clock.h"
#include "common/mem.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define NOT_FOUND 127 /* what a shell says then, too */

/* The child's part; what cannot be opened or run is told by its status. */
static void become(const struct tool *tool, int in, int out)
{
    const union { /* execvp() wants them so, and leaves them as they are */
        const char *const *have;
        char *const *want;
    } argv = {.have = tool->argv};
    int err = tool->quiet ? open("/dev/null", O_WRONLY) : tool->errors_too ? out : STDERR_FILENO;

    signal(SIGPIPE, SIG_DFL);
    if (tool->detached && setsid() < 0)
        _exit(NOT_FOUND);
    if (dup2(in, STDIN_FILENO) >= 0 &&
        dup2(tool->shows ? STDERR_FILENO : out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0)
        execvp(argv.want[0], argv.want);
    _exit(NOT_FOUND);
}

/* Until it has closed its stdout. 0, or why it is to be ended. */
static int collect(int fd, int timeout_ms, char *out, size_t capacity, size_t *ret_len)
{
    int64_t until = (int64_t)clock_ms(CLOCK_MONOTONIC) + timeout_ms;
    char beyond;

    for (*ret_len = 0;;) {
        int64_t left = timeout_ms < 0 ? -1 : until - (int64_t)clock_ms(CLOCK_MONOTONIC);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (timeout_ms >= 0 && left <= 0)
            return -ETIMEDOUT;
        if (poll(&poll_fd, 1, (int)left) <= 0)
            continue;
        bool full = *ret_len == capacity;
        ssize_t n = read(fd, full ? &beyond : out + *ret_len, full ? 1 : capacity - *ret_len);
        if (n == 0)
            return 0;
        if (n > 0 && full)
            return -EFBIG;
        if (n > 0)
            *ret_len += (size_t)n;
        else if (errno != EINTR)
            return mem_errno();
    }
}

static int reap(pid_t child, int r)
{
    int status = 0;

    if (r < 0)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return r;
    if (!WIFEXITED(status))
        return -EPIPE;
    return WEXITSTATUS(status) == NOT_FOUND ? -ENOENT : WEXITSTATUS(status);
}

int tool_run(const struct tool *tool, char *out, size_t capacity, size_t *ret_len)
{
    int to[2], from[2];

    if (tool->input.len > TOOL_INPUT)
        return -E2BIG;
    if (pipe2(to, O_CLOEXEC) < 0)
        return mem_errno();
    CLEANUP_FD int in = to[0], feed = to[1];
    if (pipe2(from, O_CLOEXEC) < 0)
        return mem_errno();
    CLEANUP_FD int printed = from[0], print = from[1];
    if (tool->input.len && write(feed, tool->input.ptr, tool->input.len) < 0)
        return mem_errno();
    pid_t child = fork();
    if (child < 0)
        return mem_errno();
    if (child == 0)
        become(tool, in, print);
    close(TAKE_FD(feed));
    close(TAKE_FD(print));
    return reap(child, collect(printed, tool->timeout_ms, out, capacity, ret_len));
}
