/* SPDX-License-Identifier: MIT */
/*
 * msgctl ca lines: on a host, what the list of an organisation wants to know of it: its key, and
 * those of users, which are made if there are none. Each key is looked at by a child, which becomes
 * its owner.
 */
#include "client/ctl_ca.h"
#include "client/ctl_endorse.h"
#include "client/ctl_host.h"
#include "client/json.h"
#include "client/tool.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"

#include <limits.h>
#include <pwd.h>

#define CHILD_MS 10000

static int find_program(char out[static PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (len < 0) {
        log_error("/proc/self/exe: %s", strerror(errno));
        return CTL_FAILED;
    }
    out[len] = '\0';
    return CTL_OK;
}

static void print_line(const struct ctl *ctl, const char *kind, const char *name, const char *key)
{
    if (!ctl->json) {
        printf("%s %s %s\n", kind, name, key);
        return;
    }
    json_open(stdout);
    json_string(stdout, "kind", slice_of(kind));
    json_string(stdout, "name", slice_of(name));
    json_string(stdout, "key", slice_of(key));
    json_close(stdout);
}

/* What a child prints, which is to be a key. */
static int ask_child(const struct tool *tool, char out[static KEY_TEXT_LEN + 1])
{
    char text[KEY_TEXT_LEN + 1];
    struct noise_public key;
    size_t len = 0;
    if (tool_run(tool, text, sizeof(text), &len) != 0 || len != sizeof(text) ||
        key_parse((struct slice){text, KEY_TEXT_LEN}, &key) < 0)
        return CTL_FAILED;
    key_format(&key, out);
    return CTL_OK;
}

/*
 * The child is the user's own process, whom he can make do what he likes: it gets none of root's
 * terminal, in which it could type, and not for ever.
 */
static int print_user(const struct ctl *ctl, const char *program, const char *user)
{
    /* What the environment says of files is root's. */
    const char *const others[] = {
        "runuser",         "-u",    user,  "--", "env", "-u", "MSG_CONFIG_HOME", "-u",
        "XDG_CONFIG_HOME", program, "key", NULL};
    const char *const own[] = {program, "key", NULL};
    char key[KEY_TEXT_LEN + 1];
    const struct passwd *entry = getpwnam(user);
    if (!entry) {
        log_error("%s: there is no such user here", user);
        return CTL_FAILED;
    }
    bool is_own = entry->pw_uid == geteuid();
    const struct tool tool = {.argv = is_own ? own : others,
                              .timeout_ms = CHILD_MS,
                              .quiet = !is_own,
                              .detached = !is_own};
    int status = ask_child(&tool, key);
    if (status == CTL_OK)
        print_line(ctl, "user", user, key);
    else if (!is_own)
        log_error("%s shows no key; what is wrong is said to him by: msgctl key", user);
    return status;
}

/* msgd makes the host's key when it first runs with a port, and a first connection starts it. */
static void wake_msgd(const char *program, const char *key)
{
    const char *const argv[] = {program, "ping", NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = 10000, .quiet = true};
    char answer[512];
    size_t len = 0;
    if (access(key, F_OK) < 0)
        tool_run(&tool, answer, sizeof(answer), &len);
}

static int print_host(const struct ctl *ctl, const char *program)
{
    char text[KEY_TEXT_LEN + 1], name[256];
    struct config config;
    struct noise_public key;
    if (!ctl_endorse_host_name(ctl, name)) {
        log_error("the name is too long; give another by --names");
        return CTL_USAGE;
    }
    if (!ctl_host_config(ctl, &config))
        return CTL_FAILED;
    wake_msgd(program, config.host_key);
    if (!ctl_host_key(config.host_key, &key))
        return CTL_FAILED;
    key_format(&key, text);
    print_line(ctl, "host", name, text);
    return CTL_OK;
}

int ctl_ca_lines(const struct ctl *ctl)
{
    char program[PATH_MAX];
    if (geteuid() != 0) {
        log_error("the keys of this host and of others are root's to look at; run this as root");
        return CTL_FAILED;
    }
    int status = find_program(program);
    status = status == CTL_OK ? print_host(ctl, program) : status;
    for (size_t i = 1; i < ctl->n_words && status == CTL_OK; i++)
        status = print_user(ctl, program, ctl->words[i]);
    return status;
}
