/* SPDX-License-Identifier: MIT */
#include "client/race.h"

#include <errno.h>
#include <stdbool.h>

/* ---- the order ------------------------------------------------------------------------------- */

/* The first from here on that is of the family, or that is not. */
static const struct addrinfo *seek(const struct addrinfo *address, int family, bool of_it)
{
    while (address != NULL && (address->ai_family == family) != of_it)
        address = address->ai_next;
    return address;
}

size_t race_order(const struct addrinfo *found,
                  const struct sockaddr *ret_order[static LIM_ADDRESSES])
{
    int family = found != NULL ? found->ai_family : AF_UNSPEC;
    const struct addrinfo *turns[2] = {seek(found, family, true), seek(found, family, false)};
    size_t n = 0;

    for (size_t turn = 0; n < LIM_ADDRESSES && (turns[0] != NULL || turns[1] != NULL); turn ^= 1) {
        if (turns[turn] == NULL)
            continue;
        ret_order[n++] = turns[turn]->ai_addr;
        turns[turn] = seek(turns[turn]->ai_next, family, turn == 0);
    }
    return n;
}

/* ---- the failures ---------------------------------------------------------------------------- */

static int rank(int error)
{
    switch (error) {
    case -ECONNREFUSED:
        return 3;
    case -ETIMEDOUT:
        return 1;
    case -ENETUNREACH:
    case -EADDRNOTAVAIL:
    case -EAFNOSUPPORT:
        return 0;
    default: /* a router or the other end said something */
        return 2;
    }
}

size_t race_most_telling(const int *errors, size_t n)
{
    size_t most = 0;

    for (size_t i = 1; i < n; i++)
        if (rank(errors[i]) > rank(errors[most]))
            most = i;
    return most;
}
