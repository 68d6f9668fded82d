/* SPDX-License-Identifier: MIT */
#include "daemon/present_relay.h"

#include "common/log.h"
#include "common/mem.h"

#include <fcntl.h>
#include <stdbool.h>

#define RELAY_LINE 1000 /* longer ones are broken */
#define LAST_READS 64   /* as many lines as a pipe of the default size holds of the longest */

struct relay {
    int fd;
    sd_event_source *io;
    size_t len; /* of a line that has not ended */
    char line[RELAY_LINE];
};

static void split(struct relay *relay)
{
    size_t start = 0;
    for (char *end; (end = memchr(relay->line + start, '\n', relay->len - start));) {
        log_foreign((struct slice){relay->line + start, (size_t)(end - relay->line) - start});
        start = (size_t)(end - relay->line) + 1;
    }
    relay->len -= start;
    memmove(relay->line, relay->line + start, relay->len);
    if (relay->len == sizeof(relay->line)) {
        log_foreign((struct slice){relay->line, relay->len});
        relay->len = 0;
    }
}

/* Reads once: false where there is nothing, or nothing more. */
static bool read_some(struct relay *relay)
{
    ssize_t len = read(relay->fd, relay->line + relay->len, sizeof(relay->line) - relay->len);
    if (len < 0)
        return errno == EINTR;
    relay->len += (size_t)len;
    split(relay);
    return len > 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)fd;
    if (!read_some(userdata) && events & (EPOLLHUP | EPOLLERR))
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return 0;
}

int relay_new(sd_event *event, int *ret_fd, struct relay **ret_relay)
{
    int ends[2];
    CLEANUP_FREE struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return -ENOMEM;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return mem_errno();
    CLEANUP_FD int out = ends[0], in = ends[1];
    if (fcntl(out, F_SETFL, O_NONBLOCK) < 0)
        return mem_errno();
    int r = sd_event_add_io(event, &relay->io, out, EPOLLIN, on_output, relay);
    if (r < 0)
        return r;
    relay->fd = TAKE_FD(out);
    *ret_fd = TAKE_FD(in);
    *ret_relay = TAKE(relay);
    return 0;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    for (int i = 0; i < LAST_READS && read_some(relay); i++)
        ;
    if (relay->len > 0)
        log_foreign((struct slice){relay->line, relay->len});
    sd_event_source_disable_unref(relay->io);
    mem_close_fd(&relay->fd);
    free(relay);
}
