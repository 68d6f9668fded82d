/* SPDX-License-Identifier: MIT */
#include "common/file.h"

#include "common/mem.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>

int file_judge(const char *path, const struct stat *st, enum file_trust trust,
               struct diag *ret_diag)
{
    uid_t us = geteuid();
    mode_t refused = trust == FILE_SECRET ? 077 : trust == FILE_GUARDED ? 027 : 022;
    bool root_too = trust != FILE_SECRET, folder = S_ISDIR(st->st_mode);
    if (trust == FILE_ANY)
        return 0;
    if (st->st_uid != us && !(root_too && st->st_uid == 0))
        return diag_set(ret_diag, -EPERM,
                        "%s belongs to uid %u, and this is uid %u; run: chown %u %s", path,
                        (unsigned)st->st_uid, (unsigned)us, (unsigned)us, path);
    if ((st->st_mode & refused) == 0)
        return 0;
    if (trust == FILE_SECRET)
        return diag_set(ret_diag, -EPERM, "%s is open to others (mode %04o); run: chmod %s %s",
                        path, (unsigned)(st->st_mode & 07777), folder ? "700" : "600", path);
    if (trust == FILE_GUARDED)
        return diag_set(ret_diag, -EPERM, "%s is open to others (mode %04o); run: chmod %s %s",
                        path, (unsigned)(st->st_mode & 07777), folder ? "750" : "640", path);
    return diag_set(ret_diag, -EPERM, "%s can be written by others (mode %04o); run: chmod go-w %s",
                    path, (unsigned)(st->st_mode & 07777), path);
}

/* Reads until the end or until more than limit is there. */
static int read_all(int fd, size_t limit, char **ret_text, size_t *ret_len)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0, capacity = 0;
    for (;;) {
        if (capacity - len < 2) {
            capacity = capacity ? capacity * 2 : 4096;
            char *grown = realloc(text, capacity);
            if (!grown)
                return -ENOMEM;
            text = grown;
        }
        ssize_t got = read(fd, text + len, capacity - len - 1);
        if (got < 0 && errno != EINTR)
            return mem_errno();
        if (got == 0)
            break;
        len += got > 0 ? (size_t)got : 0;
        if (len > limit)
            return -EFBIG;
    }
    text[len] = '\0';
    *ret_text = TAKE(text);
    *ret_len = len;
    return 0;
}

static int open_regular(const char *path, enum file_trust trust, struct stat *st,
                        struct diag *ret_diag)
{
    /* Without O_NONBLOCK a FIFO in the file's place would hold us for ever. */
    int nofollow = trust == FILE_PLAIN ? O_NOFOLLOW : 0;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | nofollow);
    if (fd < 0 && nofollow && errno == ELOOP)
        return diag_set(ret_diag, -ELOOP, "%s is a symbolic link, which does not count here", path);
    if (fd < 0 || fstat(fd, st) < 0)
        return diag_errno(ret_diag, mem_errno(), path);
    if (!S_ISREG(st->st_mode))
        return diag_set(ret_diag, -EINVAL, "%s is not a regular file", path);
    int r = file_judge(path, st, trust, ret_diag);
    return r < 0 ? r : TAKE_FD(fd);
}

int file_read(const char *path, enum file_trust trust, size_t limit, char **ret_text,
              size_t *ret_len, struct stat *ret_stat, struct diag *ret_diag)
{
    struct stat st;
    CLEANUP_FD int fd = open_regular(path, trust, &st, ret_diag);
    if (fd < 0)
        return fd;
    int r = read_all(fd, limit, ret_text, ret_len);
    if (r == -EFBIG)
        return diag_set(ret_diag, r, "%s is longer than %zu bytes", path, limit);
    if (r < 0)
        return diag_errno(ret_diag, r, path);
    if (ret_stat)
        *ret_stat = st;
    return 0;
}

