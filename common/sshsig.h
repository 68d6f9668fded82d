/* SPDX-License-Identifier: MIT */
/*
 * Signatures of OpenSSH (`ssh-keygen -Y sign`; its PROTOCOL.sshsig), of one kind: key ssh-ed25519,
 * hash sha512, a namespace that the caller names. Everything else is refused: another type, a
 * non-empty reserved field, any byte too few or too many. Such an envelope has therefore one
 * length, and differs from others in key and signature alone. Pure, on libsodium.
 */
#ifndef MSG_COMMON_SSHSIG_H
#define MSG_COMMON_SSHSIG_H

#include "common/ssh_key.h"

#define SSHSIG_SIGNATURE 64
#define SSHSIG_MAX       256 /* an envelope; 170 bytes and its namespace */
#define SSHSIG_TEXT_MAX  512 /* an armoured one of that length, with its two lines */

struct sshsig {
    struct ssh_key key;
    uint8_t signature[SSHSIG_SIGNATURE];
};

/* A binary envelope, exactly. 0, or -EBADMSG with the reason (a literal). Nothing is verified. */
int sshsig_parse(struct slice envelope, struct slice name_space, struct sshsig *ret_sig,
                 const char **ret_reason);

/*
 * The envelope in an armoured text, from `-----BEGIN SSH SIGNATURE-----` to the LF behind the last
 * line, or to the end of the text. *ret_taken: how much of the text that is. 0, or -EBADMSG.
 */
int sshsig_dearmor(struct slice text, uint8_t out[static SSHSIG_MAX], size_t *ret_len,
                   size_t *ret_taken);

/* Whether the key has signed the message in that namespace. */
bool sshsig_verify(const struct sshsig *sig, struct slice name_space, struct slice message);

#endif
