/* SPDX-License-Identifier: MIT */
/* msgctl trust --list and msgctl untrust: which hosts' keys are trusted, and that one no longer is.
 */
#include "client/ctl_untrust.h"
#include "client/ctl_server.h"
#include "client/json.h"
#include "common/log.h"

static const char *const marks[] = {
    [KNOWN_HOST_PIN] = "", [KNOWN_HOST_CA] = "@cert-authority", [KNOWN_HOST_REVOKED] = "@revoked"};

static void print_line(void *context, const struct known_host_line *line)
{
    const struct ctl *ctl = context;
    const char *mark = marks[line->mark];
    char key[ANY_KEY_TEXT_LEN + 1];
    any_key_format(line->key, key);
    if (!ctl->json) {
        printf("%s%s%.*s %s (%s:%zu)\n", mark, *mark ? " " : "", (int)line->names.len,
               line->names.ptr, key, line->file, line->line);
        return;
    }
    json_open(stdout);
    json_string(stdout, "names", line->names);
    json_string(stdout, "mark", slice_of(*mark ? mark + 1 : ""));
    json_string(stdout, "key", slice_of(key));
    json_string(stdout, "file", slice_of(line->file));
    json_number(stdout, "line", line->line);
    json_close(stdout);
}

int ctl_trust_list(const struct ctl *ctl)
{
    struct paths paths;
    struct diag diag;
    struct ctl context = *ctl;
    if (paths_find(NULL, &paths, &diag) < 0 ||
        known_hosts_each(paths.known_hosts, print_line, &context, &diag) < 0 ||
        known_hosts_each(SYSTEM_KNOWN_HOSTS, print_line, &context, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    return CTL_OK;
}

static void print_result(const struct ctl *ctl, const char *name, const char *file, size_t removed)
{
    if (!ctl->json) {
        printf("%s: %zu key%s taken out of %s\n", name, removed, removed == 1 ? "" : "s", file);
        return;
    }
    json_open(stdout);
    json_string(stdout, "host", slice_of(name));
    json_string(stdout, "file", slice_of(file));
    json_number(stdout, "removed", removed);
    json_close(stdout);
}

/* What stands in the system's file is root's to take out. */
static int look_at_the_rest(const char *name, size_t removed)
{
    static const struct noise_public none;
    const char *const files[KNOWN_HOSTS_FILES] = {SYSTEM_KNOWN_HOSTS};
    struct known_host_match match;
    struct diag diag;
    if (known_hosts_lookup(files, name, &none, &match, &diag) < 0)
        log_error("%s", diag.text);
    else if (match.verdict != KNOWN_HOST_UNKNOWN)
        log_error("%s:%zu still has a key of %s for all users; root can take that line out",
                  match.file, match.line, name);
    else if (removed > 0)
        return CTL_OK;
    else
        log_error("no key is kept for %s; those that are: msgctl trust --list", name);
    return CTL_FAILED;
}

int ctl_untrust(const struct ctl *ctl)
{
    char name[KNOWN_HOST_NAME];
    struct call_server server;
    struct paths paths;
    struct diag diag;
    size_t removed;
    int status = ctl_find_server(ctl, ctl->words[0], &server);
    if (status != CTL_OK)
        return status;
    if (known_host_name(name, server.host, server.port) < 0) {
        log_error("%s is no name that a key can be kept for", server.host);
        return CTL_USAGE;
    }
    if (paths_find(NULL, &paths, &diag) < 0 ||
        known_hosts_remove(paths.known_hosts, name, &removed, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    if (removed > 0)
        print_result(ctl, name, paths.known_hosts, removed);
    return look_at_the_rest(name, removed);
}
