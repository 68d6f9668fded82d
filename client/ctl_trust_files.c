/* SPDX-License-Identifier: MIT */
#include "client/ctl_trust_files.h"

#include "common/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AUTHORIZED_KEYS "/etc/msgd/authorized_keys"

/* A file that msgd would not read lets nobody in, and nobody would know why. */
static bool find_base(const char *authorized, char base[static PATH_MAX])
{
    const char *slash = strrchr(authorized, '/');
    if (!key_folder_owner(authorized, base)) {
        snprintf(base, PATH_MAX, "%s", authorized);
        return true;
    }
    if (!key_folder_takes(slash + 1))
        log_error("%s: of that folder msgd reads only files whose names end in .keys and are of "
                  "A-Z a-z 0-9 . _ -",
                  authorized);
    return key_folder_takes(slash + 1);
}

bool ctl_find_trust_files(const struct ctl *ctl, struct ctl_trust_files *ret_files)
{
    const char *authorized = ctl->given[CTL_FILE] ? ctl->given[CTL_FILE] : AUTHORIZED_KEYS;
    const char *revoked = ctl->given[CTL_REVOKED];
    char *base = ret_files->base;
    int a = snprintf(ret_files->authorized, PATH_MAX, "%s", authorized);
    if (a < PATH_MAX && !find_base(authorized, base))
        return false;
    const char *slash = a < PATH_MAX ? strrchr(base, '/') : NULL;
    int folder = slash ? (int)(slash - base) + 1 : 0;
    int r = revoked ? snprintf(ret_files->revoked, PATH_MAX, "%s", revoked)
                    : snprintf(ret_files->revoked, PATH_MAX, "%.*srevoked_keys", folder, base);
    if (a >= PATH_MAX || r >= PATH_MAX)
        log_error("a path is too long");
    return a < PATH_MAX && r < PATH_MAX;
}

bool ctl_list_folder(const struct ctl_trust_files *files, struct key_folder *ret_folder)
{
    struct diag diag;
    *ret_folder = (struct key_folder){.paths = NULL};
    int r = key_folder_list(files->base, ret_folder, &diag);
    if (r < 0)
        log_error("%s", diag.text);
    return r == 0;
}

const char *ctl_key_file(const struct ctl_trust_files *files, const struct key_folder *folder,
                         size_t index)
{
    if (index == 0)
        return files->base;
    return index <= folder->count ? folder->paths[index - 1] : NULL;
}

void ctl_say_refused(int error, const char *why, const char *instead)
{
    log_error("%s", why);
    if (error != -EACCES || geteuid() == 0)
        return;
    if (instead)
        log_error("it is root's: run this as root, or for yourself: %s", instead);
    else
        log_error("it is root's: run this as root");
}
