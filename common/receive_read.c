/* SPDX-License-Identifier: MIT */
#include "common/mem.h"
#include "common/receive.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Until the end, or until there is more than can be. */
static int read_all(int fd, char text[static LIM_RECEIVE_FILE + 1], size_t *ret_len)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = read(fd, text + len, LIM_RECEIVE_FILE + 1 - len);
        if (got < 0 && errno != EINTR)
            return mem_errno();
        if (got == 0)
            break;
        len += got > 0 ? (size_t)got : 0;
        if (len > LIM_RECEIVE_FILE)
            return -EFBIG;
    }
    *ret_len = len;
    return 0;
}

/* O_NONBLOCK: a FIFO or a lease in the file's place holds nobody up. */
int receive_read(const char *path, uid_t owner, char text[static LIM_RECEIVE_FILE + 1],
                 size_t *ret_len)
{
    struct stat st;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return mem_errno();
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_uid != owner)
        return -EPERM;
    return read_all(fd, text, ret_len);
}
