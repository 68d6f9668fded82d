/* SPDX-License-Identifier: MIT */
/*
 * A name service whose server is down: while /run/nss-hang exists, nobody gets an answer from it.
 * It knows no users, so without that file the next service is asked.
 */
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>

#define BOUND 600 /* seconds */

enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                                     size_t size, int *ret_errno);
enum nss_status _nss_hang_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                                     int *ret_errno);
enum nss_status _nss_hang_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
                                         gid_t **groups, long limit, int *ret_errno);

static enum nss_status hang(void)
{
    for (int i = 0; i < BOUND * 100 && access("/run/nss-hang", F_OK) == 0; i++)
        usleep(10000);
    return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                                     size_t size, int *ret_errno)
{
    (void)name, (void)entry, (void)buffer, (void)size, (void)ret_errno;
    return hang();
}

enum nss_status _nss_hang_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                                     int *ret_errno)
{
    (void)uid, (void)entry, (void)buffer, (void)size, (void)ret_errno;
    return hang();
}

enum nss_status _nss_hang_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
                                         gid_t **groups, long limit, int *ret_errno)
{
    (void)user, (void)group, (void)start, (void)size, (void)groups, (void)limit, (void)ret_errno;
    return hang();
}
