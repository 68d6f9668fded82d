/* SPDX-License-Identifier: MIT */
/*
 * Small files, read whole and only if their owner and mode allow believing them; and replaced
 * whole, so that no reader sees a half. Errors say which command mends them.
 */
#ifndef MSG_COMMON_FILE_H
#define MSG_COMMON_FILE_H

#include "common/diag.h"
#include "protocol/slice.h"

#include <stdbool.h>
#include <sys/stat.h>

enum file_trust {
    FILE_SECRET,  /* ours, nobody else's to read or write: 0600, or 0700 of a folder */
    FILE_TRUSTED, /* root's or ours, nobody else's to write */
    FILE_PLAIN,   /* the same, and no symbolic link */
    FILE_GUARDED, /* the same, and only for its group to read */
    FILE_ANY,     /* whoever can write it may */
};

/*
 * What is wrong with an open file's or folder's owner and mode: 0, or -EPERM with the mending
 * command in *ret_diag.
 */
int file_judge(const char *path, const struct stat *st, enum file_trust trust,
               struct diag *ret_diag);

/*
 * Reads a regular file of at most limit bytes. *ret_text is terminated behind its len bytes and is
 * freed by the caller, who wipes it first if it is secret. ret_stat may be NULL. -ENOENT where
 * there is none; -EPERM, -EFBIG, -EINVAL (not a regular file) or another negative errno.
 */
int file_read(const char *path, enum file_trust trust, size_t limit, char **ret_text,
              size_t *ret_len, struct stat *ret_stat, struct diag *ret_diag);

/* Whether a file is another one, or another state of it, than a stat said. */
bool file_same(const struct stat *a, const struct stat *b);

/*
 * Opens the folder that holds path, made with mode 0700 together with missing folders above it if
 * `make` is set; but only below a folder of ours or root's, so that `sudo msg` leaves nothing of
 * root's in a home. Its owner must be us, with FILE_SECRET nobody else may enter it. Returns the
 * descriptor; *ret_name points into path.
 */
int file_open_folder(const char *path, bool make, enum file_trust trust, const char **ret_name,
                     struct diag *ret_diag);

/*
 * An exclusive lock on the folder that holds path (path itself is replaced, so that it cannot be
 * locked), held as long as the returned descriptor is open. A missing folder is made, mode 0755.
 */
int file_lock_folder(const char *path, struct diag *ret_diag);

/*
 * Replaces path, or makes it with the given mode, by a temporary file and rename; an existing
 * file's mode and group are kept. After 0 the new text outlives a crash.
 */
int file_replace(const char *path, struct slice text, mode_t mode, struct diag *ret_diag);

#endif
