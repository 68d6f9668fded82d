/* SPDX-License-Identifier: MIT */
/*
 * What is up on people's screens: one delivery for each `present`, from its arrival to its end.
 * Everything is checked here again that msgd says: the text, the session, the bounds; the time it
 * may be up is kept here too. Who is to read it is asked first whether he wants to hear the sender,
 * unless that may pass over his wish. What msgd is to learn is drawn from here, one datagram at a
 * time.
 *
 * On a terminal, a message that nobody waits for is over once it is written: `shown` is the last
 * that is told of it. One that waits, and any popup, is up until its time is over, it is withdrawn,
 * its session ends, or somebody ends it.
 */
#ifndef MSG_DAEMON_PRESENT_DELIVERY_H
#define MSG_DAEMON_PRESENT_DELIVERY_H

#include "daemon/present_showing.h"
#include "daemon/present_wish.h"

struct deliveries;

/* What showings point to is borrowed, and outlives it, as wishes do. */
int deliveries_new(sd_event *event, const struct showings *showings, struct wishes *wishes,
                   struct deliveries **ret_deliveries);
void deliveries_free(struct deliveries *deliveries);

/*
 * Shows a message or ends it at once. 0; -EBADMSG with *ret_reason (a literal) where msgd said what
 * it never should, and the connection is to be closed.
 */
int deliveries_present(struct deliveries *deliveries, const struct boundary_message *message,
                       const char **ret_reason);

/* Takes one down. One that is not known any more is no error. */
void deliveries_withdraw(struct deliveries *deliveries, const struct boundary_withdraw *withdraw);

/* A session ended, and with it all that is up there. */
void deliveries_session_gone(struct deliveries *deliveries, uint64_t session, const char *why);

/* msgd is gone: what waits is taken down, the rest lives out its time; nothing is told. */
void deliveries_forget_peer(struct deliveries *deliveries);

/* The next thing to be told, if there is one; its text lives until the next call. */
bool deliveries_next_report(struct deliveries *deliveries, struct boundary_message *ret_message);

#endif
