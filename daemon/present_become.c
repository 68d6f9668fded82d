/* SPDX-License-Identifier: MIT */
#include "daemon/present_become.h"

#include "common/mem.h"

#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Root itself keeps what capabilities it has left: there is no user to become. */
static int change_user(uid_t uid, gid_t gid)
{
    uid_t real, effective, saved;
    if (geteuid() == uid && getuid() == uid && uid != 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return mem_errno();
    if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
        saved != uid || getegid() != gid)
        return -EPERM;
    return 0;
}

/*
 * The child's memory is a copy of the parent's: other people's messages lie in it. The user may
 * send it signals from the moment that it is his; where fs.suid_dumpable is 2, one that dumps core
 * would hand him all of that through systemd-coredump(8). So none arrives before it cannot be
 * dumped.
 */
int become_user(uid_t uid, gid_t gid)
{
    sigset_t all, before;
    sigfillset(&all);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sigprocmask(SIG_SETMASK, &all, &before) < 0)
        return mem_errno();
    int r = change_user(uid, gid);
    if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        r = mem_errno();
    if (r == 0 && sigprocmask(SIG_SETMASK, &before, NULL) < 0)
        r = mem_errno();
    return r;
}

int become_powerless(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) < 0 ? mem_errno() : 0;
}
