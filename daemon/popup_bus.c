/* SPDX-License-Identifier: MIT */
#include "daemon/popup_bus.h"

#include "common/mem.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A full backlog is -EAGAIN here: it is never waited for. */
static int connect_to(const struct sockaddr_un *address, int *ret_fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return mem_errno();
    if (peer.uid != geteuid())
        return -EPERM;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int open_socket(int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    snprintf(address.sun_path, sizeof(address.sun_path), "/run/user/%u/bus", geteuid());
    if (lstat(address.sun_path, &st) < 0)
        return mem_errno();
    if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
        return -EPERM;
    return connect_to(&address, ret_fd);
}

int popup_bus_open(sd_event *event, sd_bus **ret_bus)
{
    CLEANUP_FD int fd = -1;
    sd_bus *bus = NULL;
    int r = open_socket(&fd);
    if (r >= 0)
        r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r >= 0) {
        fd = -1; /* the bus's now */
        r = sd_bus_set_bus_client(bus, true);
    }
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0) {
        popup_bus_close(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

sd_bus *popup_bus_close(sd_bus *bus)
{
    if (!bus)
        return NULL;
    sd_bus_detach_event(bus);
    return sd_bus_close_unref(bus);
}
