/* SPDX-License-Identifier: MIT */
#include "daemon/present_helper.h"

#include "common/mem.h"
#include "daemon/present_become.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PARENT 3 /* in the helper */

/* It is there until it is reaped; `socket` is closed when it is to end. */
struct helper {
    pid_t pid;
    uid_t uid;
    int socket;
    sd_event_source *input, *deadline, *exit;
    void (*heard)(void *userdata, const void *datagram, size_t len);
    void *userdata;
    LIST_ENTRY(helper) link;
};

static LIST_HEAD(, helper) helpers;

/* ---- in the child ---------------------------------------------------------------------------- */

static int settle_descriptors(int socket)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return mem_errno();
    if (socket == PARENT ? fcntl(socket, F_SETFD, 0) < 0 : dup2(socket, PARENT) < 0)
        return mem_errno();
    return close_range(PARENT + 1, ~0U, 0) < 0 ? mem_errno() : 0;
}

/* A session of its own: it shares no terminal, and no signal meant for us reaches it. */
static int settle_process(void)
{
    const struct rlimit none = {0, 0};
    sigset_t signals;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&signals);
    if (setsid() < 0 || setrlimit(RLIMIT_CORE, &none) < 0 || chdir("/") < 0 ||
        sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
        return mem_errno();
    return 0;
}

/*
 * What it takes is the service's, not the user's: memory within a bound, and processes only where
 * tmux is to be run. AddressSanitizer's own memory would count, too.
 */
static int settle_limits(const struct helper_job *job)
{
    const struct rlimit none = {0, 0}, memory = {LIM_POPUP_MEMORY, LIM_POPUP_MEMORY};
    bool runs = job->place->u.popup.reach == REACH_TMUX;
#ifdef MSG_SANITIZED
    bool bounded = false;
#else
    bool bounded = true;
#endif
    if ((bounded && setrlimit(RLIMIT_DATA, &memory) < 0) ||
        (!runs && setrlimit(RLIMIT_NPROC, &none) < 0))
        return mem_errno();
    return 0;
}

