/* SPDX-License-Identifier: MIT */
#include "daemon/present_become.h"

#include "common/mem.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Root itself keeps what capabilities it has left: there is no user to become. */
int become_user(uid_t uid, gid_t gid)
{
    uid_t real, effective, saved;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return mem_errno();
    if (geteuid() == uid && getuid() == uid && uid != 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return mem_errno();
    if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
        saved != uid || getegid() != gid)
        return -EPERM;
    return 0;
}

int become_powerless(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) < 0 ? mem_errno() : 0;
}
