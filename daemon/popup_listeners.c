/* SPDX-License-Identifier: MIT */
#include "daemon/popup_listeners.h"

#include "common/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SERVER_NAME   "tmux: server\n" /* its comm, as it says it by prctl(2) */
#define PROCESSES_MAX 32768            /* that are looked at */
#define SERVERS_MAX   16               /* of them, servers whose sockets are */
#define HELD_MAX      256              /* sockets of one; what it listens at is among its first */
#define LINES_MAX     65536            /* of the kernel's table */
#define LISTENS       "00010000"       /* flags: __SO_ACCEPTCON */
#define STREAM        "0001"

/* ---- a line of the kernel's table ------------------------------------------------------------ */

/* Fields are parted by blanks, and numbers padded with them. */
static struct slice take_field(struct slice *line)
{
    size_t blanks = 0, len = 0;
    while (blanks < line->len && line->ptr[blanks] == ' ')
        blanks++;
    *line = slice_from(*line, blanks);
    while (len < line->len && line->ptr[len] != ' ')
        len++;
    struct slice field = {line->ptr, len};
    *line = slice_from(*line, len);
    return field;
}

static bool is_path(struct slice path)
{
    if (path.len < 2 || path.len >= sizeof(((struct sockets *)NULL)->paths[0]) ||
        path.ptr[0] != '/')
        return false;
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < ' ' || path.ptr[i] == 0x7f)
            return false;
    return true;
}

/* "Num: RefCount Protocol Flags Type St Inode Path", see proc_net(5) and unix_seq_show(). */
bool listeners_line(struct slice line, uint64_t *ret_inode, struct slice *ret_path)
{
    enum { FLAGS = 3, TYPE = 4, INODE = 6, FIELDS = 7 };
    struct slice fields[FIELDS];
    uint64_t inode;
    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = take_field(&line);
    if (!slice_eq(fields[FLAGS], SLICE(LISTENS)) || !slice_eq(fields[TYPE], SLICE(STREAM)) ||
        !slice_number(fields[INODE], UINT64_MAX, &inode) || !slice_take(&line, SLICE(" ")) ||
        !is_path(line))
        return false;
    *ret_inode = inode;
    *ret_path = line;
    return true;
}

/* ---- a server's sockets ---------------------------------------------------------------------- */

struct held {
    uint64_t inodes[HELD_MAX];
    size_t count;
};

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static DIR *open_folder(int above, const char *name)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && fd >= 0)
        close(fd);
    return folder;
}

/* Each is a link called socket:[NUMBER]. */
static void find_held(int process, struct held *held)
{
    __attribute__((cleanup(close_folder))) DIR *folder = open_folder(process, "fd");
    const struct dirent *entry;
    char target[64];
    held->count = 0;
    while (folder && held->count < HELD_MAX && (entry = readdir(folder))) {
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));
        struct slice link = {target, len > 0 ? (size_t)len : 0};
        if (!slice_take(&link, SLICE("socket:[")) || link.len == 0)
            continue;
        link.len--; /* the bracket */
        held->count += slice_number(link, UINT64_MAX, &held->inodes[held->count]);
    }
}

static bool holds(const struct held *held, uint64_t inode)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->inodes[i] == inode)
            return true;
    return false;
}

/* The table is that of its own network: ours is another, in a service that has none. */
static void add_listening(int process, const struct held *held, uid_t uid, struct sockets *sockets)
{
    int fd = openat(process, "net/unix", O_RDONLY | O_CLOEXEC);
    __attribute__((cleanup(close_file))) FILE *table = fd < 0 ? NULL : fdopen(fd, "r");
    char line[LISTENERS_LINE], path[LISTENERS_LINE];
    struct slice named;
    uint64_t inode;
    for (unsigned i = 0; table && i < LINES_MAX && fgets(line, sizeof(line), table); i++)
        if (listeners_line(slice_of_line(slice_of(line)), &inode, &named) && holds(held, inode)) {
            slice_copy(path, sizeof(path), named);
            sockets_add(path, uid, sockets);
        }
}

/* ---- the servers ----------------------------------------------------------------------------- */

static bool is_server(int process, uid_t uid)
{
    struct stat status;
    char name[32];
    if (fstat(process, &status) < 0 || status.st_uid != uid)
        return false;
    CLEANUP_FD int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, name, sizeof(name));
    return len > 0 && slice_eq((struct slice){name, (size_t)len}, SLICE(SERVER_NAME));
}

void listeners_add(uid_t uid, struct sockets *sockets)
{
    __attribute__((cleanup(close_folder))) DIR *all = open_folder(AT_FDCWD, "/proc");
    const struct dirent *entry;
    struct held held;
    unsigned servers = 0;
    for (unsigned i = 0;
         all && i < PROCESSES_MAX && servers < SERVERS_MAX && (entry = readdir(all)); i++) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        CLEANUP_FD int process =
            openat(dirfd(all), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process < 0 || !is_server(process, uid))
            continue;
        servers++;
        find_held(process, &held);
        add_listening(process, &held, uid, sockets);
    }
}
