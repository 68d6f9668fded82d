/* SPDX-License-Identifier: MIT */
/*
 * Users' wishes: every name that is read can be written again, and is then the one that is heard.
 */
#include "common/receive.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct receive *receive)
{
    struct receive_names names = receive_names(receive);
    struct slice name;
    size_t n = 0;

    for (; receive_names_next(&names, &name); n++) {
        bool remote = memchr(name.ptr, ':', name.len) != NULL;
        struct slice bare = slice_from(name, remote ? sizeof(RECEIVE_NETWORK) - 1 : 0);
        char text[LIM_RECEIVE_FILE + 1];
        const char *reason;
        size_t len;
        if (bare.len < 1 || bare.len > LIM_NAME || !receive_hears(receive, bare, !remote) ||
            receive_format(SLICE("only"), name, text, &len, &reason) < 0)
            abort();
    }
    if (n == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct receive receive;
    const char *reason = NULL;
    size_t line = 0;

    if (receive_parse((struct slice){(const char *)data, size}, &receive, &line, &reason) < 0) {
        if (line == 0 || line > size || !reason)
            abort();
        return 0;
    }
    if (receive.wish == RECEIVE_ONLY)
        check_names(&receive);
    else if (receive_hears(&receive, SLICE("ann"), true) != (receive.wish == RECEIVE_ON))
        abort();
    return 0;
}
