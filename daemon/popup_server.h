/* SPDX-License-Identifier: MIT */
/*
 * The notification server of a bus, found without ever starting one: who owns the name, what it is,
 * what it can, and whether it says that it disturbs nobody now. One question after another; what it
 * answers is a stranger's.
 */
#ifndef MSG_DAEMON_POPUP_SERVER_H
#define MSG_DAEMON_POPUP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define SERVER_NAME "org.freedesktop.Notifications"
#define SERVER_PATH "/org/freedesktop/Notifications"

struct server {
    char owner[256]; /* its unique name: who takes the name after it is another */
    char by[72];     /* name and version, printable */
    bool actions, markup;
    bool default_is_button; /* the action that others give to a click on the body */
    bool quiet;             /* it shows nothing for now */
};

/* The caller's, from server_find() until the bus is closed. */
struct server_search {
    sd_bus *bus; /* borrowed */
    size_t at;
    struct server found;
    /* Once, from the loop: 0, or negative: there is none. It may never be called. */
    void (*done)(void *userdata, int error);
    void *userdata;
};

/* Begins; bus, done and userdata are set. 0 or a negative errno. */
int server_find(struct server_search *search);

#endif
