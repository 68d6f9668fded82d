/* SPDX-License-Identifier: MIT */
/*
 * What msgd needs of the protocol between systemd and a service: sd_listen_fds(3) and sd_notify(3),
 * without its library.
 */
#ifndef MSG_DAEMON_NET_SYSTEMD_H
#define MSG_DAEMON_NET_SYSTEMD_H

#define SYSTEMD_FIRST_FD 3

/* How many listening descriptors were handed over, from SYSTEMD_FIRST_FD on; told only once. */
int systemd_listen_fds(void);
/* Tells the service manager; nothing happens without one. */
void systemd_notify(const char *state);

#endif
