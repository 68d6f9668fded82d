/* SPDX-License-Identifier: MIT */
/*
 * What msgd needs of the protocol between systemd and a service: sd_listen_fds(3), sd_notify(3) and
 * sd_watchdog_enabled(3), without its library.
 */
#ifndef MSG_DAEMON_NET_SYSTEMD_H
#define MSG_DAEMON_NET_SYSTEMD_H

#include <stdint.h>

#define SYSTEMD_FIRST_FD 3

/* How many listening descriptors were handed over, from SYSTEMD_FIRST_FD on; told only once. */
int systemd_listen_fds(void);
/* Tells the service manager; nothing happens without one. */
void systemd_notify(const char *state);
/* The same for the beginning of a reload, which READY=1 ends. */
void systemd_notify_reloading(void);
/* After how many milliseconds to say WATCHDOG=1, again and again; 0: nobody waits for it. */
uint64_t systemd_watchdog_ms(void);

#endif
