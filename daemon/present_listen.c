/* SPDX-License-Identifier: MIT */
#include "daemon/present_listen.h"

#include "common/mem.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

int listen_inherited(void)
{
    int count = sd_listen_fds(1);
    if (count <= 0)
        return count < 0 ? count : -ENOENT;
    if (count > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
        return -EINVAL;
    return SD_LISTEN_FDS_START;
}

/* A socket that nobody listens to any more. */
static int remove_stale(const struct sockaddr_un *address)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct stat st;
    if (fd < 0)
        return mem_errno();
    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : mem_errno();
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return -EADDRINUSE;
    if (errno != ECONNREFUSED)
        return mem_errno();
    return unlink(address->sun_path) < 0 ? mem_errno() : 0;
}

int listen_at(const char *path, uid_t uid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mem_errno();
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int r = remove_stale(&address);
    if (r < 0)
        return r;
    mode_t mask = umask(0177); /* before anybody can connect */
    r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? mem_errno() : 0;
    umask(mask);
    if (r < 0)
        return r;
    if (uid != geteuid() && lchown(path, uid, (gid_t)-1) < 0)
        return mem_errno();
    return listen(fd, 4) < 0 ? mem_errno() : TAKE_FD(fd);
}

int listen_accept(int fd, uid_t uid, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    CLEANUP_FD int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0)
        return mem_errno();
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return mem_errno();
    if (peer.uid != uid || peer.uid == LISTEN_OVERFLOW_UID) {
        *ret_uid = peer.uid;
        return -EPERM;
    }
    return TAKE_FD(connection);
}
