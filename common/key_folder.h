/* SPDX-License-Identifier: MIT */
/*
 * The folder of further files beside an authorized_keys, FILE.d: which of its files count, in which
 * order. Those whose names end in .keys and consist of A-Z a-z 0-9 . _ -, without a dot in front:
 * what editors and package managers leave behind is named otherwise. Judges the folder, not yet the
 * files.
 */
#ifndef MSG_COMMON_KEY_FOLDER_H
#define MSG_COMMON_KEY_FOLDER_H

#include "common/diag.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define KEY_FOLDER_SUFFIX ".d"
#define KEY_FILE_SUFFIX   ".keys"

struct key_folder {
    char **paths; /* sorted by their bytes */
    size_t count;
};

/*
 * The folder's files; none where there is no folder. 0, -ENAMETOOLONG, -EPERM (owner or mode of the
 * folder), -E2BIG (more than LIM_KEY_FILES, or more than LIM_KEY_FOLDER bytes in them), or
 * another negative errno.
 */
int key_folder_list(const char *authorized, struct key_folder *ret_folder, struct diag *ret_diag);
void key_folder_free(struct key_folder *folder);

/* Whether a file of this name (without its folder) counts. */
bool key_folder_takes(const char *name);
/*
 * Whether a path names something in such a folder; then the path of the authorized_keys it belongs
 * to is in `out`.
 */
bool key_folder_owner(const char *path, char out[static PATH_MAX]);

#endif
