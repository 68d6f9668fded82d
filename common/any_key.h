/* SPDX-License-Identifier: MIT */
/*
 * A key as the files of trust list it: the static key of somebody, or the ssh key that signs for
 * him. One type, so that lines are sorted, found, edited and revoked alike. Pure.
 */
#ifndef MSG_COMMON_ANY_KEY_H
#define MSG_COMMON_ANY_KEY_H

#include "common/ssh_key.h"
#include "protocol/noise.h"

enum any_key_kind { ANY_KEY_STATIC, ANY_KEY_SSH };

struct any_key { /* bytes only: compared as they lie */
    uint8_t kind;
    uint8_t bytes[NOISE_KEY];
};

#define ANY_KEY_TEXT_LEN SSH_KEY_TEXT_LEN /* the longer of the two */

struct any_key any_key_static(const struct noise_public *key);
struct any_key any_key_ssh(const struct ssh_key *key);
struct noise_public any_key_to_static(const struct any_key *key);

/*
 * Takes a key from the front of a line: `x25519:...`, or the two fields of an ssh-ed25519 key.
 * 0, -ENOTSUP (an ssh key of another type), or -EBADMSG.
 */
int any_key_take(struct slice *line, struct any_key *ret_key);
void any_key_format(const struct any_key *key, char out[static ANY_KEY_TEXT_LEN + 1]);

/* The order in which tables hold them; 0: equal. */
int any_key_compare(const struct any_key *a, const struct any_key *b);

#endif
