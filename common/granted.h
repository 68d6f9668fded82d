/* SPDX-License-Identifier: MIT */
/*
 * Keys that users of this host authorized for themselves, as msgd records them: one line a key,
 * `1000 x25519:... alice`, the uid, the key, and to the line's end the name that the uid had then.
 * By the name a uid that was given to somebody else is told. No line is ever uid 0's or 65534's:
 * what root lets in stands in authorized_keys. A key stands there once. Empty lines and lines that
 * begin with `#` are ignored; anything else is an error at its line.
 *
 * granted_parse() and what finds are pure; granted_add() and granted_take() are the only writers.
 */
#ifndef MSG_COMMON_GRANTED_H
#define MSG_COMMON_GRANTED_H

#include "common/diag.h"
#include "protocol/limits.h"
#include "protocol/noise.h"
#include "protocol/slice.h"

struct granted_key {
    struct noise_public key;
    uint32_t uid;
    char name[LIM_NAME + 1];
};

struct granted {
    struct granted_key *keys; /* in the order of the keys */
    size_t count;
};

/* `file` only heads the error: "file:line: reason". 0, -EBADMSG or -ENOMEM. */
int granted_parse(const char *file, struct slice text, struct granted *ret_granted,
                  struct diag *ret_diag);
/* For root, who reads msgd's file; it is empty where it is not there. Or another negative errno. */
int granted_read(const char *file, struct granted *ret_granted, struct diag *ret_diag);
void granted_free(struct granted *granted);

/* The key's entry; NULL: it has none. */
const struct granted_key *granted_find(const struct granted *granted,
                                       const struct noise_public *key);
/* How many keys a uid has. */
size_t granted_count(const struct granted *granted, uint32_t uid);
/* Whether such a uid and name can be recorded. */
bool granted_is_sound(uint32_t uid, struct slice name);

/*
 * Records a key, or takes one back. Both replace the file whole and durably: after 0 it outlives a
 * crash, after an error nothing has changed, unless only the folder could not be written through.
 * -EEXIST: somebody has the key already; -ENOENT: this uid has not; -EBADMSG: the file has an
 * error.
 */
int granted_add(const char *file, const struct granted_key *entry, struct diag *ret_diag);
int granted_take(const char *file, uint32_t uid, const struct noise_public *key,
                 struct diag *ret_diag);

#endif
