/* SPDX-License-Identifier: MIT */
/* msgctl trust --list: every line of the caller's known_hosts and of the system's. */
#ifndef MSG_CLIENT_CTL_UNTRUST_H
#define MSG_CLIENT_CTL_UNTRUST_H

#include "client/ctl.h"

/* Speaks for itself and returns an exit status. */
int ctl_trust_list(const struct ctl *ctl);

#endif
