/* SPDX-License-Identifier: MIT */
/* The parts of `msgctl ca` that have files of their own: an exit status each. */
#ifndef MSG_CLIENT_CTL_CA_H
#define MSG_CLIENT_CTL_CA_H

#include "client/ctl.h"

/* Lines for the list: this host's, and those of users. */
int ctl_ca_lines(const struct ctl *ctl);

/* Signs a list. */
int ctl_ca_sign(const struct ctl *ctl);

#endif