bool file_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The folder part of path, "." where there is none; the rest is the name. */
static int split_path(const char *path, char folder[static PATH_MAX], const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    if (len == 0)
        strcpy(folder, slash ? "/" : ".");
    *ret_name = slash ? slash + 1 : path;
    return **ret_name ? 0 : -EINVAL;
}

/* What lies above must be ours or root's: sudo must leave nothing of root's in a home. */
static int make_below(const char *parent, const char *folder, struct diag *ret_diag)
{
    struct stat st;
    if (stat(parent, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), parent);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return diag_set(ret_diag, -EPERM, "%s belongs to uid %u: nothing is made there by uid %u",
                        parent, (unsigned)st.st_uid, (unsigned)geteuid());
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return diag_errno(ret_diag, mem_errno(), folder);
    return 0;
}

static int make_folder(const char *folder, struct diag *ret_diag)
{
    char part[PATH_MAX], parent[PATH_MAX];
    const char *name;
    struct stat st;
    for (const char *at = folder;; at++) {
        size_t len = strcspn(at, "/");
        at += len;
        memcpy(part, folder, (size_t)(at - folder));
        part[at - folder] = '\0';
        if (len && stat(part, &st) < 0) {
            int r = split_path(part, parent, &name);
            r = r < 0 ? diag_errno(ret_diag, r, part) : make_below(parent, part, ret_diag);
            if (r < 0)
                return r;
        }
        if (!*at)
            return 0;
    }
}

int file_open_folder(const char *path, bool make, enum file_trust trust, const char **ret_name,
                     struct diag *ret_diag)
{
    char folder[PATH_MAX];
    struct stat st;
    int r = split_path(path, folder, ret_name);
    if (r < 0)
        return diag_errno(ret_diag, r, path);
    r = make ? make_folder(folder, ret_diag) : 0;
    if (r < 0)
        return r;
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), folder);
    r = file_judge(folder, &st, trust, ret_diag);
    return r < 0 ? r : TAKE_FD(fd);
}

int file_lock_folder(const char *path, struct diag *ret_diag)
{
    char folder[PATH_MAX];
    const char *name;
    int r = split_path(path, folder, &name);
    if (r < 0)
        return diag_errno(ret_diag, r, path);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return diag_errno(ret_diag, mem_errno(), folder);
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return diag_errno(ret_diag, mem_errno(), folder);
    return TAKE_FD(fd);
}

static int write_all(int fd, struct slice text)
{
    while (text.len) {
        ssize_t put = write(fd, text.ptr, text.len);
        if (put < 0 && errno != EINTR)
            return mem_errno();
        text = slice_from(text, put > 0 ? (size_t)put : 0);
    }
    return fsync(fd) < 0 ? mem_errno() : 0;
}

/* The temporary file gets what the old one had, as far as we may give it. */
static int keep_mode(int fd, const char *path, mode_t mode)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        mode = st.st_mode & 0777;
        if (fchown(fd, st.st_uid, st.st_gid) < 0 && geteuid() == 0)
            return mem_errno();
    }
    return fchmod(fd, mode) < 0 ? mem_errno() : 0;
}

/* The name, too, is to outlive a crash. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *name;
    int r = split_path(path, folder, &name);
    CLEANUP_FD int fd = r < 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0 && (fd < 0 || fsync(fd) < 0))
        r = mem_errno();
    return r;
}

int file_replace(const char *path, struct slice text, mode_t mode, struct diag *ret_diag)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return diag_errno(ret_diag, -ENAMETOOLONG, path);
    CLEANUP_FD int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return diag_errno(ret_diag, mem_errno(), temporary);
    int r = keep_mode(fd, path, mode);
    r = r < 0 ? r : write_all(fd, text);
    if (r == 0 && rename(temporary, path) < 0)
        r = mem_errno();
    if (r < 0) {
        unlink(temporary);
        return diag_errno(ret_diag, r, path);
    }
    r = sync_folder(path);
    return r < 0 ? diag_errno(ret_diag, r, path) : 0;
}
