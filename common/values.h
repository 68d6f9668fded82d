/* SPDX-License-Identifier: MIT */
/*
 * Values as people write them in configuration files and options: whole numbers, durations, hosts
 * with a port. Pure. All return 0 or -EINVAL.
 */
#ifndef MSG_COMMON_VALUES_H
#define MSG_COMMON_VALUES_H

#include "protocol/slice.h"

#include <stdint.h>
#include <sys/socket.h>

/* A whole number of s, m, h or d; of seconds without a unit. In milliseconds. */
int value_duration(struct slice text, uint64_t *ret_ms);
/* Back again, in the largest unit that leaves no rest; ms is a whole number of seconds. */
#define VALUE_DURATION 24
void value_duration_format(uint64_t ms, char out[static VALUE_DURATION]);

struct endpoint {
    char host[256]; /* a name or a numeric address, without brackets */
    uint16_t port;
};

/*
 * `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; the port is 1..65535 and
 * default_port where none is named. The host's own form is not judged beyond its length, blanks and
 * control characters.
 */
int value_endpoint(struct slice text, uint16_t default_port, struct endpoint *ret_endpoint);

/* The address of an endpoint whose host is numeric. Port 0 is allowed here: the kernel chooses. */
int value_address(struct slice text, uint16_t default_port, struct sockaddr_storage *ret_address);

#endif
