/* SPDX-License-Identifier: MIT */
/*
 * What a sender is told of sessions that were meant and got nothing, while their user is reached: a
 * miss with `sess`, which is no failure. Within what was resolved already, so within the sender's
 * rights. Pure.
 */
#ifndef MSG_DAEMON_NET_NOTES_H
#define MSG_DAEMON_NET_NOTES_H

#include "daemon/net_resolve.h"

/*
 * Adds them behind the misses there are, one for a session, as long as there are fewer than
 * LIM_SELECTORS in all. 0 or -ENOMEM.
 */
int notes_add(const struct net_sessions *sessions, struct resolved *resolved);

#endif
