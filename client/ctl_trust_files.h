/* SPDX-License-Identifier: MIT */
/* Which authorized_keys and revoked_keys msgctl changes: --file, --revoked, else the host's. */
#ifndef MSG_CLIENT_CTL_TRUST_FILES_H
#define MSG_CLIENT_CTL_TRUST_FILES_H

#include "client/ctl.h"

#include <limits.h>

struct ctl_trust_files {
    char authorized[PATH_MAX];
    char revoked[PATH_MAX]; /* beside authorized where it is not named */
};

/* False, and said so, if a path is too long. */
bool ctl_find_trust_files(const struct ctl *ctl, struct ctl_trust_files *ret_files);

#endif
