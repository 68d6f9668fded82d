/* SPDX-License-Identifier: MIT */
#include "daemon/present_link.h"

#include "common/mem.h"
#include "common/text.h"

#include <sys/queue.h>
#include <sys/socket.h>

struct datagram {
    STAILQ_ENTRY(datagram) link;
    size_t len;
    char bytes[];
};

struct link {
    sd_event *event; /* borrowed */
    int fd;
    struct link_handler handler;
    sd_event_source *io, *deadline;
    bool greeted; /* the other's hello came and fits */
    unsigned queued;
    int error; /* of a send: told from the loop */
    STAILQ_HEAD(, datagram) queue;
};

static bool is_end(int error)
{
    return error == -ENOTCONN || error == -EPIPE || error == -ECONNRESET;
}

/* The last call the owner gets. What the other end said before it went still counts. */
static void closed(struct link *link, int error, const char *reason)
{
    if (is_end(error))
        link_drain(link);
    link->handler.on_closed(link->handler.userdata, is_end(error) ? 0 : error, reason);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct link *link = userdata;
    (void)source;
    (void)usec;
    if (link->error < 0)
        closed(link, link->error, "it cannot be written to");
    else
        closed(link, -ETIMEDOUT, link->greeted ? "it takes nothing" : "it does not say hello");
    return 0;
}

static void arm_deadline(struct link *link, uint64_t ms)
{
    sd_event_source_set_time_relative(link->deadline, ms * 1000);
    sd_event_source_set_enabled(link->deadline, SD_EVENT_ONESHOT);
}

/* Reads only where an answer has room; writes only where something waits. */
static void watch(struct link *link)
{
    uint32_t events = link->queued < LINK_ROOM ? EPOLLIN : 0;
    if (link->queued > 0)
        events |= EPOLLOUT;
    sd_event_source_set_io_events(link->io, events);
}

/* ---- out ------------------------------------------------------------------------------------- */

static int flush(struct link *link)
{
    bool moved = false;
    struct datagram *next;
    while ((next = STAILQ_FIRST(&link->queue))) {
        int r = boundary_send(link->fd, next->bytes, next->len);
        if (r == -EAGAIN)
            break;
        if (r < 0)
            return r;
        STAILQ_REMOVE_HEAD(&link->queue, link);
        link->queued--;
        free(next);
        moved = true;
    }
    if (!link->greeted)
        return 0;
    if (link->queued == 0)
        sd_event_source_set_enabled(link->deadline, SD_EVENT_OFF);
    else if (moved || link->queued == 1)
        arm_deadline(link, LIM_STALLED);
    return 0;
}

static int enqueue(struct link *link, const struct boundary_message *message)
{
    char bytes[LIM_DATAGRAM];
    ssize_t len = boundary_encode(message, bytes, sizeof(bytes));
    if (len < 0)
        return (int)len;
    if (link->queued >= LIM_BOUNDARY_QUEUE)
        return -ENOBUFS;
    struct datagram *datagram = malloc(sizeof(*datagram) + (size_t)len);
    if (!datagram)
        return -ENOMEM;
    datagram->len = (size_t)len;
    memcpy(datagram->bytes, bytes, (size_t)len);
    STAILQ_INSERT_TAIL(&link->queue, datagram, link);
    link->queued++;
    return 0;
}

int link_send(struct link *link, const struct boundary_message *message)
{
    int r = link->error < 0 ? link->error : enqueue(link, message);
    if (r == 0)
        r = flush(link);
    if (r < 0)
        arm_deadline(link, 0);
    link->error = r;
    watch(link);
    return r;
}

bool link_has_room(const struct link *link)
{
    return link->greeted && link->error == 0 && link->queued < LINK_ROOM;
}

/* ---- in -------------------------------------------------------------------------------------- */

