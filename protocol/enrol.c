/* SPDX-License-Identifier: MIT */
#include "protocol/enrol.h"

#include <sodium.h>
#include <string.h>

#define INVITE     "msg-invite"
#define LABEL_LEN  11
#define LABEL_SIZE (LABEL_LEN + NOISE_HASH)

void enrol_derive(const uint8_t id[static ENROL_ID], const uint8_t secret[static ENROL_SECRET],
                  struct enrol_key *ret_key)
{
    uint8_t text[sizeof(INVITE) - 1 + ENROL_ID];

    memcpy(text, INVITE, sizeof(INVITE) - 1);
    memcpy(text + sizeof(INVITE) - 1, id, ENROL_ID);
    crypto_generichash(ret_key->bytes, ENROL_KEY, text, sizeof(text), secret, ENROL_SECRET);
}

void enrol_mac(const struct enrol_key *key, enum enrol_side side,
               const uint8_t hash[static NOISE_HASH], uint8_t ret_mac[static ENROL_MAC])
{
    uint8_t text[LABEL_SIZE];

    memcpy(text, side == ENROL_CLIENT ? "msg-enrol-c" : "msg-enrol-s", LABEL_LEN);
    memcpy(text + LABEL_LEN, hash, NOISE_HASH);
    crypto_generichash(ret_mac, ENROL_MAC, text, sizeof(text), key->bytes, ENROL_KEY);
}

bool enrol_verify(const struct enrol_key *key, enum enrol_side side,
                  const uint8_t hash[static NOISE_HASH], const uint8_t mac[static ENROL_MAC])
{
    uint8_t wanted[ENROL_MAC];

    enrol_mac(key, side, hash, wanted);
    bool same = sodium_memcmp(wanted, mac, ENROL_MAC) == 0;
    sodium_memzero(wanted, sizeof(wanted));
    return same;
}
