/* SPDX-License-Identifier: MIT */
/* Networks as administrators write them: 192.0.2.0/24, 2001:db8::/32, or one address. Pure. */
#ifndef MSG_COMMON_CIDR_H
#define MSG_COMMON_CIDR_H

#include "protocol/slice.h"

#include <stdint.h>
#include <sys/socket.h>

/* IPv4 is kept as its mapped form, so that ::ffff:192.0.2.1 is 192.0.2.1. */
struct cidr {
    uint8_t address[16];
    unsigned bits; /* 0..128 */
};

/* 0, or -EINVAL; bits behind the prefix must be zero. */
int cidr_parse(struct slice text, struct cidr *ret_cidr);

/* False for other address families. */
bool cidr_holds(const struct cidr *cidr, const struct sockaddr *address);

#endif
