/* SPDX-License-Identifier: MIT */
/*
 * A user's own keys on this host, through its msgd: authorize --self and revoke --self. What is
 * printed to be typed elsewhere is composed here, from what the host's own msgd says of its key.
 */
#ifndef MSG_CLIENT_CTL_SELF_H
#define MSG_CLIENT_CTL_SELF_H

#include "client/ctl.h"

int ctl_self_authorize(const struct ctl *ctl);
int ctl_self_revoke(const struct ctl *ctl);

#endif
