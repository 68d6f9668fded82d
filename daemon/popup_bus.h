/* SPDX-License-Identifier: MIT */
/*
 * The user's own bus: /run/user/UID/bus and nothing else. No environment is read and nothing is
 * launched; the socket must be the user's, and whoever listens there must be the user.
 */
#ifndef MSG_DAEMON_POPUP_BUS_H
#define MSG_DAEMON_POPUP_BUS_H

#include <systemd/sd-bus.h>

/* 0 with *ret_bus, attached to the loop and yet to say hello; or a negative errno. */
int popup_bus_open(sd_event *event, sd_bus **ret_bus);

/* Closes at once what is open, and its connection with it. NULL is nothing; returns NULL. */
sd_bus *popup_bus_close(sd_bus *bus);

#endif
