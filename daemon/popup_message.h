/* SPDX-License-Identifier: MIT */
/*
 * A message as the boundary carries it, read and judged; and written once more, as which it goes
 * through a tmux buffer to the page that shows it. Every process of the user's can write into such
 * a buffer, so it is read as if it came from a stranger. Pure, but for the host's name and time
 * zone.
 */
#ifndef MSG_DAEMON_POPUP_MESSAGE_H
#define MSG_DAEMON_POPUP_MESSAGE_H

#include "daemon/popup.h"

/* Takes over what a `present` says, texts borrowed; place and user are left as they are. 0, or as
 * present_texts_read. */
int message_take(const struct boundary_message *present, struct popup_message *message);

/*
 * The bytes of the message, whose texts stand one behind the other as they were read; or negative.
 */
ssize_t message_write(const struct popup_message *message, char out[static LIM_DATAGRAM]);

/* What such bytes say: 0, texts borrowed from them, place and user empty; or -EBADMSG. */
int message_read(struct slice bytes, struct popup_message *ret_message);

#endif
