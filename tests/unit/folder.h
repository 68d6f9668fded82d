/* SPDX-License-Identifier: MIT */
/* A private folder for a test's files, gone when the test ends. */
#ifndef MSG_TESTS_UNIT_FOLDER_H
#define MSG_TESTS_UNIT_FOLDER_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX / 2];

static inline int folder_remove_one(const char *path, const struct stat *st, int type,
                                    struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

static inline void folder_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/msg-unit-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        abort();
}

static inline void folder_remove(void)
{
    nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in it; four at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static inline void put_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) < 0)
        abort();
}

/* The file's text, "" if it is not there; one at a time. */
static inline const char *get_file(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[len] = '\0';
    if (file)
        fclose(file);
    return text;
}

#endif
