/* SPDX-License-Identifier: MIT */
/*
 * Public keys of OpenSSH as its files have them: `ssh-ed25519` and 68 characters of base64 (a blob
 * of 51 bytes: RFC 4253, section 6.6, and RFC 8709). No other type is read: with libsodium alone no
 * other signature could be verified. An ssh key never becomes an identity here, it only signs for
 * one. Pure.
 */
#ifndef MSG_COMMON_SSH_KEY_H
#define MSG_COMMON_SSH_KEY_H

#include "protocol/slice.h"

#include <stdint.h>

#define SSH_KEY          32
#define SSH_KEY_TYPE     "ssh-ed25519"
#define SSH_KEY_BLOB     51 /* u32 11, the type, u32 32, the key */
#define SSH_KEY_TEXT_LEN 80 /* type, blank, 68 characters */

struct ssh_key {
    uint8_t bytes[SSH_KEY];
};

/* The blob, exactly: 0 or -EBADMSG. */
int ssh_key_from_blob(struct slice blob, struct ssh_key *ret_key);

/* The two fields of a public key: 0, -ENOTSUP (another type of ssh), or -EBADMSG. */
int ssh_key_parse(struct slice type, struct slice base64, struct ssh_key *ret_key);
void ssh_key_format(const struct ssh_key *key, char out[static SSH_KEY_TEXT_LEN + 1]);
bool ssh_key_equal(const struct ssh_key *a, const struct ssh_key *b);

/* Whether a word is the name of a type of key of ssh, ours or another. */
bool ssh_key_is_type(struct slice word);

#endif
