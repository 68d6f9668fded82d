/* SPDX-License-Identifier: MIT */
/*
 * A message from the command line to its exit status: targets, text, who is there where that must
 * be known, the requests, and what is said of them.
 */
#ifndef MSG_CLIENT_SEND_H
#define MSG_CLIENT_SEND_H

#include "client/options.h"
#include "client/run.h"

/* run->server and run->speaker are set; default_ms: the time where /TIME is not given. */
int send_message(struct run *run, const struct options *options, uint64_t default_ms);

#endif
