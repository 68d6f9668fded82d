/* SPDX-License-Identifier: MIT */
/*
 * Reading what the caller hands in: a descriptor to its end, or lines typed at a terminal.
 * Knows nothing of what it reads.
 */
#ifndef MSG_CLIENT_INPUT_H
#define MSG_CLIENT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

enum input_end {
    INPUT_TO_END,
    INPUT_TO_DOT,  /* typed: a line that is a lone dot ends it too, and is not part of it */
    INPUT_TO_LINE, /* typed: the end of the line ends it, and is not part of it */
};

/*
 * Reads at most limit bytes. 0: *ret_bytes is malloc'd (never NULL) and terminated. -EFBIG: there
 * is more; -ENOMEM; or what read() said.
 */
int input_read(int fd, size_t limit, enum input_end end, char **ret_bytes, size_t *ret_len);
/* The same for a file by name; `-` is stdin. */
int input_read_file(const char *path, size_t limit, char **ret_bytes, size_t *ret_len);

#endif
