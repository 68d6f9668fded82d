/* SPDX-License-Identifier: MIT */
#include "daemon/present_child.h"

#include "common/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * It is there until it is reaped; `socket` closes when it has answered, is late, or is cancelled.
 */
struct child {
    pid_t pid;
    uid_t owner;
    enum child_pool pool;
    int socket;
    sd_event_source *answer, *deadline, *exit;
    ssize_t (*reply)(void *userdata, const void *question, size_t len, char out[CHILD_REPLY]);
    void (*done)(void *userdata, int error, const void *answer, size_t len);
    void *userdata;
    LIST_ENTRY(child) link;
};

static LIST_HEAD(, child) children;
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
    const struct rlimit no_core = {0, 0};
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
        _exit(1);
    if (socket == 3)
        socket = dup(socket); /* dup3 refuses equal numbers */
    keep_only(socket);
    job->run(3, job->argument);
    _exit(0);
}

void child_answer(int socket, const void *answer, size_t len)
{
    (void)!send(socket, answer, len, MSG_NOSIGNAL); /* no answer is told by the end of the socket */
}

ssize_t child_ask(int socket, const void *question, size_t len, char reply[CHILD_REPLY])
{
    ssize_t got = send(socket, question, len, MSG_NOSIGNAL);
    if (got >= 0)
        got = recv(socket, reply, CHILD_REPLY, 0);
    return got > 0 ? got : got < 0 ? mem_errno() : -EPIPE;
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
    free(child);
}

static void child_finish(struct child *child, int error, const void *answer, size_t len)
{
    child_unwatch(child);
    child->done(child->userdata, error, answer, len);
}

static void child_reply(struct child *child, const void *question, size_t asked)
{
    char reply[CHILD_REPLY];
    ssize_t len = child->reply(child->userdata, question, asked, reply);
    child->reply = NULL;
    if (len >= 0 && send(child->socket, reply, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        len = -EPIPE;
    if (len < 0) {
        kill(child->pid, SIGKILL);
        child_finish(child, (int)len, NULL, 0);
    }
}

static int on_answer(sd_event_source *source, int socket, uint32_t events, void *userdata)
{
    struct child *child = userdata;
    char answer[CHILD_ANSWER];
    struct iovec iov = {answer, sizeof(answer)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1}; /* descriptors are never taken */
    (void)source;
    (void)events;
    ssize_t len = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return 0; /* asked again */
    if (len <= 0 || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        child_finish(child, -EPIPE, NULL, 0);
    else if (child->reply)
        child_reply(child, answer, (size_t)len);
    else
        child_finish(child, 0, answer, (size_t)len);
    return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct child *child = userdata;
    (void)source;
    (void)usec;
    kill(child->pid, SIGKILL);
    child_finish(child, -ETIMEDOUT, NULL, 0);
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
        child_finish(child, -EPIPE, NULL, 0);
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

static int find_room(const struct child_job *job)
{
    static const struct {
        unsigned all, owned;
    } rooms[] = {[CHILD_TERMINALS] = {CHILD_MAX, CHILD_OWNER_MAX},
                 [CHILD_HOMES] = {CHILD_HOMES_MAX, CHILD_HOMES_OWNER_MAX}};
    unsigned live = 0, owned = 0;
    struct child *child;
    LIST_FOREACH(child, &children, link)
    {
        live += child->pool == job->pool;
        owned += child->pool == job->pool && child->owner == job->owner;
    }
    if (owned >= rooms[job->pool].owned)
        return -EBUSY;
    return live < rooms[job->pool].all ? 0 : -EAGAIN;
}

int child_start(sd_event *event, const struct child_job *job, struct child **ret_child)
{
    int ends[2], r = find_room(job);
    pid_t self = getpid();
    if (r < 0)
        return r;
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
    *child =
        (struct child){.pid = pid, .owner = job->owner, .pool = job->pool, .socket = TAKE_FD(near)};
    child->reply = job->reply;
    child->done = job->done;
    child->userdata = job->userdata;
    LIST_INSERT_HEAD(&children, child, link);
    r = child_watch(event, child, job->deadline_ms);
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
