/* SPDX-License-Identifier: MIT */
#include "client/server.h"

#include "protocol/slice.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_v6(const char *host)
{
    struct in6_addr address;
    char bare[256];

    snprintf(bare, sizeof(bare), "%s", host);
    bare[strcspn(bare, "%")] = '\0'; /* fe80::1%eth0 */
    return inet_pton(AF_INET6, bare, &address) == 1;
}

static bool is_name(const char *host)
{
    return host[0] != '\0' && host[0] != '-' && host[strspn(host, SERVER_CHARACTERS)] == '\0';
}

/* Parts host and port; *ret_port stays NULL without one. */
static const char *split(char *typed, char **ret_host, char **ret_port)
{
    char *end;

    *ret_host = typed;
    if (typed[0] == '[') {
        end = strchr(typed, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return "an IPv6 address is written [2001:db8::1] or [2001:db8::1]:6743";
        *ret_host = typed + 1;
        *ret_port = end[1] == ':' ? end + 2 : NULL;
        *end = '\0';
        return is_v6(*ret_host) ? NULL : "between [ and ] an IPv6 address is expected";
    }
    if (is_v6(typed))
        return NULL;
    end = strchr(typed, ':');
    if (end) {
        *end = '\0';
        *ret_port = end + 1;
    }
    if (strchr(typed, '@'))
        return "a host alone is wanted, without a user before it";
    return is_name(*ret_host) ? NULL : "not a host name or address";
}

bool server_parse(const char *typed, struct call_server *ret_server, const char **ret_error)
{
    struct call_server server = {.port = CALL_PORT};
    char copy[sizeof(server.host)], *host = NULL, *port = NULL;
    uint64_t number = CALL_PORT;
    const char *error = NULL;

    if (typed[0] == '@')
        error = "groups of servers are not available in this version";
    else if (strchr(typed, ','))
        error = "several servers are not available in this version";
    else if (strlen(typed) >= sizeof(copy) - sizeof("[]:65535"))
        error = "too long for a host name";
    if (!error) {
        strcpy(copy, typed);
        error = split(copy, &host, &port);
    }
    if (!error && port && (!slice_number(slice_of(port), UINT16_MAX, &number) || number == 0))
        error = "the port is a number from 1 to 65535";
    if (error) {
        *ret_error = error;
        return false;
    }
    server.port = (uint16_t)number;
    snprintf(server.host, sizeof(server.host), "%s", host);
    snprintf(server.name, sizeof(server.name), "%s", host);
    if (number != CALL_PORT)
        snprintf(server.name, sizeof(server.name), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
                 (unsigned)server.port);
    *ret_server = server;
    return true;
}

bool server_local(const char *option, const char *environment, struct call_server *ret_server)
{
    bool by_environment = !option && environment && environment[0] != '\0';
    const char *path = option ? option : by_environment ? environment : SERVER_SOCKET;

    if (strlen(path) >= sizeof(ret_server->socket))
        return false;
    *ret_server = (struct call_server){.local = true, .own_uid_too = option || by_environment};
    strcpy(ret_server->socket, path);
    return true;
}
