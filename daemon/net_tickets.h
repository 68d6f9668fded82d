/* SPDX-License-Identifier: MIT */
/*
 * The open invitations of this host: a folder of root's in which each file is a ticket
 * (common/invitation.h), named by its id. It is looked at when somebody wants to enrol: when the
 * folder has changed, and at most once in LIM_FILE_RECHECK otherwise. What cannot be believed there
 * counts as absent and is logged. Writes nothing; whether an invitation was used, net_enrol
 * records.
 */
#ifndef MSG_DAEMON_NET_TICKETS_H
#define MSG_DAEMON_NET_TICKETS_H

#include "common/enrolled.h"
#include "common/invitation.h"

struct tickets;

enum ticket_verdict {
    TICKET_GOOD,
    TICKET_UNKNOWN, /* or withdrawn */
    TICKET_WRONG,   /* the client does not know its secret */
    TICKET_USED,
    TICKET_LATE, /* or too far ahead */
};

/* The folder's path is copied. 0 or -ENOMEM. */
int tickets_new(struct tickets **ret_tickets, const char *folder);
void tickets_free(struct tickets *tickets);

/* Looks at the folder if it is time to; any monotonic clock. */
void tickets_refresh(struct tickets *tickets, uint64_t now_ms);

/*
 * Judges an ENROL on a connection with this handshake hash. *ret_ticket is set where it is good,
 * and is valid until the next refresh. The same is computed whatever the verdict is, so that its
 * time tells nothing.
 */
enum ticket_verdict tickets_judge(const struct tickets *tickets, const struct enrolled *enrolled,
                                  const uint8_t id[static ENROL_ID],
                                  const uint8_t mac[static ENROL_MAC],
                                  const uint8_t hash[static NOISE_HASH], int64_t now_s,
                                  const struct ticket **ret_ticket);

#endif
