/* SPDX-License-Identifier: MIT */
/*
 * Changes lines of authorized_keys and revoked_keys for the administrator: under a lock on their
 * folder, by a temporary file and rename, everything else in the file kept as it stands. A file
 * with an error is not touched. A missing file is made 0644, a missing folder 0755.
 */
#ifndef MSG_COMMON_TRUST_EDIT_H
#define MSG_COMMON_TRUST_EDIT_H

#include "common/authorized_keys.h"
#include "common/revoked_keys.h"

enum trust_edit { TRUST_UNCHANGED, TRUST_ADDED, TRUST_REPLACED, TRUST_REMOVED };

/* Read as the daemon reads them; a file that is not there is empty. */
int trust_read_authorized(const char *file, struct authorized_keys *ret_keys,
                          struct diag *ret_diag);
int trust_read_revoked(const char *file, struct revoked_keys *ret_keys, struct diag *ret_diag);

/*
 * Puts a line of authorized_keys (without LF) in the place of the line with the same key, else at
 * the end. -EBADMSG where the line or the file is none.
 */
int trust_authorize(const char *file, struct slice line, enum trust_edit *ret_edit,
                    struct diag *ret_diag);

/* Takes the key's line out of authorized_keys. */
int trust_remove(const char *file, const struct any_key *key, enum trust_edit *ret_edit,
                 struct diag *ret_diag);

/*
 * Adds a line to revoked_keys, what it revokes and then a comment (may be empty), unless that is
 * revoked there already.
 */
int trust_revoke(const char *file, struct slice line, enum trust_edit *ret_edit,
                 struct diag *ret_diag);

#endif
