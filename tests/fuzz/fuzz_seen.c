/* SPDX-License-Identifier: MIT */
/* A seen file of any bytes holds no more records than fit behind its header. */
#include <stdlib.h>

#include "daemon/net_seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char boot[] = "0f0f0f0f-1111-2222-3333-444444444444";
    ssize_t n = seen_parse((struct slice){(const char *)data, size}, boot);

    if (n >= 0 && SEEN_HEADER + (size_t)n * SEEN_RECORD > size)
        abort();
    if (n > LIM_SEEN_RECORDS)
        abort();
    return 0;
}
