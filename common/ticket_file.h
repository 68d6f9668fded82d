/* SPDX-License-Identifier: MIT */
/*
 * Tickets in their folder, one file each, named by its id (common/invitation.h). Root writes them,
 * msgd's group reads them, nobody else may: a ticket's key is as good as the invitation.
 */
#ifndef MSG_COMMON_TICKET_FILE_H
#define MSG_COMMON_TICKET_FILE_H

#include "common/invitation.h"

/*
 * One file of the folder. 0, or a negative errno with the reason: -ENOENT, -EPERM (its owner or
 * mode), -EBADMSG (its bytes, or its name is not its id).
 */
int ticket_load(const char *folder, const char *name, struct ticket *ret_ticket,
                struct diag *ret_diag);
int ticket_store(const char *folder, const struct ticket *ticket, struct diag *ret_diag);
int ticket_remove(const char *folder, const uint8_t id[static ENROL_ID], struct diag *ret_diag);

#endif
