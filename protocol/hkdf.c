/* SPDX-License-Identifier: MIT */
#include "protocol/hkdf.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define BLOCK 128 /* BLAKE2b's, for HMAC */

static_assert(HKDF_HASH == crypto_generichash_BYTES_MAX, "the whole of BLAKE2b");

/* The results say only that a size was out of range or a state used twice: neither can be. */
void hkdf_hash(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
               uint8_t out[static HKDF_HASH])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, HKDF_HASH);
    crypto_generichash_update(&state, a, a_len);
    crypto_generichash_update(&state, b, b_len);
    crypto_generichash_final(&state, out, HKDF_HASH);
    sodium_memzero(&state, sizeof(state));
}

void hkdf_hmac(const uint8_t key[static HKDF_HASH], const uint8_t *data, size_t len,
               uint8_t out[static HKDF_HASH])
{
    uint8_t pad[BLOCK];
    uint8_t inner[HKDF_HASH];

    memset(pad, 0x36, sizeof(pad));
    for (size_t i = 0; i < HKDF_HASH; i++)
        pad[i] ^= key[i];
    hkdf_hash(pad, sizeof(pad), data, len, inner);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hkdf_hash(pad, sizeof(pad), inner, sizeof(inner), out);
    sodium_memzero(pad, sizeof(pad));
    sodium_memzero(inner, sizeof(inner));
}

void hkdf(const uint8_t chaining_key[static HKDF_HASH], const uint8_t *input, size_t len,
          uint8_t first[static HKDF_HASH], uint8_t second[static HKDF_HASH])
{
    uint8_t temp_key[HKDF_HASH];
    uint8_t block[HKDF_HASH + 1];

    hkdf_hmac(chaining_key, input, len, temp_key);
    block[0] = 1;
    hkdf_hmac(temp_key, block, 1, first);
    memcpy(block, first, HKDF_HASH);
    block[HKDF_HASH] = 2;
    hkdf_hmac(temp_key, block, sizeof(block), second);
    sodium_memzero(temp_key, sizeof(temp_key));
    sodium_memzero(block, sizeof(block));
}
