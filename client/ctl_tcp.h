/* SPDX-License-Identifier: MIT */
/*
 * Whether this host can be reached by others, and the line that switches it on: TCP is off until
 * its administrator has said so. Decides nothing, connects to nothing.
 */
#ifndef MSG_CLIENT_CTL_TCP_H
#define MSG_CLIENT_CTL_TCP_H

#include "common/config.h"

#define CTL_TCP_ON "systemctl enable --now msgd-tcp.socket"

/* Whether a line of /proc/net/tcp or tcp6 is a socket that listens on the port. */
bool ctl_tcp_listens(const char *line, unsigned port);

/*
 * Says how TCP is switched on where nothing on this host listens on msgd's port, and msgd.conf
 * names no address of its own.
 */
void ctl_tcp_hint(void);

#endif
