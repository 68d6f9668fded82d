/* SPDX-License-Identifier: MIT */
/*
 * msgctl revoke: the key is first entered in revoked_keys, which ends its connections, and then
 * taken out of authorized_keys. Whatever fails in between, the key stays refused.
 */
#include "client/ctl_host.h"
#include "client/ctl_trust_files.h"
#include "client/json.h"
#include "common/enrolled.h"
#include "common/log.h"
#include "common/text.h"
#include "common/trust_edit.h"
#include "common/values.h"

#include <string.h>

static void print_result(const struct ctl *ctl, const struct ctl_trust_files *files,
                         const char *key, const char *name, bool added, bool removed)
{
    if (!ctl->json) {
        printf("%s%s%s is %srevoked (%s)%s%s\n", key, *name ? " " : "", name,
               added ? "" : "already ", files->revoked, removed ? ", taken out of " : "",
               removed ? files->authorized : "");
        return;
    }
    json_open(stdout);
    json_string(stdout, "key", slice_of(key));
    json_string(stdout, "name", slice_of(name));
    json_bool(stdout, "added", added);
    json_bool(stdout, "removed", removed);
    json_string(stdout, "file", slice_of(files->revoked));
    json_close(stdout);
}

/* With --serial the key itself stays, and so does its line. */
static int revoke(const struct ctl *ctl, const struct ctl_trust_files *files,
                  const struct any_key *key, const char *name)
{
    const char *serial = ctl->given[CTL_SERIAL];
    enum trust_edit added, removed = TRUST_UNCHANGED;
    struct diag diag;
    char text[LIM_TRUST_LINE], line[LIM_TRUST_LINE], plain[ANY_KEY_TEXT_LEN + 1];
    any_key_format(key, plain);
    snprintf(text, sizeof(text), "%s%.32s%s%s", serial ? "serial:" : "", serial ? serial : "",
             serial ? " " : "", plain);
    snprintf(line, sizeof(line), "%.1024s%s%s", text, *name ? " " : "", name);
    if (trust_revoke(files->revoked, slice_of(line), &added, &diag) < 0 ||
        (!serial && trust_remove(files->authorized, key, &removed, &diag) < 0)) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    print_result(ctl, files, text, name, added == TRUST_ADDED, removed == TRUST_REMOVED);
    return CTL_OK;
}

/* Every key with the name in one table; how many there were. */
static size_t revoke_those(const struct ctl *ctl, const struct ctl_trust_files *files,
                           const struct authorized_keys *keys, int *status)
{
    size_t found = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct authorized_key *key = &keys->keys[i];
        if (strcmp(key->name, ctl->words[0]) != 0)
            continue;
        found++;
        if (revoke(ctl, files, &key->key, key->name) != CTL_OK)
            *status = CTL_FAILED;
    }
    return found;
}

/* Keys that invitations brought; nobody's where another authorized_keys is meant. */
static bool read_enrolled(const struct ctl *ctl, struct enrolled *ret_enrolled)
{
    struct config config;
    struct diag diag;
    *ret_enrolled = (struct enrolled){.used = NULL};
    if (ctl->given[CTL_FILE] && !ctl->given[CTL_ENROLLED])
        return true;
    if (!ctl_host_config(ctl, &config))
        return false;
    int r = enrolled_read(config.enrolled, ret_enrolled, &diag);
    if (r < 0)
        log_error("%s", diag.text);
    return r == 0;
}

/* All are tried. */
static int revoke_name(const struct ctl *ctl, const struct ctl_trust_files *files,
                       const struct authorized_keys *keys)
{
    struct enrolled enrolled;
    int status = read_enrolled(ctl, &enrolled) ? CTL_OK : CTL_FAILED;
    size_t found = revoke_those(ctl, files, keys, &status);
    found += revoke_those(ctl, files, &enrolled.keys, &status);
    enrolled_free(&enrolled);
    if (found)
        return status;
    log_error("%s has no key of the name %s", files->authorized, ctl->words[0]);
    return CTL_FAILED;
}

/* With a broken authorized_keys a key is revoked all the same; then taking it out there fails. */
static int revoke_key(const struct ctl *ctl, const struct ctl_trust_files *files,
                      const struct authorized_keys *keys, const struct any_key *key)
{
    const struct authorized_key *line = authorized_keys_find(keys, key);
    return revoke(ctl, files, key, line ? line->name : "");
}

static bool is_number(const struct ctl *ctl)
{
    uint64_t number;
    return value_number(slice_of(ctl->given[CTL_SERIAL]), &number) == 0;
}

int ctl_revoke(const struct ctl *ctl)
{
    struct ctl_trust_files files;
    struct authorized_keys keys = {0};
    struct any_key key;
    struct diag diag;
    struct slice word = slice_of(ctl->words[0]), rest = word;
    bool is_key = any_key_take(&rest, &key) == 0;
    if (!is_key && !text_is_name(word)) {
        log_error("neither a key, x25519: and 43 characters or ssh-ed25519 and 68, nor a name: %s",
                  ctl->words[0]);
        return CTL_USAGE;
    }
    if (ctl->given[CTL_SERIAL] && (!is_key || key.kind != ANY_KEY_SSH || !is_number(ctl))) {
        log_error("--serial wants a number, and with it the ssh-ed25519 key that has endorsed");
        return CTL_USAGE;
    }
    if (!ctl_find_trust_files(ctl, &files))
        return CTL_USAGE;
    if (trust_read_authorized(files.authorized, &keys, &diag) < 0 && !is_key) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    int status = is_key ? revoke_key(ctl, &files, &keys, &key) : revoke_name(ctl, &files, &keys);
    authorized_keys_free(&keys);
    return status;
}
