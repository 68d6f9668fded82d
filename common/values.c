/* SPDX-License-Identifier: MIT */
#include "common/values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

static const struct {
    char unit;
    uint64_t ms;
} units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};

int value_duration(struct slice text, uint64_t *ret_ms)
{
    uint64_t number = 0, ms = 1000;
    for (size_t i = 0; text.len && i < sizeof(units) / sizeof(units[0]); i++)
        if (text.ptr[text.len - 1] == units[i].unit) {
            ms = units[i].ms;
            text.len--;
            break;
        }
    if (!slice_number(text, UINT64_MAX / ms, &number))
        return -EINVAL;
    *ret_ms = number * ms;
    return 0;
}

void value_duration_format(uint64_t ms, char out[static VALUE_DURATION])
{
    size_t i = 0;
    while (i + 1 < sizeof(units) / sizeof(units[0]) && (ms == 0 || ms % units[i].ms != 0))
        i++;
    snprintf(out, VALUE_DURATION, "%llu%c", (unsigned long long)(ms / units[i].ms), units[i].unit);
}

/* Parts host and port; no port is left absent. */
static int split(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
    const char *bracket = text.len && text.ptr[0] == '[' ? memchr(text.ptr, ']', text.len) : NULL;
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    size_t host_len = text.len;
    if (bracket) {
        host_len = (size_t)(bracket - text.ptr) + 1;
        *ret_host = (struct slice){text.ptr + 1, host_len - 2};
    } else {
        /* Two colons without brackets are an IPv6 address. */
        bool one = colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.ptr));
        host_len = one ? (size_t)(colon - text.ptr) : text.len;
        *ret_host = (struct slice){text.ptr, host_len};
    }
    struct slice rest = slice_from(text, host_len);
    *ret_port = (struct slice){NULL, 0};
    if (rest.len == 0)
        return 0;
    if (rest.ptr[0] != ':')
        return -EINVAL;
    *ret_port = slice_from(rest, 1);
    return 0;
}

static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.ptr[i] <= ' ' || host.ptr[i] == 0x7F ||
            strchr("[],/@", host.ptr[i]))
            return false;
    return host.len >= 1 && host.len < sizeof(((struct endpoint *)0)->host);
}

static int read_endpoint(struct slice text, uint16_t default_port, struct endpoint *ret_endpoint)
{
    struct slice host, port;
    uint64_t number = default_port;
    if (split(text, &host, &port) < 0 || !is_host(host))
        return -EINVAL;
    if (port.ptr && !slice_number(port, UINT16_MAX, &number))
        return -EINVAL;
    memcpy(ret_endpoint->host, host.ptr, host.len);
    ret_endpoint->host[host.len] = '\0';
    ret_endpoint->port = (uint16_t)number;
    return 0;
}

int value_endpoint(struct slice text, uint16_t default_port, struct endpoint *ret_endpoint)
{
    struct endpoint endpoint;
    if (read_endpoint(text, default_port, &endpoint) < 0 || endpoint.port == 0)
        return -EINVAL;
    *ret_endpoint = endpoint;
    return 0;
}

int value_address(struct slice text, uint16_t default_port, struct sockaddr_storage *ret_address)
{
    struct endpoint endpoint;
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    if (read_endpoint(text, default_port, &endpoint) < 0)
        return -EINVAL;
    if (inet_pton(AF_INET, endpoint.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint.port);
    } else if (inet_pton(AF_INET6, endpoint.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint.port);
    } else {
        return -EINVAL;
    }
    *ret_address = address;
    return 0;
}
