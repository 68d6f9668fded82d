/* SPDX-License-Identifier: MIT */
/*
 * Which authorized_keys and revoked_keys msgctl changes: --file, --revoked, else the host's. --file
 * may name a file in the folder of an authorized_keys (common/key_folder.h).
 */
#ifndef MSG_CLIENT_CTL_TRUST_FILES_H
#define MSG_CLIENT_CTL_TRUST_FILES_H

#include "client/ctl.h"
#include "common/key_folder.h"

#include <limits.h>

struct ctl_trust_files {
    char authorized[PATH_MAX]; /* what is written */
    char base[PATH_MAX];       /* the authorized_keys in whose folder it lies; else itself */
    char revoked[PATH_MAX];    /* beside base where it is not named */
};

/*
 * False, and said so, if a path is too long, or names a file of the folder that msgd does not read.
 */
bool ctl_find_trust_files(const struct ctl *ctl, struct ctl_trust_files *ret_files);

/* The files in the folder of base. False, and said so: then *ret_folder is empty. */
bool ctl_list_folder(const struct ctl_trust_files *files, struct key_folder *ret_folder);
/* All files of authorized keys, one after the other from 0: base, then the folder's; NULL. */
const char *ctl_key_file(const struct ctl_trust_files *files, const struct key_folder *folder,
                         size_t index);

/*
 * Says why something of the host's was neither read nor written; to a user, that it is root's, and
 * the command (NULL: none) that serves him instead.
 */
void ctl_say_refused(int error, const char *why, const char *instead);

#endif
