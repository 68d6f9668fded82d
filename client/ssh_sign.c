/* SPDX-License-Identifier: MIT */
#include "client/ssh_sign.h"

#include "client/tool.h"
#include "common/lines.h"
#include "common/mem.h"

#include <fcntl.h>
#include <pwd.h>

#define AGENT_MS 5000
#define LISTING  65536

/* ---- which key ------------------------------------------------------------------------------- */

bool ssh_agent_choose(struct slice listing, struct ssh_key *ret_key)
{
    while (listing.len) {
        struct slice line = slice_of_line(slice_take_line(&listing)), type, base64;
        if (lines_field(&line, &type) && lines_field(&line, &base64) &&
            ssh_key_parse(type, base64, ret_key) == 0)
            return true;
    }
    return false;
}

/* The agent's key, in a file of its own: ssh-keygen takes a key by its file's name only. */
static bool find_in_agent(struct ssh_signer *signer)
{
    static const char *const argv[] = {"ssh-add", "-L", NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = AGENT_MS, .quiet = true};
    CLEANUP_FREE char *listing = malloc(LISTING);
    char text[SSH_KEY_TEXT_LEN + 1];
    struct ssh_key key;
    size_t len = 0;
    if (!getenv("SSH_AUTH_SOCK") || !listing || tool_run(&tool, listing, LISTING, &len) != 0 ||
        !ssh_agent_choose((struct slice){listing, len}, &key))
        return false;
    const char *folder = getenv("TMPDIR");
    snprintf(signer->file, sizeof(signer->file), "%.4000s/msgctl-XXXXXX", folder ? folder : "/tmp");
    CLEANUP_FD int fd = mkstemp(signer->file);
    signer->temporary = fd >= 0;
    ssh_key_format(&key, text);
    return fd >= 0 && dprintf(fd, "%s\n", text) == SSH_KEY_TEXT_LEN + 1;
}

static bool find_in_home(struct ssh_signer *signer)
{
    const struct passwd *user = getpwuid(geteuid());
    snprintf(signer->file, sizeof(signer->file), "%.4000s/.ssh/id_ed25519",
             user ? user->pw_dir : "");
    return access(signer->file, R_OK) == 0;
}

int ssh_signer_find(const char *named, struct ssh_signer *ret_signer, struct diag *ret_diag)
{
    struct ssh_signer *signer = ret_signer;
    *signer = (struct ssh_signer){.temporary = false};
    if (named) {
        int len = snprintf(signer->file, sizeof(signer->file), "%s", named);
        if (len < 0 || (size_t)len >= sizeof(signer->file))
            return diag_errno(ret_diag, -ENAMETOOLONG, "--ssh-key");
        return access(named, R_OK) == 0 ? 0 : diag_errno(ret_diag, mem_errno(), named);
    }
    if (find_in_agent(signer))
        return 0;
    ssh_signer_end(signer);
    if (find_in_home(signer))
        return 0;
    return diag_set(
        ret_diag, -ENOENT,
        "there is no ssh-ed25519 key in ssh-agent or at ~/.ssh/id_ed25519, and keys of "
        "other types (RSA, ECDSA, sk) cannot serve; for a host that you can ssh to: msgctl "
        "pair HOST; or make one: ssh-keygen -t ed25519");
}

/* 1: of another type; 0: of ours; -1: the file is no public key. */
static int other_type(const char *path)
{
    char text[256];
    struct slice line, type;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
    line = (struct slice){text, len < 0 ? 0 : (size_t)len};
    if (!lines_field(&line, &type) || !ssh_key_is_type(type))
        return -1;
    return !slice_eq(type, SLICE(SSH_KEY_TYPE));
}

bool ssh_signer_cannot_serve(const struct ssh_signer *signer)
{
    char public[PATH_MAX];
    int found = other_type(signer->file);
    int len = snprintf(public, sizeof(public), "%s.pub", signer->file);
    if (found < 0 && len > 0 && (size_t)len < sizeof(public))
        found = other_type(public);
    return found == 1;
}

void ssh_signer_end(struct ssh_signer *signer)
{
    if (signer->temporary)
        unlink(signer->file);
    signer->temporary = false;
}

/* ---- signing --------------------------------------------------------------------------------- */

static int run_signer(const struct ssh_signer *signer, const struct tool *tool, char *out,
                      size_t capacity, size_t *ret_len, struct diag *ret_diag)
{
    int r = tool_run(tool, out, capacity, ret_len);
    if (r == -ENOENT)
        return diag_set(ret_diag, r, "there is no ssh-keygen; install openssh-client");
    if (r == -EFBIG)
        return diag_set(ret_diag, r, "the signature of %s is too long", signer->file);
    if (r != 0)
        return diag_set(ret_diag, -EIO, "ssh-keygen did not sign with %s", signer->file);
    return 0;
}

int ssh_sign(const struct ssh_signer *signer, const char *name_space, struct slice text, char *out,
             size_t capacity, size_t *ret_len, struct diag *ret_diag)
{
    const char *const argv[] = {"ssh-keygen", "-Y", "sign",       "-q", "-n",
                                name_space,   "-f", signer->file, NULL};
    const struct tool tool = {.argv = argv, .input = text, .timeout_ms = -1};
    return run_signer(signer, &tool, out, capacity, ret_len, ret_diag);
}

int ssh_sign_files(const struct ssh_signer *signer, const char *name_space, char *const files[],
                   struct diag *ret_diag)
{
    const char *const first[] = {"ssh-keygen", "-Y", "sign",       "-q", "-n",
                                 name_space,   "-f", signer->file, "--"};
    size_t n = 0, len = 0;
    char none[1];
    while (files[n])
        n++;
    CLEANUP_FREE const char **argv = calloc(ARRAY_SIZE(first) + n + 1, sizeof(*argv));
    if (!argv)
        return diag_errno(ret_diag, -ENOMEM, signer->file);
    memcpy(argv, first, sizeof(first));
    for (size_t i = 0; i < n; i++)
        argv[ARRAY_SIZE(first) + i] = files[i];
    const struct tool tool = {.argv = argv, .timeout_ms = -1, .shows = true};
    return run_signer(signer, &tool, none, 0, &len, ret_diag);
}
