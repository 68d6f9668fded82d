/* SPDX-License-Identifier: MIT */
/*
 * The record of users' own keys: what is accepted holds sound entries only, each of which is found
 * again; what is refused is refused at its place.
 */
#include "common/granted.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct granted granted;
    struct diag diag = {""};

    demand(sodium_init() >= 0);
    if (granted_parse("f", (struct slice){(const char *)data, size}, &granted, &diag) < 0) {
        demand(strncmp(diag.text, "f:", 2) == 0);
        return 0;
    }
    for (size_t i = 0; i < granted.count; i++) {
        const struct granted_key *key = &granted.keys[i];
        demand(granted_is_sound(key->uid, slice_of(key->name)));
        demand(granted_find(&granted, &key->key) == key && granted_count(&granted, key->uid) > 0);
    }
    granted_free(&granted);
    return 0;
}
