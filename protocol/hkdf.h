/* SPDX-License-Identifier: MIT */
/*
 * BLAKE2b-512 as Noise uses it (specification, 4.3 and 12.8): the hash, HMAC over it (RFC 2104) and
 * HKDF with two outputs. libsodium has the hash alone. Keeps nothing, wipes what it had in between.
 */
#ifndef MSG_PROTOCOL_HKDF_H
#define MSG_PROTOCOL_HKDF_H

#include <stddef.h>
#include <stdint.h>

#define HKDF_HASH 64 /* bytes of every hash, chaining key and output */

/* The hash of a, then b. out may be a or b. */
void hkdf_hash(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
               uint8_t out[static HKDF_HASH]);

/* The key is as long as a hash, as it always is in Noise. */
void hkdf_hmac(const uint8_t key[static HKDF_HASH], const uint8_t *data, size_t len,
               uint8_t out[static HKDF_HASH]);

/* first may be the chaining key itself. */
void hkdf(const uint8_t chaining_key[static HKDF_HASH], const uint8_t *input, size_t len,
          uint8_t first[static HKDF_HASH], uint8_t second[static HKDF_HASH]);

#endif
