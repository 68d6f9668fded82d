/* SPDX-License-Identifier: MIT */
/*
 * msgctl revoke: the key is first entered in revoked_keys, which ends its connections, and then
 * taken out of authorized_keys and of the files in its folder. Whatever fails in between, the key
 * stays refused.
 */
#include "client/ctl_host.h"
#include "client/ctl_self.h"
#include "client/ctl_trust_files.h"
#include "client/json.h"
#include "common/enrolled.h"
#include "common/granted.h"
#include "common/log.h"
#include "common/text.h"
#include "common/trust_edit.h"

#include <inttypes.h>
#include <string.h>

/* What is done, and to what; removed: from how many files, the last of which is named. */
struct revoking {
    const struct ctl *ctl;
    uint64_t serial; /* with --serial */
    struct ctl_trust_files files;
    struct key_folder folder;
    bool added;
    unsigned removed;
    const char *file;
};

static void print_result(const struct revoking *doing, const char *key, const char *name)
{
    if (!doing->ctl->json) {
        printf("%s%s%s is %srevoked (%s)%s%s\n", key, *name ? " " : "", name,
               doing->added ? "" : "already ", doing->files.revoked,
               doing->removed ? ", taken out of " : "", doing->removed ? doing->file : "");
        return;
    }
    json_open(stdout);
    json_string(stdout, "key", slice_of(key));
    json_string(stdout, "name", slice_of(name));
    json_bool(stdout, "added", doing->added);
    json_bool(stdout, "removed", doing->removed > 0);
    json_string(stdout, "file", slice_of(doing->files.revoked));
    json_close(stdout);
}

/* Out of every file that has it; all are tried. */
static int take_out(struct revoking *doing, const struct any_key *key)
{
    const char *file;
    int status = CTL_OK;
    for (size_t i = 0; (file = ctl_key_file(&doing->files, &doing->folder, i)); i++) {
        enum trust_edit edit = TRUST_UNCHANGED;
        struct diag diag;
        if (trust_remove(file, key, &edit, &diag) < 0) {
            log_error("%s", diag.text);
            status = CTL_FAILED;
        } else if (edit == TRUST_REMOVED) {
            doing->removed++;
            doing->file = file;
        }
    }
    return status;
}

/* With --serial the key itself stays, and so does its line. */
static int revoke(struct revoking *doing, const struct any_key *key, const char *name)
{
    const bool by_serial = doing->ctl->given[CTL_SERIAL];
    enum trust_edit added;
    struct diag diag;
    char serial[32] = "", text[sizeof(serial) + ANY_KEY_TEXT_LEN], plain[ANY_KEY_TEXT_LEN + 1];
    char line[sizeof(text) + 1 + LIM_NAME];
    any_key_format(key, plain);
    if (by_serial)
        snprintf(serial, sizeof(serial), "serial:%" PRIu64 " ", doing->serial);
    snprintf(text, sizeof(text), "%s%s", serial, plain);
    snprintf(line, sizeof(line), "%s%s%s", text, *name ? " " : "", name);
    int r = trust_revoke(doing->files.revoked, slice_of(line), &added, &diag);
    if (r < 0) {
        ctl_say_refused(r, diag.text, "msgctl revoke --self KEY");
        return CTL_FAILED;
    }
    doing->added = added == TRUST_ADDED;
    doing->removed = 0;
    int status = by_serial ? CTL_OK : take_out(doing, key);
    if (status == CTL_OK)
        print_result(doing, text, name);
    return status;
}

