/* SPDX-License-Identifier: MIT */
/* What one end of the boundary decodes is what it would have encoded itself, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "daemon/boundary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum boundary_to ends[] = {BOUNDARY_TO_PRESENTER, BOUNDARY_TO_MSGD};
    static char again[LIM_DATAGRAM];
    struct boundary_message message;
    const char *reason;

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        if (boundary_decode(&message, ends[i], data, size, &reason) < 0)
            continue;
        if (boundary_encode(&message, again, sizeof(again)) != (ssize_t)size ||
            memcmp(again, data, size) != 0)
            abort();
    }
    return 0;
}
