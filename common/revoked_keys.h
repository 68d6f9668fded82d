/* SPDX-License-Identifier: MIT */
/*
 * Keys that are refused whatever else lists them: a line `x25519:... [comment]` each; empty lines
 * and lines that begin with `#` are ignored, anything else is an error at its line. Pure.
 */
#ifndef MSG_COMMON_REVOKED_KEYS_H
#define MSG_COMMON_REVOKED_KEYS_H

#include "common/diag.h"
#include "protocol/noise.h"
#include "protocol/slice.h"

struct revoked_keys {
    struct noise_public *keys; /* in order, for the search */
    size_t count;
};

/* `file` only heads the error: "file:line: reason". 0, -EBADMSG or -ENOMEM. */
int revoked_keys_parse(const char *file, struct slice text, struct revoked_keys *ret_keys,
                       struct diag *ret_diag);
void revoked_keys_free(struct revoked_keys *keys);
bool revoked_keys_hold(const struct revoked_keys *keys, const struct noise_public *key);

#endif
