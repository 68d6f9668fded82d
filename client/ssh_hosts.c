/* SPDX-License-Identifier: MIT */
#include "client/ssh_hosts.h"

#include "client/tool.h"
#include "common/lines.h"
#include "common/mem.h"

#include <limits.h>
#include <pwd.h>

#define LOOK_UP_MS   2000
#define PRINTED      65536
#define SYSTEM_HOSTS "/etc/ssh/ssh_known_hosts"

/* `[@marker] names type base64 [comment]`; only revoking and no marker count. */
static bool read_line(struct slice line, struct ssh_key *ret_key, bool *ret_revoked)
{
    struct slice field = {NULL, 0}, type, base64;
    if (!lines_field(&line, &field) || field.ptr[0] == '#')
        return false;
    bool marked = field.ptr[0] == '@', revoked = slice_eq(field, SLICE("@revoked"));
    if ((marked && !revoked) || (marked && !lines_field(&line, &field)))
        return false;
    if (!lines_field(&line, &type) || !lines_field(&line, &base64) ||
        ssh_key_parse(type, base64, ret_key) < 0)
        return false;
    *ret_revoked = revoked;
    return true;
}

/* A revoked key is never lost for want of room: then an ordinary one gives way. */
static void add(struct ssh_hosts *hosts, const struct ssh_key *key, bool revoked, size_t number)
{
    size_t i = hosts->n;
    if (i == SSH_HOSTS_KEYS)
        for (i = 0; revoked && i < SSH_HOSTS_KEYS && hosts->lines[i].revoked;)
            i++;
    if (i == SSH_HOSTS_KEYS || (hosts->n == SSH_HOSTS_KEYS && !revoked))
        return;
    hosts->lines[i] = (struct ssh_host_line){.key = *key, .revoked = revoked, .number = number};
    if (i == hosts->n)
        hosts->n++;
}

/* `# Host NAME found: line 12`, which stands before a line; else 0. */
static size_t read_number(struct slice line)
{
    static const char before[] = " found: line ";
    const char *at = memmem(line.ptr, line.len, before, sizeof(before) - 1);
    struct slice digits;
    uint64_t number = 0;
    if (!at || line.ptr[0] != '#')
        return 0;
    line = slice_from(line, (size_t)(at - line.ptr) + sizeof(before) - 1);
    return lines_field(&line, &digits) && slice_number(digits, INT32_MAX, &number) ? number : 0;
}

void ssh_hosts_read(struct slice text, struct ssh_hosts *hosts)
{
    size_t number = 0;
    while (text.len) {
        struct slice line = slice_of_line(slice_take_line(&text));
        struct ssh_key key;
        bool revoked = false;
        if (read_line(line, &key, &revoked))
            add(hosts, &key, revoked, number);
        number = read_number(line);
    }
}

/* What keeps us from knowing, and what mends or shows it. */
static int tell_failure(int r, const char *name, const char *file, struct diag *ret_diag)
{
    if (r == -ENOENT)
        return diag_set(ret_diag, r,
                        "there is no ssh-keygen to look for it in %s; install "
                        "openssh-client",
                        file);
    return diag_set(ret_diag, r < 0 ? r : -EIO,
                    "ssh-keygen cannot look for it in %s%s; run: "
                    "ssh-keygen -F %s -f %s",
                    file, r == -ETIMEDOUT ? " in time" : "", name, file);
}

/* ssh-keygen's status is 1 where there is no such name. */
static int look_in(const char *file, const char *name, struct ssh_hosts *hosts,
                   struct diag *ret_diag)
{
    const char *const argv[] = {"ssh-keygen", "-F", name, "-f", file, NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = LOOK_UP_MS, .quiet = true};
    CLEANUP_FREE char *printed = malloc(PRINTED);
    size_t len = 0;
    if (access(file, R_OK) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : diag_errno(ret_diag, mem_errno(), file);
    int r = printed ? tool_run(&tool, printed, PRINTED, &len) : -ENOMEM;
    if (r != 0)
        return r == 1 ? 0 : tell_failure(r, name, file, ret_diag);
    ssh_hosts_read((struct slice){printed, len}, hosts);
    for (size_t i = 0; i < hosts->n; i++)
        if (hosts->lines[i].file[0] == '\0')
            snprintf(hosts->lines[i].file, SSH_HOSTS_FILE, "%s", file);
    return 0;
}

static int find_files(char out[static PATH_MAX], struct diag *ret_diag)
{
    const char *named = getenv("MSG_SSH_KNOWN_HOSTS");
    const struct passwd *user = named ? NULL : getpwuid(geteuid());
    int len = named ? snprintf(out, PATH_MAX, "%s", named)
                    : snprintf(out, PATH_MAX, "%s/.ssh/known_hosts:" SYSTEM_HOSTS,
                               user ? user->pw_dir : "");
    return len < PATH_MAX ? 0 : diag_errno(ret_diag, -ENAMETOOLONG, "MSG_SSH_KNOWN_HOSTS");
}

int ssh_hosts_find(const char *name, struct ssh_hosts *ret_hosts, struct diag *ret_diag)
{
    char files[PATH_MAX], *rest = NULL;
    *ret_hosts = (struct ssh_hosts){.n = 0};
    if (name[0] == '-') /* an option of ssh-keygen, and no name of a host */
        return 0;
    int r = find_files(files, ret_diag);
    for (char *file = strtok_r(files, ":", &rest); r == 0 && file;
         file = strtok_r(NULL, ":", &rest))
        r = look_in(file, name, ret_hosts, ret_diag);
    return r;
}

enum ssh_host_verdict ssh_hosts_judge(const struct ssh_hosts *hosts, const struct ssh_key *key,
                                      const struct ssh_host_line **ret_line)
{
    enum ssh_host_verdict verdict = SSH_HOST_UNKNOWN;
    for (size_t i = 0; i < hosts->n; i++) {
        if (!ssh_key_equal(&hosts->lines[i].key, key))
            continue;
        if (ret_line && (verdict == SSH_HOST_UNKNOWN || hosts->lines[i].revoked))
            *ret_line = &hosts->lines[i];
        if (hosts->lines[i].revoked)
            return SSH_HOST_REVOKED;
        verdict = SSH_HOST_KNOWN;
    }
    return verdict;
}
