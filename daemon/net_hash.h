/* SPDX-License-Identifier: MIT */
/*
 * uthash, keyed: with its own hash functions whoever chooses the keys chooses the collisions too.
 * hash_start() makes the key once, before the first table (sodium_init() before that). Include this
 * instead of uthash.h.
 */
#ifndef MSG_DAEMON_NET_HASH_H
#define MSG_DAEMON_NET_HASH_H

#include <sodium.h>
#include <string.h>

extern uint8_t hash_key[crypto_shorthash_KEYBYTES];

void hash_start(void);
unsigned hash_keyed(const void *key, size_t len);

#define HASH_FUNCTION(key, len, hashv) ((hashv) = hash_keyed((key), (len)))
#define HASH_NONFATAL_OOM              1 /* the item is then not in the table: its hh.tbl is NULL */

#include <uthash.h>

#endif
