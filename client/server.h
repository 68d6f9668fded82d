/* SPDX-License-Identifier: MIT */
/*
 * What /SERVER names: name, name:port or [v6]:port, read into where to call and under which name
 * its key is trusted. Pure; resolves nothing.
 */
#ifndef MSG_CLIENT_SERVER_H
#define MSG_CLIENT_SERVER_H

#include "client/call.h"

/*
 * True: ret_server->name, host and port are set (name is host, with the port unless it is the
 * usual one, so that two daemons of one host have a key each), all else is zero. False:
 * *ret_error is a literal that says what is wrong, and *ret_server is untouched.
 */
bool server_parse(const char *typed, struct call_server *ret_server, const char **ret_error);

#endif
