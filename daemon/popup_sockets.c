/* SPDX-License-Identifier: MIT */
#include "daemon/popup_sockets.h"

#include "common/mem.h"
#include "protocol/slice.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ENTRIES_MAX 1024 /* of the folder that are looked at */

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static bool is_users_alone(const struct stat *folder, uid_t uid)
{
    return folder->st_uid == uid && (folder->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static int open_folder(const char *path, uid_t uid, DIR **ret_folder)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? -EPERM : mem_errno();
    if (fstat(fd, &status) < 0)
        return mem_errno();
    if (!is_users_alone(&status, uid))
        return -EPERM;
    DIR *folder = fdopendir(fd);
    if (!folder)
        return mem_errno();
    (void)TAKE_FD(fd);
    *ret_folder = folder;
    return 0;
}

static bool is_socket(DIR *folder, const char *name, uid_t uid)
{
    struct stat status;
    return fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(status.st_mode) && status.st_uid == uid;
}

/* tmux leaves its socket behind; such a one must not take the place of one that is used. */
static bool is_served(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    return fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
                       errno == EAGAIN);
}

/* `default` before all others. */
static bool is_before(const char *name, const char *other)
{
    bool first = strcmp(name, "default") == 0, second = strcmp(other, "default") == 0;
    return first != second ? first : strcmp(name, other) < 0;
}

/* Into its place; the last one gives way where there are too many. */
static void insert(struct sockets *sockets, const char *folder, const char *name)
{
    size_t at = sockets->count < SOCKETS_MAX ? sockets->count++ : SOCKETS_MAX - 1;
    size_t offset = strlen(folder) + 1;
    if (at == SOCKETS_MAX - 1 && sockets->paths[at][0] != '\0' &&
        !is_before(name, sockets->paths[at] + offset))
        return;
    for (; at > 0 && is_before(name, sockets->paths[at - 1] + offset); at--)
        memcpy(sockets->paths[at], sockets->paths[at - 1], sizeof(sockets->paths[at]));
    snprintf(sockets->paths[at], sizeof(sockets->paths[at]), "%s/%s", folder, name);
}

int sockets_list(const char *path, uid_t uid, struct sockets *ret_sockets)
{
    __attribute__((cleanup(close_folder))) DIR *folder = NULL;
    struct sockets sockets = {.count = 0};
    const struct dirent *entry;
    int r = open_folder(path, uid, &folder);
    if (r < 0)
        return r;
    for (unsigned seen = 0; seen < ENTRIES_MAX && (entry = readdir(folder)); seen++)
        if (strlen(path) + 1 + strlen(entry->d_name) < sizeof(sockets.paths[0]) &&
            is_socket(folder, entry->d_name, uid) && is_served(path, entry->d_name))
            insert(&sockets, path, entry->d_name);
    if (sockets.count == 0)
        return -ENOENT;
    *ret_sockets = sockets;
    return 0;
}

/* Whether what the user or root has in it stays there. */
static bool keeps(const struct stat *folder, uid_t uid)
{
    return (folder->st_uid == uid || folder->st_uid == 0) &&
           ((folder->st_mode & (S_IWGRP | S_IWOTH)) == 0 || (folder->st_mode & S_ISVTX) != 0);
}

/* From the root downward; a link on the way is none. */
static bool is_private(const char *path, uid_t uid)
{
    char folder[sizeof(((struct sockets *)NULL)->paths[0])];
    struct stat status = {0};
    const char *name = strrchr(path, '/');
    for (const char *end = path; end && end <= name; end = strchr(end + 1, '/')) {
        slice_copy(folder, sizeof(folder),
                   (struct slice){path, end > path ? (size_t)(end - path) : 1});
        if (lstat(folder, &status) < 0 || !S_ISDIR(status.st_mode) || !keeps(&status, uid))
            return false;
    }
    return is_users_alone(&status, uid) && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
           status.st_uid == uid;
}

void sockets_add(const char *path, uid_t uid, struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (strcmp(sockets->paths[i], path) == 0)
            return;
    if (sockets->count == SOCKETS_MAX || path[0] != '/' ||
        strlen(path) >= sizeof(sockets->paths[0]) || !is_private(path, uid))
        return;
    strcpy(sockets->paths[sockets->count++], path);
}
