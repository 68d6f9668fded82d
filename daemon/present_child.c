/* SPDX-License-Identifier: MIT */
#include "daemon/present_child.h"

#include "common/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* It lives until it is reaped; `socket` closes when it has answered, is late, or is cancelled. */
struct child {
    pid_t pid;
    int socket;
    sd_event_source *answer, *deadline, *exit;
    void (*done)(void *userdata, int error, const void *answer, size_t len, int fd);
    void *userdata;
    LIST_ENTRY(child) link;
};

static LIST_HEAD(, child) children;
static unsigned live;

/* ---- in the child ---------------------------------------------------------------------------- */

static void keep_only(int socket)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        dup3(socket, 3, O_CLOEXEC) < 0 || close_range(4, ~0U, 0) < 0)
        _exit(1);
}

_Noreturn static void run_child(int socket, pid_t parent, const struct child_job *job)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(1);
    if (socket == 3)
        socket = dup(socket); /* dup3 refuses equal numbers */
    keep_only(socket);
    job->run(3, job->argument);
    _exit(0);
}

void child_answer(int socket, const void *answer, size_t len, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    char copy[CHILD_ANSWER];
    struct iovec iov = {copy, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (len > sizeof(copy))
        return;
    memcpy(copy, answer, len);
    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        *CMSG_FIRSTHDR(&msg) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
    }
    (void)!sendmsg(socket, &msg, MSG_NOSIGNAL); /* no answer is told by the end of the socket */
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void child_unwatch(struct child *child)
{
    child->answer = sd_event_source_disable_unref(child->answer);
    child->deadline = sd_event_source_disable_unref(child->deadline);
    mem_close_fd(&child->socket);
    child->socket = -1;
}

static void child_free(struct child *child)
{
    child_unwatch(child);
    sd_event_source_disable_unref(child->exit);
    LIST_REMOVE(child, link);
    live--;
    free(child);
}

static void child_finish(struct child *child, int error, const void *answer, size_t len, int fd)
{
    child_unwatch(child);
    child->done(child->userdata, error, answer, len, fd);
}

/* The descriptor that came with it, or -1; more than one does not fit into the control buffer. */
static int passed_descriptor(struct msghdr *msg)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    int fd = -1;
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
        cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
    return fd;
}

static int on_answer(sd_event_source *source, int socket, uint32_t events, void *userdata)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    char answer[CHILD_ANSWER];
    struct iovec iov = {answer, sizeof(answer)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    (void)source;
    (void)events;
    ssize_t len = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return 0; /* asked again */
    CLEANUP_FD int fd = len < 0 ? -1 : passed_descriptor(&msg);
    if (len <= 0 || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        child_finish(userdata, -EPIPE, NULL, 0, -1);
    else
        child_finish(userdata, 0, answer, (size_t)len, TAKE_FD(fd));
    return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct child *child = userdata;
    (void)source;
    (void)usec;
    kill(child->pid, SIGKILL);
    child_finish(child, -ETIMEDOUT, NULL, 0, -1);
    return 0;
}

/* An answer may still lie in the socket. */
static int on_exit_seen(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct child *child = userdata;
    (void)source;
    (void)info;
    if (child->socket >= 0)
        on_answer(NULL, child->socket, 0, child);
    if (child->socket >= 0)
        child_finish(child, -EPIPE, NULL, 0, -1);
    child_free(child);
    return 0;
}

static int child_watch(sd_event *event, struct child *child, uint64_t deadline_ms)
{
    int r = sd_event_add_child(event, &child->exit, child->pid, WEXITED, on_exit_seen, child);
    if (r >= 0)
        r = sd_event_add_io(event, &child->answer, child->socket, EPOLLIN, on_answer, child);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &child->deadline, CLOCK_MONOTONIC, deadline_ms * 1000,
                                       1000, on_deadline, child);
    return r;
}

/* A child nobody could watch is ended here and now. */
static void child_abandon(struct child *child)
{
    kill(child->pid, SIGKILL);
    sd_event_source_disable_unref(TAKE(child->exit));
    waitpid(child->pid, NULL, 0);
    child_free(child);
}

int child_start(sd_event *event, const struct child_job *job, struct child **ret_child)
{
    int ends[2];
    pid_t self = getpid();
    if (live >= CHILD_MAX)
        return -EAGAIN;
    CLEANUP_FREE struct child *child = calloc(1, sizeof(*child));
    if (!child)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return mem_errno();
    CLEANUP_FD int near = ends[0], far = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return mem_errno();
    if (pid == 0)
        run_child(far, self, job);
    *child = (struct child){.pid = pid, .socket = TAKE_FD(near)};
    child->done = job->done;
    child->userdata = job->userdata;
    LIST_INSERT_HEAD(&children, child, link);
    live++;
    int r = child_watch(event, child, job->deadline_ms);
    if (r < 0) {
        child_abandon(TAKE(child));
        return r;
    }
    *ret_child = TAKE(child);
    return 0;
}

void child_cancel(struct child *child)
{
    if (!child)
        return;
    kill(child->pid, SIGKILL);
    child_unwatch(child);
}

void child_end_all(void)
{
    struct child *child;
    while ((child = LIST_FIRST(&children))) {
        kill(child->pid, SIGKILL);
        child_free(child);
    }
}
