/* SPDX-License-Identifier: MIT */
/*
 * What tmux is asked and what it answers: its clients, of which one is at the terminal that is
 * meant. The server is a process of the user's; what it prints is judged here. Pure.
 */
#ifndef MSG_DAEMON_POPUP_CLIENTS_H
#define MSG_DAEMON_POPUP_CLIENTS_H

#include "protocol/slice.h"

#include <stdint.h>

#define CLIENTS_OUTPUT  16384 /* most bytes of a list that is read */
#define CLIENTS_VERSION 32
#define CLIENTS_SIZE    10000 /* most columns and lines */

/* For `list-clients -F`: what client_find reads, the terminal first. */
#define CLIENTS_FORMAT                                                                             \
    "#{client_tty} #{client_activity} #{client_width} #{client_height} "                           \
    "#{client_control_mode} #{version}"

struct client {
    uint64_t active_s;             /* when a key last came, by the wall clock */
    unsigned columns, lines;       /* 1..CLIENTS_SIZE */
    char version[CLIENTS_VERSION]; /* of the server: 3.3a */
};

/*
 * The client at a terminal, as /dev/pts/3: 0; -ENOENT: none that can show anything (a client in
 * control mode is a program); -EBADMSG: its line is not what was asked for.
 */
int client_find(struct slice list, const char *terminal, struct client *ret_client);

#endif
