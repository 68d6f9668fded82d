/* SPDX-License-Identifier: MIT */
/*
 * The race for one of a name's addresses (RFC 8305, "Happy Eyeballs"): in which order they are
 * tried, and whose failure tells most where all fail. Pure; client/dial.c runs it.
 */
#ifndef MSG_CLIENT_RACE_H
#define MSG_CLIENT_RACE_H

#include "protocol/limits.h"

#include <netdb.h>
#include <stddef.h>

#define RACE_DELAY_MS 250 /* of silence; then the next one starts: RFC 8305, section 5 */

/*
 * The resolver's order with the families taking turns (section 4), the resolver's first in front;
 * at most LIM_ADDRESSES, so that a second family has its turn where the first has too many. The
 * addresses are borrowed from the list; how many comes back.
 */
size_t race_order(const struct addrinfo *found,
                  const struct sockaddr *ret_order[static LIM_ADDRESSES]);

/*
 * Of n > 0 negative errnos the one to begin with when it is told why no address would do: somebody
 * who refuses is there, -ETIMEDOUT is silence, and what this host has no way to tells least. The
 * first of equals.
 */
size_t race_most_telling(const int *errors, size_t n);

#endif
