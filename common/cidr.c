/* SPDX-License-Identifier: MIT */
#include "common/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 before an IPv4 address */

static void map_v4(uint8_t out[static 16], const void *v4)
{
    memset(out, 0, 10);
    out[10] = out[11] = 0xFF;
    memcpy(out + 12, v4, 4);
}

/* Whether two addresses agree in their first bits. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    size_t whole = bits / 8;
    uint8_t mask = (uint8_t)(0xFF00 >> bits % 8);
    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

static int parse_address(const char *text, struct cidr *cidr, unsigned *ret_longest)
{
    uint8_t v4[4];
    if (inet_pton(AF_INET, text, v4) == 1) {
        map_v4(cidr->address, v4);
        *ret_longest = 32;
        return 0;
    }
    *ret_longest = 128;
    return inet_pton(AF_INET6, text, cidr->address) == 1 ? 0 : -EINVAL;
}

/* One to three digits without a leading zero. */
static int parse_bits(const char *text, unsigned longest, unsigned *ret_bits)
{
    unsigned bits = 0;
    size_t len = strlen(text);
    if (len < 1 || len > 3 || (len > 1 && text[0] == '0'))
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    if (bits > longest)
        return -EINVAL;
    *ret_bits = bits;
    return 0;
}

/* No address bit behind the prefix: 192.0.2.1/24 is a slip of somebody who meant something else. */
static bool is_canonical(const struct cidr *cidr)
{
    for (unsigned bit = cidr->bits; bit < 128; bit++)
        if (cidr->address[bit / 8] & 0x80 >> bit % 8)
            return false;
    return true;
}

int cidr_parse(struct slice text, struct cidr *ret_cidr)
{
    char buffer[64];
    struct cidr cidr;
    unsigned longest, bits;
    if (text.len == 0 || text.len >= sizeof(buffer) || memchr(text.ptr, '\0', text.len))
        return -EINVAL;
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    char *slash = strchr(buffer, '/');
    if (slash)
        *slash = '\0';
    if (parse_address(buffer, &cidr, &longest) < 0)
        return -EINVAL;
    bits = longest;
    if (slash && parse_bits(slash + 1, longest, &bits) < 0)
        return -EINVAL;
    cidr.bits = longest == 32 ? MAPPED_BITS + bits : bits;
    if (!is_canonical(&cidr))
        return -EINVAL;
    *ret_cidr = cidr;
    return 0;
}

bool cidr_holds(const struct cidr *cidr, const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (address->sa_family == AF_INET)
        map_v4(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        return false;
    return same_prefix(bytes, cidr->address, cidr->bits);
}
