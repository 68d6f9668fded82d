/* SPDX-License-Identifier: MIT */
#include "daemon/present_privileges.h"

#include "common/mem.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define KEPT ((1U << CAP_SETUID) | (1U << CAP_SETGID) | (1U << CAP_KILL)) /* all below 32 */

static int drop_bounding(void)
{
    for (unsigned long cap = 0; cap < 64; cap++) {
        bool kept = cap < 32 && (KEPT & (1U << cap));
        if (!kept && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return mem_errno();
    }
    return 0;
}

/* What of KEPT is there stays; a container may have less. */
static int drop_capabilities(bool *ret_override)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        syscall(SYS_capget, &header, caps) < 0)
        return mem_errno();
    caps[0].permitted &= KEPT;
    caps[0].effective = caps[0].permitted;
    caps[1].permitted = caps[1].effective = 0;
    caps[0].inheritable = caps[1].inheritable = 0;
    if (syscall(SYS_capset, &header, caps) < 0)
        return mem_errno();
    *ret_override = caps[0].permitted == KEPT;
    return 0;
}

/* Uid 0 by itself brings nothing back, not even through an exec. */
static int lock_securebits(void)
{
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? mem_errno() : 0;
}

static int drop_root(gid_t tty, const char **ret_step)
{
    int r;
    *ret_step = "leaving all groups but tty";
    if (setgroups(1, &tty) < 0)
        return mem_errno();
    *ret_step = "emptying the bounding set";
    r = drop_bounding();
    if (r < 0)
        return r;
    *ret_step = "locking the secure bits";
    return lock_securebits();
}

int privileges_drop(gid_t tty, bool *ret_override, const char **ret_step)
{
    bool override = false;
    int r = geteuid() == 0 ? drop_root(tty, ret_step) : 0;
    if (r < 0)
        return r;
    *ret_step = "dropping capabilities";
    r = drop_capabilities(&override); /* ambient ones, a user's too, would be msgd's as well */
    if (r < 0)
        return r;
    *ret_step = "setting no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return mem_errno();
    *ret_override = override;
    return 0;
}
