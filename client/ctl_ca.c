/* SPDX-License-Identifier: MIT */
/* msgctl ca: an organisation's key, and what it endorses, many at a time. */
#include "client/ctl_ca.h"
#include "client/json.h"
#include "client/ssh_sign.h"
#include "client/tool.h"
#include "common/file.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/ssh_key.h"
#include "protocol/limits.h"

#include <limits.h>

static int read_public(const char *file, struct ssh_key *ret_key, struct diag *ret_diag)
{
    char path[PATH_MAX];
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (snprintf(path, sizeof(path), "%s.pub", file) >= PATH_MAX)
        return diag_errno(ret_diag, -ENAMETOOLONG, file);
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

int ctl_ca(const struct ctl *ctl)
{
    bool with_file = ctl->n_words == 2;
    if (with_file && strcmp(ctl->words[0], "make") == 0)
        return make(ctl);
    if (with_file && strcmp(ctl->words[0], "sign") == 0)
        return ctl_ca_sign(ctl);
    if (strcmp(ctl->words[0], "lines") == 0)
        return ctl_ca_lines(ctl);
    log_error("ca wants: make FILE, or lines [USER...], or sign LIST");
    return CTL_USAGE;
}
