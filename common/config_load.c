/* SPDX-License-Identifier: MIT */
/* The part of config.h that looks at the system: files, host name, login.defs. */
#include "common/config.h"
#include "common/file.h"
#include "common/lines.h"
#include "common/mem.h"
#include "protocol/slice.h"

#include <dirent.h>
#include <limits.h>

static int load_file(struct config *config, const char *file, bool required, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(file, FILE_TRUSTED, LIM_CONFIG_FILE, &text, &len, NULL, ret_diag);
    if (r == -ENOENT && !required)
        return 0;
    return r < 0 ? r : config_parse(config, file, (struct slice){text, len}, ret_diag);
}

/* What dpkg and editors leave behind does not end in .conf; hidden files do not count. */
static int is_addition(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* strcmp, not alphasort: the order must not hang on a locale. */
static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_addition(struct config *config, const char *folder, const char *name,
                         struct diag *ret_diag)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return diag_errno(ret_diag, -ENAMETOOLONG, folder);
    return load_file(config, path, true, ret_diag);
}

static int load_folder(struct config *config, const char *file, struct diag *ret_diag)
{
    char folder[PATH_MAX];
    struct dirent **entries = NULL;
    int r = 0;
    if (snprintf(folder, sizeof(folder), "%s.d", file) >= (int)sizeof(folder))
        return diag_errno(ret_diag, -ENAMETOOLONG, file);
    int count = scandir(folder, &entries, is_addition, compare);
    if (count < 0)
        return errno == ENOENT ? 0 : diag_errno(ret_diag, mem_errno(), folder);
    for (int i = 0; i < count; i++) {
        r = r < 0 ? r : load_addition(config, folder, entries[i]->d_name, ret_diag);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int config_load(const char *file, bool required, struct config *ret_config, struct diag *ret_diag)
{
    struct config config;
    config_defaults(&config);
    int r = load_file(&config, file, required, ret_diag);
    r = r < 0 ? r : load_folder(&config, file, ret_diag);
    if (r == 0)
        *ret_config = config;
    return r;
}

/* The value of `UID_MIN 1000` in login.defs(5); 1000 where the file does not say. */
static uint64_t login_uid_min(const char *login_defs)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    struct slice line, field;
    uint64_t uid = 1000;
    const char *reason;
    if (file_read(login_defs, FILE_ANY, LIM_CONFIG_FILE, &text, &len, NULL, NULL) < 0)
        return uid;
    struct lines lines = {.rest = {text, len}};
    while (lines_next(&lines, &line, &reason))
        if (lines_field(&line, &field) && slice_eq(field, SLICE("UID_MIN")) &&
            lines_field(&line, &field) && slice_number(field, UINT32_MAX, &uid) && uid > 0)
            return uid;
    return 1000;
}

/* A daemon of one's own keeps its key with all else it keeps. */
static void place_host_key(struct config *config)
{
    if (config->host_key[0])
        return;
    if (strcmp(config->state, CONFIG_STATE) == 0)
        strcpy(config->host_key, CONFIG_HOST_KEY);
    else
        snprintf(config->host_key, sizeof(config->host_key), "%s/host_key", config->state);
}

/* msgd writes them all, so that they lie together. */
static int place_beside(struct config *config, const char *name, char *path, size_t size,
                        struct diag *ret_diag)
{
    const char *slash = strrchr(config->host_key, '/');
    int folder = slash ? (int)(slash - config->host_key) + 1 : 0;

    if (path[0])
        return 0;
    int len = snprintf(path, size, "%.*s%s", folder, config->host_key, name);
    return len < (int)size ? 0 : diag_errno(ret_diag, -ENAMETOOLONG, config->host_key);
}

int config_complete(struct config *config, const char *login_defs, struct diag *ret_diag)
{
    place_host_key(config);
    int r = place_beside(config, "enrolled", config->enrolled, sizeof(config->enrolled), ret_diag);
    if (r == 0)
        r = place_beside(config, "granted", config->granted, sizeof(config->granted), ret_diag);
    if (r < 0)
        return r;
    if (config->uid_min == 0)
        config->uid_min = login_uid_min(login_defs);
    if (!config->name[0] && gethostname(config->name, sizeof(config->name) - 1) < 0)
        return diag_errno(ret_diag, mem_errno(), "this host's name");
    return 0;
}
