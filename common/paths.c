/* SPDX-License-Identifier: MIT */
#include "common/paths.h"

#include "common/mem.h"

#include <pwd.h>

/* A variable of the environment that is set and not empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* XDG_CONFIG_HOME survives sudo as HOME does: it counts only for the uid it was set by. */
static int find_folder(char out[static PATH_MAX], const char *named, struct diag *ret_diag)
{
    const char *xdg =
        getuid() == geteuid() && !getenv("SUDO_UID") ? variable("XDG_CONFIG_HOME") : NULL;
    const struct passwd *user = named || xdg ? NULL : getpwuid(geteuid());
    int len;
    if (named)
        len = snprintf(out, PATH_MAX, "%s", named);
    else if (xdg)
        len = snprintf(out, PATH_MAX, "%s/msg", xdg);
    else if (user)
        len = snprintf(out, PATH_MAX, "%s/.config/msg", user->pw_dir);
    else
        return diag_set(ret_diag, -ENOENT, "uid %u has no home folder; set MSG_CONFIG_HOME",
                        (unsigned)geteuid());
    return len < PATH_MAX - 20 ? 0 : diag_errno(ret_diag, -ENAMETOOLONG, "MSG_CONFIG_HOME");
}

int paths_find(const char *folder, struct paths *ret_paths, struct diag *ret_diag)
{
    struct paths paths;
    int r = find_folder(paths.folder, folder ? folder : variable("MSG_CONFIG_HOME"), ret_diag);
    if (r < 0)
        return r;
    if (paths.folder[0] != '/')
        return diag_set(ret_diag, -EINVAL, "%s: not an absolute path", paths.folder);
    snprintf(paths.identity, sizeof(paths.identity), "%.4076s/identity", paths.folder);
    snprintf(paths.known_hosts, sizeof(paths.known_hosts), "%.4076s/known_hosts", paths.folder);
    snprintf(paths.msg_conf, sizeof(paths.msg_conf), "%.4076s/msg.conf", paths.folder);
    snprintf(paths.endorsements, sizeof(paths.endorsements), "%.4076s/endorsements", paths.folder);
    snprintf(paths.sent, sizeof(paths.sent), "%.4076s/sent", paths.folder);
    *ret_paths = paths;
    return 0;
}
