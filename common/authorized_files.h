/* SPDX-License-Identifier: MIT */
/*
 * An authorized_keys and the files in its folder (key_folder.h), as one table. Each file is judged
 * alone: one with an error keeps its last good state and does not hinder the others, and one that
 * is gone takes its keys with it. While the folder cannot be listed, or may be written by others,
 * everything from it stays as it was.
 *
 * authorized_keys comes first, then the folder's files in the order of their names. A key that
 * stands in two files counts as in the first; the other line is an error and does nothing.
 */
#ifndef MSG_COMMON_AUTHORIZED_FILES_H
#define MSG_COMMON_AUTHORIZED_FILES_H

#include "common/authorized_keys.h"
#include "common/watched.h"

struct authorized_source {
    struct watched file;
    struct authorized_keys keys;
};

struct authorized_files {
    struct authorized_source *sources; /* at least one: authorized_keys itself */
    size_t count;
    struct problem listing, twice;
};

/* The path is copied; nothing is read yet. 0 or -ENOMEM. */
int authorized_files_init(struct authorized_files *ret_files, const char *path);
void authorized_files_free(struct authorized_files *files);

/* Looks at all of them. True if a line may have changed: what was borrowed is void then. */
bool authorized_files_refresh(struct authorized_files *files);

/* The line that counts, borrowed; NULL if the key stands nowhere. */
const struct authorized_key *authorized_files_find(const struct authorized_files *files,
                                                   const struct any_key *key);

/* What stands against them, one after the other, from 0; NULL behind the last. */
struct problem *authorized_files_problem(struct authorized_files *files, size_t index);

#endif
