/* SPDX-License-Identifier: MIT */
/*
 * Keys as people and files see them. A public key is its own fingerprint: `x25519:` and 43
 * characters of base64url without padding (RFC 4648, section 5). Only the canonical form is
 * accepted: the two unused bits of the last character are zero.
 *
 * A key file holds one static key: the `identity` of a user, the `host_key` of a host. It is
 * exactly these 122 bytes, three lines each ended by LF:
 *
 *     msg-key-v1
 *     public: x25519:<43 characters>
 *     secret: <43 characters, the 32 secret bytes in the same base64url>
 *
 * A reader refuses any other bytes, and a public key that is not the secret's. The file belongs to
 * its user alone (0600) and lies in a folder of his alone (0700).
 *
 * Secrets live in sodium_malloc()ed memory (locked, never swapped or dumped), are wiped when freed
 * and have no printable form but the key file. sodium_init() comes before all of this.
 */
#ifndef MSG_COMMON_KEYS_H
#define MSG_COMMON_KEYS_H

#include "common/diag.h"
#include "protocol/noise.h"
#include "protocol/slice.h"

#define KEY_TEXT_LEN 50  /* x25519: and 43 characters */
#define KEY_FILE_LEN 122 /* "msg-key-v1\npublic: " KEY "\nsecret: " 43 "\n" */

/* 0 or -EBADMSG. */
int key_parse(struct slice text, struct noise_public *ret_key);
void key_format(const struct noise_public *key, char out[static KEY_TEXT_LEN + 1]);
bool key_equal(const struct noise_public *a, const struct noise_public *b);

/* A key pair in protected memory; key_free() wipes it. -ENOMEM where none can be locked. */
int key_make(struct noise_keypair **ret_key);
void key_free(struct noise_keypair *key);

static inline void key_free_pointer(struct noise_keypair **key)
{
    key_free(*key);
}
#define CLEANUP_KEY __attribute__((cleanup(key_free_pointer)))

/* The bytes of a key file, and back: 0 or -EBADMSG with the reason (a literal). */
int key_file_parse(struct slice text, struct noise_keypair *ret_key, const char **ret_reason);
void key_file_format(const struct noise_keypair *key, char out[static KEY_FILE_LEN + 1]);

/*
 * Loads a key file; -ENOENT where there is none, -EPERM for a wrong owner or mode, -EBADMSG for
 * wrong bytes. `..._or_make` makes what is missing, the folder too; the loser of a race reads the
 * winner's key. *ret_made (may be NULL) says whether the key is new. *ret_key is freed by
 * key_free().
 */
int key_load(const char *path, struct noise_keypair **ret_key, struct diag *ret_diag);
int key_load_or_make(const char *path, struct noise_keypair **ret_key, bool *ret_made,
                     struct diag *ret_diag);

#endif
