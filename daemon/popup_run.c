/* SPDX-License-Identifier: MIT */
#include "daemon/popup_run.h"

#include "common/mem.h"
#include "protocol/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CLOCK_ACCURACY 10000 /* us */

struct run {
    struct run_job job;
    pid_t pid; /* 0: reaped */
    int process, input, output;
    sd_event_source *exited, *writable, *readable, *clock;
    size_t sent;
    char *bytes; /* output_max and one more, which is one too many */
    size_t len;
};

/* ---- the child ------------------------------------------------------------------------------- */

static char path[] = "PATH=" RUN_PATH, locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/",
            shell[] = "SHELL=/bin/sh", term[] = "TERM=dumb";
static char *const environment[] = {path, locale, home, shell, term, NULL};

static int settle(int input, int output)
{
    CLEANUP_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    if (null < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 ||
        chdir("/") < 0 || setenv("PATH", RUN_PATH, 1) < 0) /* where execvpe looks */
        return mem_errno();
    return 0;
}

/*
 * A tmux server can have its client execute what it likes, and anybody of the user's can trace it:
 * it is in the presenter's service, and is to be no way for more of them to live there.
 */
static int confine(void)
{
    const struct rlimit none = {0, 0}, time = {LIM_POPUP_CPU_S, LIM_POPUP_CPU_S};
    if (setrlimit(RLIMIT_NPROC, &none) < 0 || setrlimit(RLIMIT_FSIZE, &none) < 0 ||
        setrlimit(RLIMIT_CPU, &time) < 0)
        return mem_errno();
    return 0;
}

/* What cannot be run ends as a shell says it. */
static _Noreturn void become(const char *const *argv, int input, int output)
{
    char *arguments[RUN_ARGUMENTS] = {NULL};
    size_t count = 0;
    while (argv[count] && count + 1 < RUN_ARGUMENTS)
        count++;
    memcpy(arguments, argv, count * sizeof(*argv));
    if (settle(input, output) < 0 || confine() < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        _exit(126);
    execvpe(arguments[0], arguments, environment);
    _exit(127);
}

static void reap(struct run *run, int *ret_status)
{
    if (run->pid > 0)
        while (waitpid(run->pid, ret_status, 0) < 0 && errno == EINTR)
            ;
    run->pid = 0;
}

static void run_free(struct run *run)
{
    sd_event_source_disable_unref(run->exited);
    sd_event_source_disable_unref(run->writable);
    sd_event_source_disable_unref(run->readable);
    sd_event_source_disable_unref(run->clock);
    mem_close_fd(&run->process);
    mem_close_fd(&run->input);
    mem_close_fd(&run->output);
    free(run->bytes);
    free(run);
}

void run_cancel(struct run *run)
{
    int status;
    if (!run)
        return;
    if (run->pid > 0)
        kill(run->pid, SIGKILL);
    reap(run, &status);
    run_free(run);
}

/* ---- what it prints and reads ---------------------------------------------------------------- */

/* It is over: the owner is told, and only then the output is freed. */
static void finish(struct run *run, int status)
{
    int ignored;
    if (run->pid > 0)
        kill(run->pid, SIGKILL);
    reap(run, &ignored);
    run->job.done(run->job.userdata, status, (struct slice){run->bytes, run->len});
    run_free(run);
}

/* All there is now: true unless it was too much. */
static bool read_output(struct run *run)
{
    ssize_t got = 1;
    while (got > 0 && run->len <= run->job.output_max) {
        got = read(run->output, run->bytes + run->len, run->job.output_max + 1 - run->len);
        run->len += got > 0 ? (size_t)got : 0;
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        sd_event_source_set_enabled(run->readable, SD_EVENT_OFF);
    return run->len <= run->job.output_max;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct run *run = userdata;
    (void)source;
    (void)fd;
    (void)events;
    if (!read_output(run))
        finish(run, -EMSGSIZE);
    return 0;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct run *run = userdata;
    struct slice rest = slice_from(run->job.input, run->sent);
    ssize_t sent = rest.len > 0 ? write(fd, rest.ptr, rest.len) : 0;
    (void)events;
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    run->sent += sent > 0 ? (size_t)sent : 0;
    if (sent < 0 || run->sent == run->job.input.len) { /* what it does not read it does not want */
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
        mem_close_fd(&run->input);
        run->input = -1;
    }
    return 0;
}

static int on_exited(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct run *run = userdata;
    int status = 0;
    (void)source;
    (void)fd;
    (void)events;
    reap(run, &status);
    if (!read_output(run))
        finish(run, -EMSGSIZE);
    else
        finish(run, WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD);
    return 0;
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    finish(userdata, -ETIMEDOUT);
    return 0;
}

/* ---- the start ------------------------------------------------------------------------------- */

static int spawn(struct run *run)
{
    CLEANUP_FD int its_input = -1;
    CLEANUP_FD int its_output = -1;
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return mem_errno();
    its_input = in[0];
    run->input = in[1];
    if (pipe2(out, O_CLOEXEC) < 0)
        return mem_errno();
    run->output = out[0];
    its_output = out[1];
    if (fcntl(run->input, F_SETFL, O_NONBLOCK) < 0 || fcntl(run->output, F_SETFL, O_NONBLOCK) < 0)
        return mem_errno();
    run->pid = fork();
    if (run->pid < 0)
        return mem_errno();
    if (run->pid == 0)
        become(run->job.argv, its_input, its_output);
    run->process = (int)syscall(SYS_pidfd_open, run->pid, 0);
    return run->process < 0 ? mem_errno() : 0;
}

static int watch(struct run *run, sd_event *event)
{
    int r = sd_event_add_io(event, &run->exited, run->process, EPOLLIN, on_exited, run);
    if (r >= 0)
        r = sd_event_add_io(event, &run->writable, run->input, EPOLLOUT, on_writable, run);
    if (r >= 0)
        r = sd_event_add_io(event, &run->readable, run->output, EPOLLIN, on_readable, run);
    if (r >= 0 && run->job.deadline_ms != RUN_NO_DEADLINE)
        r = sd_event_add_time_relative(event, &run->clock, CLOCK_BOOTTIME,
                                       run->job.deadline_ms * 1000, CLOCK_ACCURACY, on_clock, run);
    return r < 0 ? r : 0;
}

int run_start(sd_event *event, const struct run_job *job, struct run **ret_run)
{
    struct run *run = calloc(1, sizeof(*run));
    if (!run)
        return -ENOMEM;
    *run = (struct run){.job = *job, .process = -1, .input = -1, .output = -1};
    run->bytes = malloc(job->output_max + 1);
    int r = run->bytes ? spawn(run) : -ENOMEM;
    if (r >= 0)
        r = watch(run, event);
    if (r < 0) {
        run_cancel(run);
        return r;
    }
    *ret_run = run;
    return 0;
}
