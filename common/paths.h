/* SPDX-License-Identifier: MIT */
/*
 * Where a user's files are: MSG_CONFIG_HOME, else $XDG_CONFIG_HOME/msg, else ~/.config/msg, the
 * home being that of the effective uid by the system's word, not by $HOME, which sudo leaves at the
 * caller's. Only clients call this: it asks the name service.
 */
#ifndef MSG_COMMON_PATHS_H
#define MSG_COMMON_PATHS_H

#include "common/diag.h"

#include <limits.h>

#define SYSTEM_KNOWN_HOSTS  "/etc/msg/known_hosts"
#define SYSTEM_ENDORSEMENTS "/etc/msg/endorsements"
#define HOST_ENDORSEMENTS   "/etc/msgd/host_endorsements"

struct paths {
    char folder[PATH_MAX];
    char identity[PATH_MAX];
    char known_hosts[PATH_MAX];
    char msg_conf[PATH_MAX];
    char endorsements[PATH_MAX];
    char sent[PATH_MAX];
};

/* folder: from an option, else NULL. 0, or -ENOENT (no home), -ENAMETOOLONG, -EINVAL (relative). */
int paths_find(const char *folder, struct paths *ret_paths, struct diag *ret_diag);

#endif
