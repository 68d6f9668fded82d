/* SPDX-License-Identifier: MIT */
/* msgctl authorize: a line of authorized_keys, written for the administrator. */
#include "client/ctl_line.h"
#include "client/ctl_self.h"
#include "client/ctl_tcp.h"
#include "client/ctl_trust_files.h"
#include "client/json.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/trust_edit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* The key as the file has it: of what a .pub file holds, its comment is left out. */
static const char *key_text(const struct ctl *ctl, char out[static ANY_KEY_TEXT_LEN + 1])
{
    struct slice word = slice_of(ctl->words[0]);
    struct any_key key;
    if (any_key_take(&word, &key) < 0)
        return ctl->words[0];
    any_key_format(&key, out);
    return out;
}

/* Of any type: why it is none that can serve, the line's parser says best. */
static bool is_ssh(const struct ctl *ctl)
{
    struct slice word = slice_of(ctl->words[0]);
    struct any_key key;
    int r = any_key_take(&word, &key);
    return r == -ENOTSUP || (r == 0 && key.kind == ANY_KEY_SSH);
}

/* The line as the file is to have it, which is a sound one. */
static int compose(const struct ctl *ctl, char *out, size_t capacity,
                   struct authorized_key *ret_key)
{
    char key[ANY_KEY_TEXT_LEN + 1];
    struct diag diag;
    if (strpbrk(ctl->words[0], " \t") && !is_ssh(ctl)) {
        log_error("KEY holds no blank, unless it is an ssh-ed25519 key");
        return CTL_USAGE;
    }
    int len = snprintf(out, capacity, "%s%s ", ctl->given[CTL_CA] ? "ca:" : "", key_text(ctl, key));
    if (len < 0 || (size_t)len >= capacity) {
        log_error("the key is too long");
        return CTL_USAGE;
    }
    if (!ctl_rights_line(ctl, ctl->words[1], out + len, capacity - (size_t)len))
        return CTL_USAGE;
    if (authorized_key_parse(slice_of(out), ret_key, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_USAGE;
    }
    return CTL_OK;
}

static int refuse_revoked(const struct ctl_trust_files *files, const struct any_key *key)
{
    struct revoked_keys revoked;
    struct diag diag;
    int r = trust_read_revoked(files->revoked, &revoked, &diag);
    if (r < 0) {
        ctl_say_refused(r, diag.text, "msgctl authorize --self KEY");
        return CTL_FAILED;
    }
    bool holds = revoked_keys_hold(&revoked, key);
    revoked_keys_free(&revoked);
    if (holds)
        log_error("the key is revoked in %s: take its line out there first", files->revoked);
    return holds ? CTL_FAILED : CTL_OK;
}

/* Whether the key stands in this file; what cannot be read is not this command's affair. */
static bool stands_in(const char *file, const struct any_key *key)
{
    struct authorized_keys keys;
    if (trust_read_authorized(file, &keys, NULL) < 0)
        return false;
    const struct authorized_key *line = authorized_keys_find(&keys, key);
    if (line)
        log_error("the key is in %s:%zu: give that file with --file, or take the line out there",
                  file, line->line);
    authorized_keys_free(&keys);
    return line;
}

/* A key in two files would be an error. */
static int refuse_twice(const struct ctl_trust_files *files, const struct any_key *key)
{
    struct key_folder folder;
    const char *file;
    bool found = !ctl_list_folder(files, &folder);
    for (size_t i = 0; !found && (file = ctl_key_file(files, &folder, i)); i++)
        found = strcmp(file, files->authorized) != 0 && stands_in(file, key);
    key_folder_free(&folder);
    return found ? CTL_FAILED : CTL_OK;
}

static void print_result(const struct ctl *ctl, const char *file, const char *line,
                         enum trust_edit edit)
{
    static const char *const words[] = {[TRUST_UNCHANGED] = "unchanged",
                                        [TRUST_ADDED] = "added",
                                        [TRUST_REPLACED] = "replaced",
                                        [TRUST_REMOVED] = "removed"};
    if (!ctl->json) {
        printf("%s: %s: %s\n", file, words[edit], line);
        return;
    }
    json_open(stdout);
    json_string(stdout, "key", slice_of(ctl->words[0]));
    json_string(stdout, "name", slice_of(ctl->words[1]));
    json_string(stdout, "result", slice_of(words[edit]));
    json_string(stdout, "file", slice_of(file));
    json_string(stdout, "line", slice_of(line));
    json_close(stdout);
}

static int wants(const char *what)
{
    log_error("authorize wants: %s", what);
    return CTL_USAGE;
}

int ctl_authorize(const struct ctl *ctl)
{
    struct ctl_trust_files files;
    struct authorized_key key;
    enum trust_edit edit;
    struct diag diag;
    char line[LIM_TRUST_LINE];
    if (ctl->given[CTL_SELF])
        return ctl_self_authorize(ctl);
    if (ctl->n_words < 2 || ctl->given[CTL_LIST] || ctl->given[CTL_SOCKET])
        return wants("KEY NAME, as administrator; or --self KEY, or --self --list, for yourself");
    if (ctl->given[CTL_CA] && !ctl->given[CTL_NAMES])
        return wants("with --ca also --names=LIST: whom the organisation may endorse, such as '*'");
    if (!ctl_find_trust_files(ctl, &files))
        return CTL_USAGE;
    int status = compose(ctl, line, sizeof(line), &key);
    status = status == CTL_OK ? refuse_revoked(&files, &key.key) : status;
    status = status == CTL_OK ? refuse_twice(&files, &key.key) : status;
    if (status != CTL_OK)
        return status;
    int r = trust_authorize(files.authorized, slice_of(line), &edit, &diag);
    if (r < 0) {
        ctl_say_refused(r, diag.text, "msgctl authorize --self KEY");
        return CTL_FAILED;
    }
    print_result(ctl, files.authorized, line, edit);
    if (authorized_key_expired(&key, (int64_t)time(NULL)))
        log_notice("the day of --expires is past: the key is not let in");
    if (!ctl->given[CTL_FILE])
        ctl_tcp_hint();
    return CTL_OK;
}
