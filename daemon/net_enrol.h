/* SPDX-License-Identifier: MIT */
/*
 * ENROL, the one request of a key that this host does not know: the invitation is judged, its use
 * and the key are recorded durably, and only then is the client let in. Whatever is wrong with an
 * invitation, the client is told invite-invalid and the log says what it was.
 */
#ifndef MSG_DAEMON_NET_ENROL_H
#define MSG_DAEMON_NET_ENROL_H

#include "daemon/net_conn.h"

/*
 * Answers by the stream's verdict; the connection goes on as any other's of a known key, or ends.
 */
void enrol_take(struct conn *conn, const struct msg *msg);

#endif
