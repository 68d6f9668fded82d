/* SPDX-License-Identifier: MIT */
/*
 * What /SERVER names: name, name:port or [v6]:port, read into where to call and under which name
 * its key is trusted. Pure; resolves nothing.
 */
#ifndef MSG_CLIENT_SERVER_H
#define MSG_CLIENT_SERVER_H

#include "client/call.h"

#define SERVER_SOCKET "/run/msgd/msgd.sock"

/* Of a host's name. */
#define SERVER_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"

/*
 * True: ret_server->name, host and port are set (name is host, with the port unless it is the
 * usual one, so that two daemons of one host have a key each), all else is zero. False:
 * *ret_error is a literal that says what is wrong, and *ret_server is untouched.
 */
bool server_parse(const char *typed, struct call_server *ret_server, const char **ret_error);

/*
 * This host's msgd: the socket named by option, else by the environment, else the usual one. False
 * where the path is too long for a socket's address.
 */
bool server_local(const char *option, const char *environment, struct call_server *ret_server);

#endif
