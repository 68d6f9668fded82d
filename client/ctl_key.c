/* SPDX-License-Identifier: MIT */
/* msgctl key: the caller's public key, or that of a key file; the secret one is never printed. */
#include "client/ctl.h"
#include "client/ctl_endorse.h"
#include "client/ctl_tcp.h"
#include "client/ctl_trust_files.h"
#include "client/json.h"
#include "client/tool.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"

#include <grp.h>
#include <sys/stat.h>

#define HOST_KEY "/var/lib/msgd/host_key"

static int find_path(const struct ctl *ctl, char out[static PATH_MAX], struct diag *ret_diag)
{
    struct paths paths;
    const char *named = ctl->given[CTL_FILE];
    if (!named && ctl->given[CTL_HOST])
        named = HOST_KEY;
    if (named)
        return snprintf(out, PATH_MAX, "%s", named) < PATH_MAX
                   ? 0
                   : diag_errno(ret_diag, -ENAMETOOLONG, "--file");
    int r = paths_find(NULL, &paths, ret_diag);
    if (r == 0)
        memcpy(out, paths.identity, sizeof(paths.identity));
    return r;
}

/* Root looks at another's key, such as _msgd's host_key, as that user and for good. */
static int become_owner(const char *path, struct diag *ret_diag)
{
    struct stat st;
    if (geteuid() != 0)
        return 0;
    if (stat(path, &st) < 0) /* nor is its folder root's, who is not to be told to take it */
        return diag_errno(ret_diag, mem_errno(), path);
    if (st.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
        setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
        return diag_errno(ret_diag, mem_errno(), path);
    return 0;
}

static void print_key(const struct ctl *ctl, const struct noise_keypair *key, const char *path,
                      bool made)
{
    char text[KEY_TEXT_LEN + 1];
    key_format(&key->public, text);
    if (!ctl->json) {
        puts(text);
        return;
    }
    json_open(stdout);
    json_string(stdout, "key", slice_of(text));
    json_string(stdout, "file", slice_of(path));
    json_bool(stdout, "made", made);
    json_close(stdout);
}

/* A file that was named to be shown is not made: the name may be a slip. */
static int get_key(const struct ctl *ctl, const char *path, bool make,
                   struct noise_keypair **ret_key, bool *ret_made, struct diag *ret_diag)
{
    bool named = ctl->given[CTL_FILE] || ctl->given[CTL_HOST];
    if (!named || make)
        return key_load_or_make(path, ret_key, ret_made, ret_diag);
    int r = become_owner(path, ret_diag);
    return r < 0 ? r : key_load(path, ret_key, ret_diag);
}

typedef int (*endorser)(const struct ctl *ctl, const struct noise_public *key);

/* NULL: the verb is another. */
static endorser endorser_of(const char *verb)
{
    static const struct {
        const char *verb;
        endorser act;
    } verbs[] = {{"endorse", ctl_key_endorse},
                 {"statement", ctl_key_statement},
                 {"endorsed", ctl_key_endorsed}};
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verb, verbs[i].verb) == 0)
            return verbs[i].act;
    return NULL;
}

/* Another's key is looked at by a child, since who has become its owner could not keep anything. */
static int ask_child(const struct ctl *ctl, const char *path, struct noise_public *ret_key)
{
    bool host = ctl->given[CTL_HOST] && !ctl->given[CTL_FILE];
    const char *const argv[] = {"/proc/self/exe",   "key", "show", host ? "--host" : "--file",
                                host ? NULL : path, NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = -1};
    char text[KEY_TEXT_LEN + 1];
    size_t len = 0;
    if (tool_run(&tool, text, sizeof(text), &len) != 0 || len != sizeof(text) ||
        key_parse((struct slice){text, KEY_TEXT_LEN}, ret_key) < 0)
        return CTL_FAILED; /* the child has said why */
    return CTL_OK;
}

static int endorse_another(const struct ctl *ctl, endorser act, const char *path)
{
    struct noise_public key;
    int status = ask_child(ctl, path, &key);
    return status == CTL_OK ? act(ctl, &key) : status;
}

/* What to do with the key once it is there. */
static int use_key(const struct ctl *ctl, const char *verb, const struct noise_keypair *key,
                   const char *path, bool made)
{
    bool make = strcmp(verb, "make") == 0;
    if (made || make)
        log_notice("%s: %s", made ? "a new key was made" : "there was a key already", path);
    if (endorser_of(verb))
        return endorser_of(verb)(ctl, &key->public);
    print_key(ctl, key, path, made);
    return CTL_OK;
}

/* One word, and for `endorsed` a file. */
static bool is_usage(const struct ctl *ctl, const char *verb)
{
    bool endorsed = strcmp(verb, "endorsed") == 0;
    return (endorser_of(verb) || strcmp(verb, "show") == 0 || strcmp(verb, "make") == 0) &&
           endorsed == (ctl->n_words == 2);
}

static void tell_failure(const struct ctl *ctl, int r, const struct diag *diag)
{
    bool host = ctl->given[CTL_HOST] && !ctl->given[CTL_FILE];
    ctl_say_refused(host ? r : 0, diag->text, NULL);
    if (host && r == -ENOENT)
        log_error(
            "msgd makes this host's key when it first listens for other hosts; run: " CTL_TCP_ON);
}

int ctl_key(const struct ctl *ctl)
{
    CLEANUP_KEY struct noise_keypair *key = NULL;
    const char *verb = ctl->n_words ? ctl->words[0] : "show";
    bool make = strcmp(verb, "make") == 0, made = false;
    char path[PATH_MAX];
    struct diag diag;
    if (!is_usage(ctl, verb) || (make && ctl->given[CTL_HOST])) {
        log_error("%s", make && ctl->given[CTL_HOST]
                            ? "msgd makes the host's key itself"
                            : "key wants: show, make, endorse, statement, or endorsed FILE");
        return CTL_USAGE;
    }
    bool named = ctl->given[CTL_FILE] || ctl->given[CTL_HOST];
    if (find_path(ctl, path, &diag) == 0 && named && endorser_of(verb))
        return endorse_another(ctl, endorser_of(verb), path);
    int r = find_path(ctl, path, &diag);
    r = r < 0 ? r : get_key(ctl, path, make, &key, &made, &diag);
    if (r < 0) {
        tell_failure(ctl, r, &diag);
        return CTL_FAILED;
    }
    return use_key(ctl, verb, key, path, made);
}
