/* SPDX-License-Identifier: MIT */
#include "common/key_folder.h"

#include "common/file.h"
#include "common/mem.h"
#include "protocol/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

struct listing {
    const char *path;
    struct key_folder found;
    uint64_t bytes;
};

static void end_listing(struct listing *listing)
{
    key_folder_free(&listing->found);
}

bool key_folder_takes(const char *name)
{
    size_t len = strlen(name), suffix = strlen(KEY_FILE_SUFFIX);

    return name[0] != '.' && len > suffix && strcmp(name + len - suffix, KEY_FILE_SUFFIX) == 0 &&
           strspn(name, NAME_CHARACTERS) == len;
}

bool key_folder_owner(const char *path, char out[static PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0, suffix = strlen(KEY_FOLDER_SUFFIX);

    if (len <= suffix || len - suffix >= PATH_MAX || path[len - suffix - 1] == '/' ||
        memcmp(path + len - suffix, KEY_FOLDER_SUFFIX, suffix) != 0)
        return false;
    memcpy(out, path, len - suffix);
    out[len - suffix] = '\0';
    return true;
}

static int append(struct listing *listing, int folder, const char *name, struct diag *ret_diag)
{
    struct key_folder *found = &listing->found;
    struct stat st;

    if (found->count == LIM_KEY_FILES)
        return diag_set(ret_diag, -E2BIG, "%s holds more than %d files", listing->path,
                        LIM_KEY_FILES);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        listing->bytes += (uint64_t)st.st_size;
    if (listing->bytes > LIM_KEY_FOLDER)
        return diag_set(ret_diag, -E2BIG, "the files in %s are longer than %d bytes in all",
                        listing->path, LIM_KEY_FOLDER);
    char **grown = reallocarray(found->paths, found->count + 1, sizeof(*grown));
    if (!grown)
        return diag_errno(ret_diag, -ENOMEM, listing->path);
    found->paths = grown;
    if (asprintf(&found->paths[found->count], "%s/%s", listing->path, name) < 0)
        return diag_errno(ret_diag, -ENOMEM, listing->path);
    found->count++;
    return 0;
}

static int read_entries(struct listing *listing, DIR *entries, struct diag *ret_diag)
{
    const struct dirent *entry;
    int r = 0;

    while (r == 0 && (errno = 0, entry = readdir(entries))) {
        if (key_folder_takes(entry->d_name))
            r = append(listing, dirfd(entries), entry->d_name, ret_diag);
    }
    return r == 0 && errno ? diag_errno(ret_diag, mem_errno(), listing->path) : r;
}

static int open_folder(const char *path, DIR **ret_entries, struct diag *ret_diag)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), path);
    int r = file_judge(path, &st, FILE_TRUSTED, ret_diag);
    if (r < 0)
        return r;
    DIR *entries = fdopendir(fd);
    if (!entries)
        return diag_errno(ret_diag, mem_errno(), path);
    TAKE_FD(fd);
    *ret_entries = entries;
    return 0;
}

/* strcmp: the order must not hang on a locale. */
static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int key_folder_list(const char *authorized, struct key_folder *ret_folder, struct diag *ret_diag)
{
    char path[PATH_MAX];
    __attribute__((cleanup(end_listing))) struct listing listing = {.path = path};
    DIR *entries = NULL;

    if (snprintf(path, sizeof(path), "%s" KEY_FOLDER_SUFFIX, authorized) >= (int)sizeof(path))
        return diag_errno(ret_diag, -ENAMETOOLONG, authorized);
    int r = open_folder(path, &entries, ret_diag);
    if (r == -ENOENT)
        r = 0;
    else if (r == 0)
        r = read_entries(&listing, entries, ret_diag);
    if (entries)
        closedir(entries);
    if (r < 0)
        return r;
    if (listing.found.count > 1)
        qsort(listing.found.paths, listing.found.count, sizeof(char *), compare);
    *ret_folder = listing.found;
    listing.found = (struct key_folder){.paths = NULL};
    return 0;
}

void key_folder_free(struct key_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder->paths);
    *folder = (struct key_folder){.paths = NULL};
}
