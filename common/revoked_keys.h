/* SPDX-License-Identifier: MIT */
/*
 * What is refused whatever else lists it. One line each; empty lines and lines that begin with `#`
 * are ignored, anything else is an error at its line:
 *
 *     x25519:... [comment]                        a static key
 *     ssh-ed25519 AAAA... [comment]               an ssh key, and all that it has endorsed
 *     serial:17 ssh-ed25519 AAAA... [comment]     what it has endorsed under that serial
 *
 * Pure.
 */
#ifndef MSG_COMMON_REVOKED_KEYS_H
#define MSG_COMMON_REVOKED_KEYS_H

#include "common/any_key.h"
#include "common/diag.h"

struct revoked { /* bytes only: compared as they lie */
    struct any_key key;
    uint8_t by_serial;
    uint8_t serial[8];
};

struct revoked_keys {
    struct revoked *keys; /* in order, for the search */
    size_t count;
};

/* `file` only heads the error: "file:line: reason". 0, -EBADMSG or -ENOMEM. */
int revoked_keys_parse(const char *file, struct slice text, struct revoked_keys *ret_keys,
                       struct diag *ret_diag);
void revoked_keys_free(struct revoked_keys *keys);
bool revoked_keys_hold(const struct revoked_keys *keys, const struct any_key *key);
bool revoked_keys_hold_serial(const struct revoked_keys *keys, const struct any_key *signer,
                              uint64_t serial);

/* That very entry. */
bool revoked_keys_find(const struct revoked_keys *keys, const struct revoked *revoked);

/* The front of a line, what it revokes; what is left of the line is the comment. 0 or -EBADMSG. */
int revoked_take(struct slice *line, struct revoked *ret_revoked);

#endif
