/* SPDX-License-Identifier: MIT */
/*
 * The invitations of this host that there are already: listed, withdrawn, and what is over removed.
 */
#ifndef MSG_CLIENT_CTL_INVITATIONS_H
#define MSG_CLIENT_CTL_INVITATIONS_H

#include "client/ctl.h"
#include "common/config.h"

/* All three speak for themselves and return an exit status. */
int ctl_invitations_list(const struct ctl *ctl, const struct config *config);
int ctl_invitations_withdraw(const struct ctl *ctl, const struct config *config, const char *id);
/*
 * Removes what was used or is late, so that there is room for one more; CTL_FAILED if there is
 * none.
 */
int ctl_invitations_tidy(const struct config *config);

/* "2026-11-22 14:05 UTC" */
#define CTL_TIME 32
void ctl_format_time(int64_t seconds, char out[static CTL_TIME]);

#endif