/* Every key with the name in one table; how many there were. */
static size_t revoke_those(struct revoking *doing, const struct authorized_keys *keys, int *status)
{
    size_t found = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct authorized_key *key = &keys->keys[i];
        if (strcmp(key->name, doing->ctl->words[0]) != 0)
            continue;
        found++;
        if (revoke(doing, &key->key, key->name) != CTL_OK)
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

static size_t revoke_in_files(struct revoking *doing, int *status)
{
    const char *file;
    size_t found = 0;
    for (size_t i = 0; (file = ctl_key_file(&doing->files, &doing->folder, i)); i++) {
        struct authorized_keys keys;
        struct diag diag;
        if (trust_read_authorized(file, &keys, &diag) < 0) {
            log_error("%s", diag.text);
            *status = CTL_FAILED;
            continue;
        }
        found += revoke_those(doing, &keys, status);
        authorized_keys_free(&keys);
    }
    return found;
}

/* Keys that a user of that name authorized for himself; how many there were. */
static size_t revoke_own(struct revoking *doing, int *status)
{
    const struct ctl *ctl = doing->ctl;
    struct granted granted = {.keys = NULL};
    struct config config;
    struct diag diag;
    size_t found = 0;
    if (ctl->given[CTL_FILE] && !ctl->given[CTL_GRANTED])
        return 0;
    if (!ctl_host_config(ctl, &config)) {
        *status = CTL_FAILED;
        return 0;
    }
    if (granted_read(config.granted, &granted, &diag) < 0) {
        log_error("%s", diag.text);
        *status = CTL_FAILED;
    }
    for (size_t i = 0; i < granted.count; i++) {
        const struct any_key key = any_key_static(&granted.keys[i].key);
        if (strcmp(granted.keys[i].name, ctl->words[0]) != 0)
            continue;
        found++;
        if (revoke(doing, &key, ctl->words[0]) != CTL_OK)
            *status = CTL_FAILED;
    }
    granted_free(&granted);
    return found;
}

/*
 * Whoever is endorsed has no line of his own that could be taken out: it is said who can endorse
 * him.
 */
static void warn_of_organisations(const struct revoking *doing)
{
    const char *file, *name = doing->ctl->words[0];
    char text[ANY_KEY_TEXT_LEN + 1];
    for (size_t i = 0; (file = ctl_key_file(&doing->files, &doing->folder, i)); i++) {
        struct authorized_keys keys;
        if (trust_read_authorized(file, &keys, NULL) < 0)
            continue;
        for (size_t k = 0; k < keys.count; k++) {
            const struct authorized_key *key = &keys.keys[k];
            if (!key->ca || !authorized_key_endorses(key, slice_of(name)))
                continue;
            any_key_format(&key->key, text);
            log_warning(
                "%s:%zu: the organisation there may have endorsed %s by other keys, which "
                "are not revoked; by an endorsement's serial: msgctl revoke '%s' --serial=N",
                file, key->line, name, text);
        }
        authorized_keys_free(&keys);
    }
}

/* All are tried. */
static int revoke_name(struct revoking *doing)
{
    struct enrolled enrolled;
    int status = read_enrolled(doing->ctl, &enrolled) ? CTL_OK : CTL_FAILED;
    size_t found = revoke_in_files(doing, &status);
    found += revoke_those(doing, &enrolled.keys, &status);
    enrolled_free(&enrolled);
    found += revoke_own(doing, &status);
    warn_of_organisations(doing);
    if (found)
        return status;
    log_error("%s has no key of the name %s%s", doing->files.base, doing->ctl->words[0],
              doing->folder.count ? ", nor has its folder" : "");
    return CTL_FAILED;
}

/* With a broken authorized_keys a key is revoked all the same; then taking it out there fails. */
static int revoke_key(struct revoking *doing, const struct any_key *key)
{
    const char *file;
    char name[LIM_NAME + 1] = "";
    for (size_t i = 0; !*name && (file = ctl_key_file(&doing->files, &doing->folder, i)); i++) {
        struct authorized_keys keys;
        if (trust_read_authorized(file, &keys, NULL) < 0)
            continue;
        const struct authorized_key *line = authorized_keys_find(&keys, key);
        if (line)
            memcpy(name, line->name, sizeof(name));
        authorized_keys_free(&keys);
    }
    return revoke(doing, key, name);
}

static bool is_sound(const struct ctl *ctl, bool is_key, const struct any_key *key,
                     uint64_t *ret_serial)
{
    const char *serial = ctl->given[CTL_SERIAL];
    if (!is_key && !text_is_name(slice_of(ctl->words[0]))) {
        log_error("neither a key, x25519: and 43 characters or ssh-ed25519 and 68, nor a name: %s",
                  ctl->words[0]);
        return false;
    }
    if (serial && (!is_key || key->kind != ANY_KEY_SSH ||
                   !slice_number(slice_of(serial), UINT64_MAX, ret_serial))) {
        log_error("--serial wants a number, and with it the ssh-ed25519 key that has endorsed");
        return false;
    }
    return true;
}

int ctl_revoke(const struct ctl *ctl)
{
    struct revoking doing = {.ctl = ctl};
    struct any_key key = {0};
    struct slice word = slice_of(ctl->words[0]);
    if (ctl->given[CTL_SELF])
        return ctl_self_revoke(ctl);
    bool is_key = any_key_take(&word, &key) == 0;
    if (!is_sound(ctl, is_key, &key, &doing.serial) || !ctl_find_trust_files(ctl, &doing.files))
        return CTL_USAGE;
    bool listed = ctl_list_folder(&doing.files, &doing.folder);
    int status = is_key ? revoke_key(&doing, &key) : revoke_name(&doing);
    key_folder_free(&doing.folder);
    return listed ? status : CTL_FAILED;
}
