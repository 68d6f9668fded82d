/* SPDX-License-Identifier: MIT */
/* Which server a subcommand is about, and a run (client/run.h) that calls it. */
#ifndef MSG_CLIENT_CTL_SERVER_H
#define MSG_CLIENT_CTL_SERVER_H

#include "client/ctl.h"
#include "client/run.h"
#include "common/msg_conf.h"

/*
 * HOST as `msg /SERVER:HOST` takes it, an alias of msg.conf for what it names; NULL: this host's
 * msgd, on the socket of --socket or MSG_SOCKET. Speaks and returns an exit status if it fails.
 */
int ctl_find_server(const struct ctl *ctl, const char *host, struct call_server *ret_server);

/* HOST alone, its alias resolved. False, and *ret_error is a literal that says why not. */
bool ctl_name_server(const struct msg_conf *conf, const char *host, struct call_server *ret_server,
                     const char **ret_error);

/* A run ready to call that server; the caller ends it with run_end() whatever is returned. */
int ctl_begin(const struct ctl *ctl, const char *host, struct run *ret_run);

#endif