/* Nothing of our environment but the time zone is the user's business. */
_Noreturn static void run_helper(int socket, const struct helper_job *job)
{
    char zone[128];
    const char *tz = getenv("TZ");
    char *const argv[] = {strdup(job->program), NULL};
    char *environment[] = {strdup("PATH=/usr/local/bin:/usr/bin:/bin"), strdup("LC_ALL=C.UTF-8"),
                           tz ? zone : NULL, NULL};
    snprintf(zone, sizeof(zone), "TZ=%s", tz ? tz : "");
    int r = settle_descriptors(socket);
    if (r == 0)
        r = settle_process();
    if (r == 0)
        r = become_user(job->uid, job->gid);
    if (r == 0)
        r = settle_limits(job); /* last: whoever becomes a user beyond his limit executes nothing */
    if (r == 0)
        execve(job->program, argv, environment);
    _exit(127);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void unwatch(struct helper *helper)
{
    helper->input = sd_event_source_disable_unref(helper->input);
    mem_close_fd(&helper->socket);
    helper->socket = -1;
}

static void helper_free(struct helper *helper)
{
    unwatch(helper);
    sd_event_source_disable_unref(helper->deadline);
    sd_event_source_disable_unref(helper->exit);
    LIST_REMOVE(helper, link);
    free(helper);
}

void helper_stop(struct helper *helper)
{
    if (!helper)
        return;
    unwatch(helper);
    helper->heard = NULL;
    sd_event_source_set_time_relative(helper->deadline, HELPER_DOWN_MS * 1000);
    sd_event_source_set_enabled(helper->deadline, SD_EVENT_ONESHOT);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct helper *helper = userdata;
    (void)source;
    (void)usec;
    kill(helper->pid, SIGKILL);
    return 0;
}

/* The listener may stop it: nothing of it is used after it was told. False: there is no more. */
static bool hear(struct helper *helper)
{
    char datagram[1024]; /* the longest that it may say is shorter */
    ssize_t len = boundary_receive(helper->socket, datagram, sizeof(datagram));
    if (len == -EAGAIN)
        return false;
    if (len <= 0)
        unwatch(helper);
    helper->heard(helper->userdata, datagram, len > 0 ? (size_t)len : 0);
    return len > 0;
}

static int on_input(sd_event_source *source, int socket, uint32_t events, void *userdata)
{
    (void)source;
    (void)socket;
    (void)events;
    hear(userdata);
    return 0;
}

/* What it said last may still lie in the socket; what it has started may hold the other end. */
static int on_exit_seen(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct helper *helper = userdata;
    (void)source;
    (void)info;
    while (helper->socket >= 0 && hear(helper))
        ;
    if (helper->socket >= 0) {
        unwatch(helper);
        helper->heard(helper->userdata, NULL, 0);
    }
    helper_free(helper);
    return 0;
}

static int watch(sd_event *event, struct helper *helper)
{
    int r = sd_event_add_child(event, &helper->exit, helper->pid, WEXITED, on_exit_seen, helper);
    if (r >= 0)
        r = sd_event_add_io(event, &helper->input, helper->socket, EPOLLIN, on_input, helper);
    if (r >= 0)
        r = sd_event_add_time(event, &helper->deadline, CLOCK_MONOTONIC, 0, 0, on_late, helper);
    if (r >= 0)
        r = sd_event_source_set_enabled(helper->deadline, SD_EVENT_OFF);
    return r;
}

static int tell(int socket, const struct boundary_message *message)
{
    char datagram[LIM_DATAGRAM];
    ssize_t len = boundary_encode(message, datagram, sizeof(datagram));
    return len < 0 ? (int)len : boundary_send(socket, datagram, (size_t)len);
}

static void abandon(struct helper *helper)
{
    kill(helper->pid, SIGKILL);
    sd_event_source_disable_unref(TAKE(helper->exit));
    waitpid(helper->pid, NULL, 0);
    helper_free(helper);
}

/* Those that end count, too: their user can hold them up until they are killed. */
static bool has_room(uid_t uid)
{
    unsigned live = 0, own = 0;
    struct helper *helper;
    LIST_FOREACH(helper, &helpers, link)
    {
        live++;
        own += helper->uid == uid;
    }
    return live < LIM_POPUP_HELPERS && own < LIM_POPUP_OWN;
}

/* Both datagrams lie in the socket before the process begins. */
static int fork_helper(const struct helper_job *job, struct helper *helper)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return mem_errno();
    CLEANUP_FD int near = ends[0], far = ends[1];
    int r = tell(near, job->place);
    if (r == 0)
        r = tell(near, job->present);
    if (r < 0)
        return r;
    helper->pid = fork();
    if (helper->pid < 0)
        return mem_errno();
    if (helper->pid == 0)
        run_helper(far, job);
    helper->socket = TAKE_FD(near);
    return 0;
}

int helper_start(sd_event *event, const struct helper_job *job, struct helper **ret_helper)
{
    if (!has_room(job->uid))
        return -EAGAIN;
    CLEANUP_FREE struct helper *helper = calloc(1, sizeof(*helper));
    if (!helper)
        return -ENOMEM;
    *helper = (struct helper){
        .uid = job->uid, .socket = -1, .heard = job->heard, .userdata = job->userdata};
    int r = fork_helper(job, helper);
    if (r < 0)
        return r;
    LIST_INSERT_HEAD(&helpers, helper, link);
    r = watch(event, helper);
    if (r < 0) {
        abandon(TAKE(helper));
        return r;
    }
    *ret_helper = TAKE(helper);
    return 0;
}

void helper_stop_all(void)
{
    struct helper *helper;
    while ((helper = LIST_FIRST(&helpers)))
        helper_free(helper);
}
