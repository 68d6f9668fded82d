/* SPDX-License-Identifier: MIT */
#include "daemon/present_writer.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_become.h"

#include <time.h>

_Static_assert(LIM_TERMINAL_WRITE <= CHILD_REPLY, "a reply holds what is written at once");

/* What the child asks, once it has tried to open the terminal. */
struct opened {
    int32_t error; /* 0 or negative */
    uint32_t columns;
    uint32_t utf8; /* 0 or 1 */
};

/* ---- in the child ---------------------------------------------------------------------------- */

static int open_terminal(const struct device_target *target, int *ret_fd)
{
    bool become = target->override && target->uid != geteuid();
    int r = become ? become_user(target->uid, target->gid) : become_powerless();
    return r < 0 ? r : device_open(target, ret_fd);
}

static ssize_t write_once(int fd, const char *bytes, size_t len)
{
    ssize_t written = write(fd, bytes, len);
    if (written >= 0)
        return written;
    return errno == EIO ? -ENODEV : errno == EINTR ? -EAGAIN : mem_errno(); /* EIO: hung up */
}

/* Where the terminal takes nothing at all, another attempt is made later, not this one longer. */
static int write_all(int fd, const char *bytes, size_t len, uint64_t deadline_ms)
{
    const struct timespec pause = {0, WRITER_PAUSE_MS * 1000000L};
    size_t sent = 0;
    while (sent < len) {
        ssize_t written = write_once(fd, bytes + sent, len - sent);
        if (written == -EAGAIN && clock_ms(CLOCK_MONOTONIC) >= deadline_ms)
            return -ETIMEDOUT;
        if (written < 0 && (written != -EAGAIN || sent == 0))
            return (int)written;
        sent += written > 0 ? (size_t)written : 0;
        if (sent < len)
            nanosleep(&pause, NULL);
    }
    return 0;
}

static void run_writer(int socket, const void *argument)
{
    const struct writer_order *order = argument;
    struct device_screen screen = {0};
    char bytes[CHILD_REPLY];
    int fd = -1, error = open_terminal(&order->target, &fd);
    if (error == 0)
        device_ask(fd, &screen);
    struct opened opened = {error, screen.columns, screen.utf8};
    ssize_t len = child_ask(socket, &opened, sizeof(opened), bytes);
    error = len < 0 ? (int)len : write_all(fd, bytes, (size_t)len, order->deadline_ms);
    child_answer(socket, &error, sizeof(error));
}

/* ---- in the parent --------------------------------------------------------------------------- */

static ssize_t on_opened(void *userdata, const void *question, size_t len, char out[CHILD_REPLY])
{
    const struct writer_order *order = userdata;
    struct opened opened;
    if (len != sizeof(opened))
        return -EBADMSG;
    memcpy(&opened, question, sizeof(opened));
    if (opened.error != 0)
        return opened.error < 0 ? opened.error : -EBADMSG;
    const struct device_screen screen = {opened.columns, opened.utf8 == 1};
    ssize_t rendered = order->render(order->userdata, &screen, out);
    return rendered == 0 ? -ENODATA : rendered;
}

static void on_answer(void *userdata, int error, const void *answer, size_t len)
{
    const struct writer_order *order = userdata;
    if (error == 0 && len != sizeof(error))
        error = -EBADMSG;
    if (error == 0)
        memcpy(&error, answer, sizeof(error));
    order->done(order->userdata, error > 0 ? -EBADMSG : error);
}

int writer_start(sd_event *event, struct writer_order *order, struct child **ret_child)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC),
             left = order->deadline_ms > now ? order->deadline_ms - now : 0;
    const struct child_job job = {.run = run_writer,
                                  .argument = order,
                                  .owner = order->target.uid,
                                  .deadline_ms = left + WRITER_GRACE_MS,
                                  .reply = on_opened,
                                  .done = on_answer,
                                  .userdata = order};
    return child_start(event, &job, ret_child);
}
