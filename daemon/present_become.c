/* SPDX-License-Identifier: MIT */
#include "daemon/present_become.h"

#include "common/mem.h"

#include <grp.h>
#include <sys/prctl.h>

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
