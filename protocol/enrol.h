/* SPDX-License-Identifier: MIT */
/*
 * How both ends of an enrolment prove that they know one invitation (PROTOCOL.md, "Invitations and
 * ENROL"): the computations, and nothing else. Pure; owns nothing. A key that is not needed any
 * more is wiped by whoever holds it.
 */
#ifndef MSG_PROTOCOL_ENROL_H
#define MSG_PROTOCOL_ENROL_H

#include "protocol/noise.h"

#define ENROL_ID     8
#define ENROL_SECRET 16
#define ENROL_KEY    32
#define ENROL_MAC    32

/* What an invitation's secret comes to, and all that its host keeps of it. */
struct enrol_key {
    uint8_t bytes[ENROL_KEY];
};

enum enrol_side { ENROL_CLIENT, ENROL_SERVER };

void enrol_derive(const uint8_t id[static ENROL_ID], const uint8_t secret[static ENROL_SECRET],
                  struct enrol_key *ret_key);

/* What this side shows on a connection with this handshake hash. */
void enrol_mac(const struct enrol_key *key, enum enrol_side side,
               const uint8_t hash[static NOISE_HASH], uint8_t ret_mac[static ENROL_MAC]);

/* Whether the side showed what it should have, in constant time. */
bool enrol_verify(const struct enrol_key *key, enum enrol_side side,
                  const uint8_t hash[static NOISE_HASH], const uint8_t mac[static ENROL_MAC]);

#endif
