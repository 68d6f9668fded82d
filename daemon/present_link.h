/* SPDX-License-Identifier: MIT */
/*
 * The presenter's end of the boundary: one connection to one msgd. Whole datagrams in, checked
 * against present.def; whole datagrams out, queued within LIM_BOUNDARY_QUEUE. Hello is the first in
 * both directions. While what goes out waits, nothing more is read, so that a msgd which does not
 * read cannot make us hold more; one that takes nothing for LIM_STALLED is closed.
 */
#ifndef MSG_DAEMON_PRESENT_LINK_H
#define MSG_DAEMON_PRESENT_LINK_H

#include "daemon/boundary.h"

#include <systemd/sd-event.h>

#define LINK_ROOM (LIM_BOUNDARY_QUEUE / 2) /* fewer wait: there is room to answer */

struct link_handler {
    /* Hello was exchanged; program is the other's name and version, escaped. */
    void (*on_hello)(void *userdata, const char *program);
    /* A message that reached us whole. 0, or -EBADMSG with *ret_reason to close the link. */
    int (*on_message)(void *userdata, const struct boundary_message *message,
                      const char **ret_reason);
    /* The last call: the end (error 0) or why it was closed. The callee frees the link. */
    void (*on_closed)(void *userdata, int error, const char *reason);
    void *userdata;
};

struct link;

/* Takes over the connected socket, also when it fails. */
int link_new(sd_event *event, int fd, const struct link_handler *handler, struct link **ret_link);
void link_free(struct link *link);

/* Hello was exchanged and an answer can be taken. */
bool link_has_room(const struct link *link);

/* Queues and sends. 0, or negative: the link is closed from the loop, soon. */
int link_send(struct link *link, const struct boundary_message *message);

/* Handles what lies in the socket, now, and takes nothing any more: the other end has gone. */
void link_drain(struct link *link);

#endif
