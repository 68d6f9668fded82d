/* SPDX-License-Identifier: MIT */
#include "daemon/present_terminal.h"

#include "common/mem.h"
#include "daemon/present_become.h"
#include "daemon/present_child.h"

#include <sys/ioctl.h>
#include <sys/queue.h>
#include <time.h>

#define TICK_MS 20 /* between two tries: poll's readiness is no promise that a byte fits */

struct terminal_job {
    struct terminal_job_spec spec;
    struct terminal *terminal;
    uint64_t deadline_ms;
    TAILQ_ENTRY(terminal_job) link;
};
TAILQ_HEAD(job_queue, terminal_job);

/* One terminal that is being written to: the first job's attempt, and who comes after it. */
struct terminal {
    struct terminals *all;
    dev_t rdev;
    struct job_queue jobs;
    sd_event_source *tick;
    struct child *helper;
    int helper_error;
    int fd;           /* of the first job; -1: not open yet */
    size_t len, sent; /* of bytes; len 0: not rendered yet */
    char bytes[LIM_TERMINAL_WRITE];
    LIST_ENTRY(terminal) link;
};
LIST_HEAD(terminal_list, terminal);

struct terminals {
    sd_event *event; /* borrowed */
    struct terminal_list list;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void arm(struct terminal *terminal, uint64_t delay_ms)
{
    sd_event_source_set_time_relative(terminal->tick, delay_ms * 1000);
    sd_event_source_set_enabled(terminal->tick, SD_EVENT_ONESHOT);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* What the helper says: 0 with the descriptor, or why not. */
static void run_helper(int socket, const void *argument)
{
    const struct device_target *target = argument;
    int fd = -1, error = become_user(target->uid, target->gid);
    if (error == 0)
        error = device_open(target, &fd);
    child_answer(socket, &error, sizeof(error), fd);
}

static void on_helper(void *userdata, int error, const void *answer, size_t len, int passed)
{
    struct terminal *terminal = userdata;
    const struct terminal_job *job = TAILQ_FIRST(&terminal->jobs);
    CLEANUP_FD int fd = passed;
    terminal->helper = NULL;
    if (error == 0 && len != sizeof(error))
        error = -EBADMSG;
    if (error == 0)
        memcpy(&error, answer, sizeof(error));
    if (error > 0 || (error == 0 && (fd < 0 || !job)))
        error = -EBADMSG;
    if (error == 0)
        error = device_check(&job->spec.target, fd);
    if (error == 0)
        terminal->fd = TAKE_FD(fd);
    terminal->helper_error = error;
    arm(terminal, 0);
}

static int open_by_helper(struct terminal *terminal, const struct device_target *target)
{
    struct child_job job = {run_helper, target, LIM_TERMINAL_TRY, on_helper, terminal};
    int r = terminal->helper_error;
    if (r < 0 || terminal->helper)
        return r < 0 ? r : -EAGAIN;
    r = child_start(terminal->all->event, &job, &terminal->helper);
    return r < 0 ? r : -EAGAIN;
}

static int open_terminal(struct terminal *terminal, const struct device_target *target)
{
    if (target->override && target->uid != geteuid())
        return open_by_helper(terminal, target);
    return device_open(target, &terminal->fd);
}

static int render(struct terminal *terminal, const struct terminal_job *job)
{
    struct winsize size = {0};
    if (ioctl(terminal->fd, TIOCGWINSZ, &size) < 0)
        size.ws_col = 0;
    ssize_t len = job->spec.render(job->spec.userdata, size.ws_col, terminal->bytes);
    if (len <= 0)
        return len < 0 ? (int)len : -ENODATA;
    terminal->len = (size_t)len;
    return 0;
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static int write_some(struct terminal *terminal)
{
    ssize_t n =
        write(terminal->fd, terminal->bytes + terminal->sent, terminal->len - terminal->sent);
    if (n < 0 && errno == EIO)
        return -ENODEV; /* hung up */
    if (n < 0)
        return errno == EINTR ? -EAGAIN : mem_errno();
    terminal->sent += (size_t)n;
    return terminal->sent == terminal->len ? 0 : -EAGAIN;
}

/* As far as the first job gets now: 0 when all is written, -EAGAIN to be tried again. */
static int advance(struct terminal *terminal, const struct terminal_job *job)
{
    int r = terminal->fd < 0 ? open_terminal(terminal, &job->spec.target) : 0;
    if (r == 0 && terminal->len == 0)
        r = render(terminal, job);
    return r < 0 ? r : write_some(terminal);
}

static void reset(struct terminal *terminal)
{
    mem_close_fd(&terminal->fd);
    child_cancel(TAKE(terminal->helper));
    terminal->fd = -1;
    terminal->helper_error = 0;
    terminal->len = terminal->sent = 0;
}

static void unlink_job(struct terminal_job *job)
{
    if (job == TAILQ_FIRST(&job->terminal->jobs))
        reset(job->terminal);
    TAILQ_REMOVE(&job->terminal->jobs, job, link);
}

static void terminal_free(struct terminal *terminal)
{
    reset(terminal);
    sd_event_source_disable_unref(terminal->tick);
    LIST_REMOVE(terminal, link);
    free(terminal);
}

/* One job's attempt a turn: the loop serves others in between. */
static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct terminal *terminal = userdata;
    struct terminal_job *job = TAILQ_FIRST(&terminal->jobs);
    (void)source;
    (void)usec;
    if (!job) {
        terminal_free(terminal);
        return 0;
    }
    int r = advance(terminal, job);
    if (r == -EAGAIN && now_ms() < job->deadline_ms) {
        arm(terminal, TICK_MS);
        return 0;
    }
    unlink_job(job);
    arm(terminal, 0);
    job->spec.done(job->spec.userdata, r == -EAGAIN ? -ETIMEDOUT : r);
    free(job);
    return 0;
}

/* ---- the jobs -------------------------------------------------------------------------------- */

static int terminal_new(struct terminals *terminals, dev_t rdev, struct terminal **ret_terminal)
{
    CLEANUP_FREE struct terminal *terminal = calloc(1, sizeof(*terminal));
    if (!terminal)
        return -ENOMEM;
    terminal->all = terminals;
    terminal->rdev = rdev;
    terminal->fd = -1;
    TAILQ_INIT(&terminal->jobs);
    int r = sd_event_add_time_relative(terminals->event, &terminal->tick, CLOCK_MONOTONIC, 0, 1000,
                                       on_tick, terminal);
    if (r < 0)
        return r;
    LIST_INSERT_HEAD(&terminals->list, terminal, link);
    *ret_terminal = TAKE(terminal);
    return 0;
}

static struct terminal *find(const struct terminals *terminals, dev_t rdev)
{
    struct terminal *terminal;
    LIST_FOREACH(terminal, &terminals->list, link)
    {
        if (terminal->rdev == rdev)
            return terminal;
    }
    return NULL;
}

int terminals_write(struct terminals *terminals, const struct terminal_job_spec *spec,
                    struct terminal_job **ret_job)
{
    struct terminal *terminal = find(terminals, spec->target.rdev);
    CLEANUP_FREE struct terminal_job *job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    int r = terminal ? 0 : terminal_new(terminals, spec->target.rdev, &terminal);
    if (r < 0)
        return r;
    *job = (struct terminal_job){*spec, terminal, now_ms() + LIM_TERMINAL_TRY};
    TAILQ_INSERT_TAIL(&terminal->jobs, job, link);
    if (ret_job)
        *ret_job = job;
    (void)TAKE(job);
    return 0;
}

void terminal_job_cancel(struct terminal_job *job)
{
    if (!job)
        return;
    unlink_job(job);
    arm(job->terminal, 0);
    free(job);
}

int terminals_new(sd_event *event, struct terminals **ret_terminals)
{
    struct terminals *terminals = calloc(1, sizeof(*terminals));
    if (!terminals)
        return -ENOMEM;
    terminals->event = event;
    LIST_INIT(&terminals->list);
    *ret_terminals = terminals;
    return 0;
}

void terminals_free(struct terminals *terminals)
{
    struct terminal *terminal;
    struct terminal_job *job;
    if (!terminals)
        return;
    while ((terminal = LIST_FIRST(&terminals->list))) {
        while ((job = TAILQ_FIRST(&terminal->jobs))) {
            unlink_job(job);
            free(job);
        }
        terminal_free(terminal);
    }
    free(terminals);
}

bool terminals_idle(const struct terminals *terminals)
{
    return LIST_EMPTY(&terminals->list);
}
