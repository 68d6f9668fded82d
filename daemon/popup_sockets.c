/* SPDX-License-Identifier: MIT */
#include "daemon/popup_sockets.h"

#include "common/mem.h"

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

static int open_folder(const char *path, uid_t uid, DIR **ret_folder)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? -EPERM : mem_errno();
    if (fstat(fd, &status) < 0)
        return mem_errno();
    if (status.st_uid != uid || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
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
