/* SPDX-License-Identifier: MIT */
#include "daemon/net_hash.h"

uint8_t hash_key[crypto_shorthash_KEYBYTES];

void hash_start(void)
{
    randombytes_buf(hash_key, sizeof(hash_key));
}

unsigned hash_keyed(const void *key, size_t len)
{
    unsigned char hash[crypto_shorthash_BYTES];
    unsigned value;

    crypto_shorthash(hash, key, len, hash_key);
    memcpy(&value, hash, sizeof(value));
    return value;
}
