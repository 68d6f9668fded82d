/* SPDX-License-Identifier: MIT */
#include "daemon/present_terminal.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_writer.h"

#include <sys/queue.h>

#define TICK_MS      20 /* until the second attempt; twice as long each time */
#define TICK_MS_LAST 160

struct terminal_job {
    struct terminal_job_spec spec;
    struct terminal *terminal;
    struct writer_order order;
    TAILQ_ENTRY(terminal_job) link;
};
TAILQ_HEAD(job_queue, terminal_job);

/* One terminal that is being written to: the first job's attempts, and who comes after it. */
struct terminal {
    struct terminals *all;
    dev_t rdev;
    struct job_queue jobs;
    sd_event_source *tick;
    struct child *writer; /* of the first job */
    uint64_t pause_ms;    /* before its next attempt */
    LIST_ENTRY(terminal) link;
};
LIST_HEAD(terminal_list, terminal);

struct terminals {
    sd_event *event; /* borrowed */
    struct terminal_list list;
};

static void arm(struct terminal *terminal, uint64_t delay_ms)
{
    sd_event_source_set_time_relative(terminal->tick, delay_ms * 1000);
    sd_event_source_set_enabled(terminal->tick, SD_EVENT_ONESHOT);
}

/* ---- attempts -------------------------------------------------------------------------------- */

static void reset(struct terminal *terminal)
{
    child_cancel(TAKE(terminal->writer));
    terminal->pause_ms = TICK_MS;
    arm(terminal, 0);
}

static void unlink_job(struct terminal_job *job)
{
    if (job == TAILQ_FIRST(&job->terminal->jobs))
        reset(job->terminal);
    TAILQ_REMOVE(&job->terminal->jobs, job, link);
}

static void finish(struct terminal_job *job, int error)
{
    unlink_job(job);
    job->spec.done(job->spec.userdata, error);
    free(job);
}

static void try_later(struct terminal *terminal)
{
    arm(terminal, terminal->pause_ms);
    if (terminal->pause_ms < TICK_MS_LAST)
        terminal->pause_ms *= 2;
}

static ssize_t on_open(void *userdata, const struct device_screen *screen,
                       char out[static LIM_TERMINAL_WRITE])
{
    const struct terminal_job *job = userdata;
    return job->spec.render(job->spec.userdata, screen, out);
}

static void on_tried(void *userdata, int error)
{
    struct terminal_job *job = userdata;
    job->terminal->writer = NULL;
    if (error == -EAGAIN && clock_ms(CLOCK_MONOTONIC) < job->order.deadline_ms)
        try_later(job->terminal);
    else
        finish(job, error == -EAGAIN ? -ETIMEDOUT : error);
}

static void terminal_free(struct terminal *terminal)
{
    child_cancel(terminal->writer);
    sd_event_source_disable_unref(terminal->tick);
    LIST_REMOVE(terminal, link);
    free(terminal);
}

/* Time that passes while no child can be had is not the terminal's fault. */
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
    if (terminal->writer)
        return 0;
    int r = writer_start(terminal->all->event, &job->order, &terminal->writer);
    if (r == -EAGAIN || r == -EBUSY) {
        job->order.deadline_ms = clock_ms(CLOCK_MONOTONIC) + LIM_TERMINAL_TRY;
        try_later(terminal);
    } else if (r < 0) {
        finish(job, r);
    }
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
    terminal->pause_ms = TICK_MS;
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
    *job = (struct terminal_job){.spec = *spec, .terminal = terminal};
    job->order = (struct writer_order){.target = spec->target,
                                       .deadline_ms = clock_ms(CLOCK_MONOTONIC) + LIM_TERMINAL_TRY,
                                       .render = on_open,
                                       .done = on_tried,
                                       .userdata = job};
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
        while ((job = TAILQ_FIRST(&terminal->jobs)))
            finish(job, -ECANCELED);
        terminal_free(terminal);
    }
    free(terminals);
}

bool terminals_idle(const struct terminals *terminals)
{
    return LIST_EMPTY(&terminals->list);
}
