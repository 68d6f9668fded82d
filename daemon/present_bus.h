/* SPDX-License-Identifier: MIT */
/*
 * A connection to a D-Bus bus on the loop that is given, without any waiting: what is called before
 * the bus has answered is sent later. The address comes from our own command line; no environment
 * is looked at.
 */
#ifndef MSG_DAEMON_PRESENT_BUS_H
#define MSG_DAEMON_PRESENT_BUS_H

#include <systemd/sd-bus.h>

struct bus_match {
    const char *rule;
    sd_bus_message_handler_t handler;
};

/* The rule for the end of the connection: sd-bus says it to itself. */
#define BUS_LOST                                                                                   \
    "type='signal',sender='org.freedesktop.DBus.Local',"                                           \
    "interface='org.freedesktop.DBus.Local',member='Disconnected'"

/* 0 with the connection, whose handlers are called with userdata; or a negative errno. */
int bus_open(sd_event *event, const char *address, const struct bus_match *matches, size_t count,
             void *userdata, sd_bus **ret_bus);

/* Closes without a further word, also from within a handler. NULL is nothing. */
void bus_drop(sd_bus *bus);

#endif