static int greet(struct link *link, const struct boundary_message *message, const char **ret_reason)
{
    char program[TEXT_ESCAPED(sizeof(message->u.hello.program))];
    if (message->verb != BOUNDARY_HELLO) {
        *ret_reason = "it does not begin with hello";
        return -EBADMSG;
    }
    int r = boundary_check_hello(&message->u.hello, ret_reason);
    if (r < 0)
        return r;
    text_escape(slice_of(message->u.hello.program), TEXT_ONE_LINE, program, sizeof(program));
    link->greeted = true;
    sd_event_source_set_enabled(link->deadline, SD_EVENT_OFF);
    link->handler.on_hello(link->handler.userdata, program);
    return 0;
}

static int handle(struct link *link, const char *bytes, size_t len, const char **ret_reason)
{
    struct boundary_message message;
    int r = boundary_decode(&message, BOUNDARY_TO_PRESENTER, bytes, len, ret_reason);
    if (r < 0)
        return r;
    if (!link->greeted)
        return greet(link, &message, ret_reason);
    if (message.verb == BOUNDARY_HELLO) {
        *ret_reason = "it says hello twice";
        return -EBADMSG;
    }
    return link->handler.on_message(link->handler.userdata, &message, ret_reason);
}

/* One datagram. 1: one was handled; 0: none is there; negative: over, -ENOTCONN being the end. */
static int receive_one(struct link *link, const char **ret_reason)
{
    char bytes[LIM_DATAGRAM];
    ssize_t len = boundary_receive(link->fd, bytes, sizeof(bytes));
    if (len == -EAGAIN)
        return 0;
    *ret_reason = len == -EBADMSG ? "a datagram too long, or with something attached" : "lost";
    if (len <= 0)
        return len == 0 ? -ENOTCONN : (int)len;
    int r = handle(link, bytes, (size_t)len, ret_reason);
    return r < 0 ? r : 1;
}

/* One datagram a turn of the loop, so that answers, timers and other sources have theirs. */
static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct link *link = userdata;
    const char *reason = "it cannot be written to";
    (void)source;
    (void)fd;
    int r = link->error; /* one that cannot be answered is not heard */
    if (r == 0 && events & EPOLLOUT)
        r = flush(link);
    if (r == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        r = receive_one(link, &reason);
    if (r < 0)
        closed(link, r, reason);
    else
        watch(link);
    return 0;
}

void link_drain(struct link *link)
{
    const char *reason;
    shutdown(link->fd, SHUT_RD); /* what comes later is not taken: this ends */
    while (receive_one(link, &reason) > 0)
        ;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int start(struct link *link)
{
    struct boundary_message hello = {.verb = BOUNDARY_HELLO};
    int r = sd_event_add_io(link->event, &link->io, link->fd, EPOLLIN, on_io, link);
    if (r >= 0)
        r = sd_event_add_time_relative(link->event, &link->deadline, CLOCK_MONOTONIC,
                                       LIM_HANDSHAKE * 1000, 0, on_deadline, link);
    if (r < 0)
        return r;
    boundary_hello(&hello.u.hello, "msgd-present " PACKAGE_VERSION);
    link_send(link, &hello); /* that the other has gone already is told from the loop */
    return 0;
}

int link_new(sd_event *event, int fd, const struct link_handler *handler, struct link **ret_link)
{
    struct link *link = calloc(1, sizeof(*link));
    if (!link) {
        close(fd);
        return -ENOMEM;
    }
    *link = (struct link){.event = event, .fd = fd, .handler = *handler};
    STAILQ_INIT(&link->queue);
    int r = start(link);
    if (r < 0) {
        link_free(link);
        return r;
    }
    *ret_link = link;
    return 0;
}

void link_free(struct link *link)
{
    struct datagram *next;
    if (!link)
        return;
    sd_event_source_disable_unref(link->io);
    sd_event_source_disable_unref(link->deadline);
    while ((next = STAILQ_FIRST(&link->queue))) {
        STAILQ_REMOVE_HEAD(&link->queue, link);
        free(next);
    }
    mem_close_fd(&link->fd);
    free(link);
}
