/* SPDX-License-Identifier: MIT */
#include "daemon/present_program.h"

#include "common/mem.h"

static int find(const char *name, const char *installed, char path[static PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len > 0 && snprintf(path + len, PATH_MAX - (size_t)len, "%s", name) < PATH_MAX - len &&
        access(path, X_OK) == 0)
        return 0;
    snprintf(path, PATH_MAX, "%s", installed);
    return access(path, X_OK) == 0 ? 0 : mem_errno();
}

int program_find_msgd(char path[static PATH_MAX])
{
    return find("msgd", SBINDIR "/msgd", path);
}

int program_find_popup(char path[static PATH_MAX])
{
    return find("msgd-popup", POPUPDIR "/msgd-popup", path);
}
