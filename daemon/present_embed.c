/* SPDX-License-Identifier: MIT */
#include "daemon/present_embed.h"

#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_become.h"
#include "daemon/present_relay.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PRESENT_FD 3 /* in msgd */

struct embed {
    pid_t pid; /* 0: has ended */
    sd_event_source *exit;
    struct relay *relay; /* NULL: it has our stdout and stderr */
    void (*on_exit)(void *userdata, int status);
    void *userdata;
};

/* ---- in the child ---------------------------------------------------------------------------- */

/* Another user gets no descriptor of our terminal: it could be read, and more. */
static int settle_descriptors(int fd, int relay)
{
    CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return mem_errno();
    for (int out = STDOUT_FILENO; relay >= 0 && out <= STDERR_FILENO; out++)
        if (isatty(out) && dup2(relay, out) < 0)
            return mem_errno();
    if (fd == PRESENT_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, PRESENT_FD) < 0)
        return mem_errno();
    return close_range(PRESENT_FD + 1, ~0U, 0) < 0 ? mem_errno() : 0;
}

/* What another user's process may know of the environment that we were started in. */
static int settle_environment(void)
{
    static const char *const kept[] = {"PATH", "LANG", "TZ", "JOURNAL_STREAM"};
    char *values[ARRAY_SIZE(kept)];
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        values[i] = getenv(kept[i]);
    clearenv(); /* frees no value */
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kept); i++)
        if (values[i])
            r = setenv(kept[i], values[i], 1);
    return r < 0 ? mem_errno() : 0;
}

/*
 * A session of its own: Ctrl-C reaches it once, from us, and no terminal is its controlling one, at
 * which it could type (TIOCSTI). Our death is its SIGTERM.
 */
static int settle_process(pid_t parent)
{
    static const char *const ours[] = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
                                       "LISTEN_FDS",    "LISTEN_PID",   "LISTEN_FDNAMES"};
    sigset_t none;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        unsetenv(ours[i]);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
        sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return mem_errno();
    return 0;
}

static char **make_argv(const struct embed_spec *spec, char *present_fd)
{
    size_t count = 0;
    while (spec->arguments[count])
        count++;
    char **argv = calloc(count + 3, sizeof(*argv));
    if (!argv)
        return NULL;
    argv[0] = strdup(spec->program);
    argv[1] = present_fd;
    memcpy(argv + 2, spec->arguments, count * sizeof(*argv));
    return argv;
}

_Noreturn static void run_msgd(int fd, int relay, pid_t parent, const struct embed_spec *spec)
{
    char present_fd[32];
    snprintf(present_fd, sizeof(present_fd), "--present-fd=%d", PRESENT_FD);
    char **argv = make_argv(spec, present_fd);
    int r = argv ? settle_descriptors(fd, relay) : -ENOMEM;
    if (r == 0 && spec->uid != geteuid())
        r = settle_environment();
    if (r == 0)
        r = become_user(spec->uid, spec->gid);
    if (r == 0)
        r = settle_process(parent); /* last: becoming somebody clears the death signal */
    if (r == 0) {
        execv(spec->program, argv);
        r = mem_errno();
    }
    log_error("cannot run %s: %s", spec->program, strerror(-r));
    _exit(127);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct embed *embed = userdata;
    (void)source;
    embed->pid = 0;
    embed->on_exit(embed->userdata,
                   info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status);
    return 0;
}

static int start_child(sd_event *event, const struct embed_spec *spec, struct embed *embed,
                       int *ret_fd)
{
    int ends[2];
    pid_t self = getpid();
    CLEANUP_FD int relay = -1;
    int r = 0;
    if (spec->uid != geteuid() && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO)))
        r = relay_new(event, &relay, &embed->relay);
    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return mem_errno();
    CLEANUP_FD int near = ends[0], far = ends[1];
    embed->pid = fork();
    if (embed->pid < 0)
        return mem_errno();
    if (embed->pid == 0)
        run_msgd(far, relay, self, spec);
    r = sd_event_add_child(event, &embed->exit, embed->pid, WEXITED, on_child, embed);
    if (r < 0) {
        kill(embed->pid, SIGKILL);
        waitpid(embed->pid, NULL, 0);
        return r;
    }
    *ret_fd = TAKE_FD(near);
    return 0;
}

int embed_start(sd_event *event, const struct embed_spec *spec, int *ret_fd,
                struct embed **ret_embed)
{
    struct embed *embed = calloc(1, sizeof(*embed));
    if (!embed)
        return -ENOMEM;
    embed->on_exit = spec->on_exit;
    embed->userdata = spec->userdata;
    int r = start_child(event, spec, embed, ret_fd);
    if (r < 0) {
        embed->pid = 0;
        embed_free(embed);
        return r;
    }
    *ret_embed = embed;
    return 0;
}

void embed_signal(const struct embed *embed, int number)
{
    if (embed && embed->pid > 0)
        kill(embed->pid, number);
}

void embed_free(struct embed *embed)
{
    if (!embed)
        return;
    embed_signal(embed, SIGTERM);
    sd_event_source_disable_unref(embed->exit);
    relay_free(embed->relay);
    free(embed);
}
