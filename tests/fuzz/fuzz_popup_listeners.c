/* SPDX-License-Identifier: MIT */
/* A line as of /proc/net/unix: what is found in it is a path that an address holds, whole. */
#include <stdlib.h>

#include "daemon/popup_listeners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct slice path;
    uint64_t inode;
    if (!listeners_line((struct slice){text, size}, &inode, &path))
        return 0;
    demand(path.ptr > text && path.ptr + path.len == text + size);
    demand(path.ptr[0] == '/' && path.len < sizeof(((struct sockets *)NULL)->paths[0]));
    for (size_t i = 0; i < path.len; i++)
        demand((unsigned char)path.ptr[i] >= ' ' && path.ptr[i] != 0x7f);
    return 0;
}
