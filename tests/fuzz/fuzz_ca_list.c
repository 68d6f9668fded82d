/* SPDX-License-Identifier: MIT */
/* Lists of what is to be signed: what is read can be said in a statement. */
#include "client/ca_list.h"

#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lines lines = {.rest = {(const char *)data, size}};
    char statement[ENDORSEMENT_STATEMENT];
    struct endorsement e;
    const char *reason = NULL;
    int r;

    if (sodium_init() < 0)
        abort();
    while ((r = ca_list_next(&lines, &e, &reason)) > 0) {
        e.before = 1;
        if (endorsement_format(&e, statement) < 0 || lines.number == 0)
            abort();
    }
    if (r < 0 && !reason)
        abort();
    return 0;
}
