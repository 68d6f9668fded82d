/* SPDX-License-Identifier: MIT */
#include "client/input.h"

#include "common/mem.h"

#include <fcntl.h>

/* A terminal hands over one line with each read(), so the dot stands at the end of what came. */
static bool ends_with_dot(const char *bytes, size_t len)
{
    return len >= 2 && memcmp(bytes + len - 2, ".\n", 2) == 0 &&
           (len == 2 || bytes[len - 3] == '\n');
}

int input_read(int fd, size_t limit, enum input_end end, char **ret_bytes, size_t *ret_len)
{
    CLEANUP_FREE char *bytes = malloc(limit + 1);
    size_t len = 0;

    if (!bytes)
        return -ENOMEM;
    for (;;) {
        ssize_t n = read(fd, bytes + len, limit + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mem_errno();
        len += (size_t)n;
        if (len > limit)
            return -EFBIG;
        bool dot = end == INPUT_TO_DOT && ends_with_dot(bytes, len);
        bool line = end == INPUT_TO_LINE && len > 0 && bytes[len - 1] == '\n';
        len -= dot ? 2 : line;
        if (n == 0 || dot || line)
            break;
    }
    bytes[len] = '\0';
    *ret_bytes = TAKE(bytes);
    *ret_len = len;
    return 0;
}

int input_read_file(const char *path, size_t limit, char **ret_bytes, size_t *ret_len)
{
    CLEANUP_FD int fd = -1;

    if (strcmp(path, "-") == 0)
        return input_read(STDIN_FILENO, limit, INPUT_TO_END, ret_bytes, ret_len);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return mem_errno();
    return input_read(fd, limit, INPUT_TO_END, ret_bytes, ret_len);
}
