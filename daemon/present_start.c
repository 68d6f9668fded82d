/* SPDX-License-Identifier: MIT */
#include "daemon/present_start.h"

#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_privileges.h"

#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

static int fail(int error, const char *what)
{
    log_error("%s: %s", what, strerror(-error));
    return error;
}

/* 0, 1 and 2 are taken: no socket of ours gets their numbers. */
static void fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    mem_close_fd(&fd);
}

/* Signals are events; a terminal that we are a background job of must not stop us. */
int start_process(void)
{
    sigset_t events;
    sigemptyset(&events);
    sigaddset(&events, SIGCHLD);
    sigaddset(&events, SIGTERM);
    sigaddset(&events, SIGINT);
    sigaddset(&events, SIGHUP);
    sigprocmask(SIG_BLOCK, &events, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    fill_standard_descriptors();
    log_never_wait();
    umask(077);
    tzset();
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : fail(-ENOENT, "the locale C.UTF-8");
}

int start_find_msgd_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    const struct passwd *user;
    if (geteuid() != 0) {
        *ret_uid = geteuid();
        *ret_gid = getegid();
        return 0;
    }
    user = getpwnam(name);
    if (!user) {
        log_error("there is no user %s for msgd to run as; make it, or name another by "
                  "--msgd-user: useradd --system --no-create-home --home-dir /nonexistent "
                  "--shell /usr/sbin/nologin %s",
                  name, name);
        return -ENOENT;
    }
    if (user->pw_uid == 0) {
        log_error("msgd does not run as root: --msgd-user names another user");
        return -EPERM;
    }
    *ret_uid = user->pw_uid;
    *ret_gid = user->pw_gid;
    return 0;
}

int start_drop_privileges(void)
{
    const struct group *tty = getgrnam("tty");
    const char *step = "";
    bool override;
    if (!tty && geteuid() == 0)
        return fail(-ENOENT, "the group tty");
    int r = privileges_drop(tty ? tty->gr_gid : (gid_t)-1, &override, &step);
    if (r < 0)
        return fail(r, step);
    if (geteuid() == 0 && !override)
        log_warning("cannot become other users: messages that pass over mesg n will fail");
    return 0;
}
