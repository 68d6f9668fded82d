/* SPDX-License-Identifier: MIT */
/* msgctl ca: an organisation's key, and what it endorses, many at a time. */
#include "client/ca_list.h"
#include "client/ctl.h"
#include "client/endorse.h"
#include "client/json.h"
#include "client/tool.h"
#include "common/file.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"

#include <limits.h>

#define VALIDITY (30 * 86400) /* seconds: short, since only a revocation ends it sooner */
#define LIST_MAX (1 << 20)

/* ---- make -------------------------------------------------------------------------------------- */

static int read_public(const char *file, struct ssh_key *ret_key, struct diag *ret_diag)
{
    char path[PATH_MAX];
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    snprintf(path, sizeof(path), "%.4000s.pub", file);
    int r = file_read(path, FILE_TRUSTED, LIM_KEY_FILE, &text, &len, NULL, ret_diag);
    if (r < 0)
        return r;
    return ssh_agent_choose((struct slice){text, len}, ret_key)
               ? 0
               : diag_set(ret_diag, -EBADMSG, "%s: not an ssh-ed25519 key", path);
}

static void print_made(const struct ctl *ctl, const char *file, const struct ssh_key *key)
{
    char text[SSH_KEY_TEXT_LEN + 1];
    ssh_key_format(key, text);
    if (ctl->json) {
        json_open(stdout);
        json_string(stdout, "key", slice_of(text));
        json_string(stdout, "file", slice_of(file));
        json_close(stdout);
        return;
    }
    printf("%s is an organisation's key: %s\n"
           "Hosts that are to let its users in:   msgctl authorize --ca --names='*' '%s' NAME\n"
           "Clients that are to trust its hosts, in /etc/msg/known_hosts:   @cert-authority * %s\n",
           file, text, text, text);
}

/* ssh-keygen asks for the passphrase, and whether to overwrite. */
static int make(const struct ctl *ctl)
{
    const char *file = ctl->words[1];
    const char *const argv[] = {"ssh-keygen",       "-q", "-t", "ed25519", "-C",
                                "msg organisation", "-f", file, NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = -1, .shows = true};
    struct ssh_key key;
    struct diag diag;
    char none[1];
    size_t len = 0;
    int r = tool_run(&tool, none, 0, &len);
    if (r != 0) {
        log_error(r == -ENOENT ? "there is no ssh-keygen; install openssh-client"
                               : "ssh-keygen made no key");
        return CTL_FAILED;
    }
    if (read_public(file, &key, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    print_made(ctl, file, &key);
    return CTL_OK;
}

/* ---- sign -------------------------------------------------------------------------------------- */

static void print_signed(const struct ctl *ctl, const struct endorsement *e, const char *file)
{
    char key[KEY_TEXT_LEN + 1], day[ENDORSE_DAY];
    key_format(&e->key, key);
    endorse_last_day(e, day);
    if (!ctl->json) {
        printf("%s: %s is %.*s until %s, serial %llu\n", file, key, (int)e->names.len, e->names.ptr,
               day, (unsigned long long)e->serial);
        return;
    }
    json_open(stdout);
    json_string(stdout, "kind", e->kind == ENDORSEMENT_HOST ? SLICE("host") : SLICE("user"));
    json_string(stdout, "name", e->names);
    json_string(stdout, "key", slice_of(key));
    json_number(stdout, "serial", e->serial);
    json_string(stdout, "expires", slice_of(day));
    json_string(stdout, "file", slice_of(file));
    json_close(stdout);
}

/* Its own file, named so that no two are alike. */
static int write_signed(const struct ctl *ctl, const struct endorsement *e, struct slice text,
                        struct diag *ret_diag)
{
    const char *folder = ctl->given[CTL_INTO] ? ctl->given[CTL_INTO] : ".";
    const char *comma = memchr(e->names.ptr, ',', e->names.len);
    int len = comma ? (int)(comma - e->names.ptr) : (int)e->names.len;
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%.3900s/%s-%.*s-%llu", folder,
             e->kind == ENDORSEMENT_HOST ? "host" : "user", len, e->names.ptr,
             (unsigned long long)e->serial);
    int r = file_replace(file, text, 0644, ret_diag);
    if (r == 0)
        print_signed(ctl, e, file);
    return r;
}

/* The whole list is read before anything of it is signed. */
static int check_list(const char *file, struct slice text, struct diag *ret_diag)
{
    struct lines lines = {.rest = text};
    struct endorsement e;
    const char *reason = NULL;
    int r;
    while ((r = ca_list_next(&lines, &e, &reason)) > 0)
        ;
    return r < 0 ? diag_set(ret_diag, r, "%s:%zu: %s", file, lines.number, reason) : 0;
}

static int sign_all(const struct ctl *ctl, const struct ssh_signer *signer, struct slice list,
                    struct diag *ret_diag)
{
    struct lines lines = {.rest = list};
    struct endorsement e, time = {.after = 0};
    struct ssh_key key;
    char text[ENDORSEMENT_TEXT_MAX];
    const char *reason = NULL;
    uint64_t serial = endorse_serial();
    size_t len = 0;
    int r = 0;
    if (endorse_time(&time, ctl->given[CTL_EXPIRES], VALIDITY) < 0)
        return diag_set(ret_diag, -EINVAL, "--expires wants a date to come, such as 2027-12-31");
    while (r == 0 && ca_list_next(&lines, &e, &reason) > 0) {
        e.serial = serial++;
        e.after = time.after;
        e.before = time.before;
        r = endorse_sign(signer, &e, text, &len, &key, ret_diag);
        if (r == 0)
            r = write_signed(ctl, &e, (struct slice){text, len}, ret_diag);
    }
    return r;
}

static int sign(const struct ctl *ctl)
{
    const char *file = ctl->words[1];
    CLEANUP_FREE char *list = NULL;
    struct ssh_signer signer = {.temporary = false};
    struct diag diag;
    size_t len = 0;
    int r = file_read(file, FILE_ANY, LIST_MAX, &list, &len, NULL, &diag);
    struct slice text = {list, len};
    r = r < 0 ? r : check_list(file, text, &diag);
    r = r < 0 ? r : ssh_signer_find(ctl->given[CTL_SSH_KEY], &signer, &diag);
    r = r < 0 ? r : sign_all(ctl, &signer, text, &diag);
    ssh_signer_end(&signer);
    if (r < 0)
        log_error("%s", diag.text);
    return r == 0 ? CTL_OK : r == -EINVAL ? CTL_USAGE : CTL_FAILED;
}

int ctl_ca(const struct ctl *ctl)
{
    if (strcmp(ctl->words[0], "make") == 0)
        return make(ctl);
    if (strcmp(ctl->words[0], "sign") == 0)
        return sign(ctl);
    log_error("ca wants: make FILE, or sign LIST");
    return CTL_USAGE;
}
