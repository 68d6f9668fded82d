/* SPDX-License-Identifier: MIT */
/*
 * msgctl receive: whose messages the caller wants. It writes the file that msgd-present looks for
 * in his home, and prints what that makes of it.
 */
#include "client/ctl.h"
#include "client/json.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/receive.h"
#include "common/text.h"

#include <limits.h>
#include <pwd.h>

/* Always below the home that the system names: msgd-present knows nothing of XDG_CONFIG_HOME. */
static int find_path(const struct ctl *ctl, char out[static PATH_MAX], struct diag *ret_diag)
{
    const char *named = ctl->given[CTL_FILE];
    const struct passwd *user = named ? NULL : getpwuid(geteuid());
    int len;
    if (named)
        len = snprintf(out, PATH_MAX, "%s", named);
    else if (user)
        len = snprintf(out, PATH_MAX, "%s/%s", user->pw_dir, RECEIVE_FILE);
    else
        return diag_set(ret_diag, -ENOENT, "uid %u has no home folder", (unsigned)geteuid());
    return len < PATH_MAX ? 0 : diag_errno(ret_diag, -ENAMETOOLONG, "the file's path");
}

/* ---- what holds ------------------------------------------------------------------------------ */

/* The names with commas between them: not longer than in the file, where more stands between. */
static struct slice join(const struct receive *receive, char out[static LIM_RECEIVE_FILE])
{
    struct receive_names names = receive_names(receive);
    struct slice name;
    size_t len = 0;
    while (receive->wish == RECEIVE_ONLY && receive_names_next(&names, &name)) {
        if (len > 0)
            out[len++] = ',';
        memcpy(out + len, name.ptr, name.len);
        len += name.len;
    }
    return (struct slice){out, len};
}

static void print(const struct ctl *ctl, const struct receive *receive, const char *path)
{
    const char *word = receive_words[receive->wish];
    char list[LIM_RECEIVE_FILE], shown[TEXT_ESCAPED(LIM_RECEIVE_FILE)];
    struct slice names = join(receive, list);
    if (ctl->json) {
        json_open(stdout);
        json_string(stdout, "receive", slice_of(word));
        json_string(stdout, "names", names);
        json_string(stdout, "file", slice_of(path));
        json_close(stdout);
        return;
    }
    text_escape(names, TEXT_ONE_LINE, shown, sizeof(shown));
    printf("%s%s%s\n", word, names.len > 0 ? " " : "", shown);
}

/* As msgd-present reads it: 0, or why the file counts as none. */
static int read_file(const char *path, char text[static LIM_RECEIVE_FILE + 1],
                     struct receive *ret_receive, struct diag *ret_diag)
{
    const char *reason;
    size_t len, line;
    int r = receive_read(path, geteuid(), text, &len);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r == -EINVAL || r == -ELOOP)
        return diag_set(ret_diag, r, "%s is not a regular file", path);
    if (r == -EPERM)
        return diag_set(ret_diag, r, "%s is not a file of yours", path);
    if (r == -EFBIG)
        return diag_set(ret_diag, r, "%s is longer than %d bytes", path, LIM_RECEIVE_FILE);
    if (r < 0)
        return diag_errno(ret_diag, r, path);
    r = receive_parse((struct slice){text, len}, ret_receive, &line, &reason);
    return r < 0 ? diag_set(ret_diag, r, "%s:%zu: %s", path, line, reason) : 0;
}

static int show(const struct ctl *ctl, const char *path)
{
    char text[LIM_RECEIVE_FILE + 1];
    struct receive receive = {.wish = RECEIVE_ON};
    struct diag diag;
    int r = read_file(path, text, &receive, &diag);
    if (r < 0)
        log_error("%s; it counts for nothing, mend it: rm %s; msgctl receive off", diag.text, path);
    print(ctl, &receive, path);
    return r < 0 ? CTL_FAILED : CTL_OK;
}

/* ---- what is to hold ------------------------------------------------------------------------- */

/* What has another's file, or none, in its place would keep that one's owner and mode. */
static int check_place(const char *path, struct diag *ret_diag)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : diag_errno(ret_diag, mem_errno(), path);
    if (S_ISREG(st.st_mode) && st.st_uid == geteuid())
        return 0;
    return diag_set(ret_diag, -EPERM, "%s is not a regular file of yours; run: rm %s", path, path);
}

static int write_file(const char *path, struct slice text, struct diag *ret_diag)
{
    const char *name;
    CLEANUP_FD int folder = file_open_folder(path, true, FILE_TRUSTED, &name, ret_diag);
    int r = folder < 0 ? folder : check_place(path, ret_diag);
    return r < 0 ? r : file_replace(path, text, 0600, ret_diag);
}

/* What stands behind the first word. */
static int join_words(const struct ctl *ctl, char out[static LIM_RECEIVE_FILE + 1])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 1; i < ctl->n_words; i++) {
        int put = snprintf(out + len, LIM_RECEIVE_FILE + 1 - len, "%s%s", i > 1 ? " " : "",
                           ctl->words[i]);
        if (put < 0 || (size_t)put > LIM_RECEIVE_FILE - len)
            return -EFBIG;
        len += (size_t)put;
    }
    return 0;
}

/* A slip in a name shuts somebody out, and nobody would notice. */
static void note_strangers(struct slice text)
{
    struct receive receive;
    const char *reason;
    struct slice name;
    size_t line;
    if (receive_parse(text, &receive, &line, &reason) < 0 || receive.wish != RECEIVE_ONLY)
        return;
    struct receive_names names = receive_names(&receive);
    while (receive_names_next(&names, &name)) {
        char user[LIM_NAME + 1];
        slice_copy(user, sizeof(user), name);
        if (!slice_begins(name, SLICE(RECEIVE_NETWORK)) && !getpwnam(user))
            log_notice("there is no user %s on this host; who is on another is network:NAME", user);
    }
}

static int change(const struct ctl *ctl, const char *path)
{
    char text[LIM_RECEIVE_FILE + 1], names[LIM_RECEIVE_FILE + 1];
    const char *reason;
    struct diag diag;
    size_t len;
    int r = join_words(ctl, names);
    if (r == 0)
        r = receive_format(slice_of(ctl->words[0]), slice_of(names), text, &len, &reason);
    if (r == -EFBIG)
        log_error("more names than a file of %d bytes holds", LIM_RECEIVE_FILE);
    else if (r < 0)
        log_error("%s%s%s: %s", ctl->words[0], names[0] ? " " : "", names, reason);
    if (r < 0)
        return CTL_USAGE;
    r = write_file(path, (struct slice){text, len}, &diag);
    if (r < 0)
        log_error("%s", diag.text);
    else
        note_strangers((struct slice){text, len});
    return r < 0 ? CTL_FAILED : CTL_OK;
}

int ctl_receive(const struct ctl *ctl)
{
    char path[PATH_MAX];
    struct diag diag;
    if (find_path(ctl, path, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    int status = ctl->n_words > 0 ? change(ctl, path) : CTL_OK;
    return status == CTL_OK ? show(ctl, path) : status;
}
