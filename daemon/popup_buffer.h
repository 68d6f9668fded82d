/* SPDX-License-Identifier: MIT */
/*
 * How a message goes through a tmux buffer to the page that shows it: as one `present` of the
 * boundary. Every process of the user's can write into such a buffer, so it is judged as if it came
 * from a stranger. Pure.
 */
#ifndef MSG_DAEMON_POPUP_BUFFER_H
#define MSG_DAEMON_POPUP_BUFFER_H

#include "daemon/popup.h"

/* The bytes of the message, of which the texts stand one behind the other in it; or negative. */
ssize_t buffer_write(const struct popup_message *message, char out[static LIM_DATAGRAM]);

/* What the bytes say: 0, its texts borrowed from them; or -EBADMSG. Place and user are left empty. */
int buffer_read(struct slice bytes, struct popup_message *ret_message);

#endif
