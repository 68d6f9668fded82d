/* SPDX-License-Identifier: MIT */
#include "client/ctl_trust_files.h"

#include "common/log.h"

#include <string.h>

#define AUTHORIZED_KEYS "/etc/msgd/authorized_keys"

bool ctl_find_trust_files(const struct ctl *ctl, struct ctl_trust_files *ret_files)
{
    const char *authorized = ctl->given[CTL_FILE] ? ctl->given[CTL_FILE] : AUTHORIZED_KEYS;
    const char *revoked = ctl->given[CTL_REVOKED], *slash = strrchr(authorized, '/');
    int folder = slash ? (int)(slash - authorized) + 1 : 0;
    int a = snprintf(ret_files->authorized, PATH_MAX, "%s", authorized);
    int r = revoked
                ? snprintf(ret_files->revoked, PATH_MAX, "%s", revoked)
                : snprintf(ret_files->revoked, PATH_MAX, "%.*srevoked_keys", folder, authorized);
    if (a >= PATH_MAX || r >= PATH_MAX)
        log_error("a path is too long");
    return a < PATH_MAX && r < PATH_MAX;
}
