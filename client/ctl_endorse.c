/* SPDX-License-Identifier: MIT */
#include "client/ctl_endorse.h"

#include "client/endorse.h"
#include "client/json.h"
#include "common/endorsements.h"
#include "common/file.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"

#include <time.h>

#define VALIDITY (365 * 86400) /* seconds, where --expires says nothing */

/* ---- the statement --------------------------------------------------------------------------- */

/* This host's name, in lower case: what its users type, unless --names says otherwise. */
static bool find_host_name(char out[static 256])
{
    if (gethostname(out, 256) < 0 || !memchr(out, '\0', 256))
        return false;
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    return true;
}

bool ctl_endorse_host_name(const struct ctl *ctl, char out[static 256])
{
    if (ctl->given[CTL_NAMES])
        return snprintf(out, 256, "%s", ctl->given[CTL_NAMES]) < 256;
    return find_host_name(out);
}

/* Whom a server should call the owner is its own line's to say: the name is for people. */
static bool find_name(const struct ctl *ctl, char out[static 256])
{
    if (ctl->given[CTL_NAMES] || ctl->given[CTL_HOST])
        return ctl_endorse_host_name(ctl, out);
    snprintf(out, 256, "self");
    return true;
}

/* name is borrowed by the endorsement. False: it was said why not. */
static bool compose(const struct ctl *ctl, const struct noise_public *key, char name[static 256],
                    struct endorsement *ret_endorsement)
{
    struct endorsement e = {.kind = ctl->given[CTL_HOST] ? ENDORSEMENT_HOST : ENDORSEMENT_USER,
                            .key = *key,
                            .serial = endorse_serial()};
    if (endorse_time(&e, ctl->given[CTL_EXPIRES], VALIDITY) < 0) {
        log_error("--expires wants a date to come, such as 2027-12-31");
        return false;
    }
    if (!find_name(ctl, name)) {
        log_error("the name is too long; give another by --names");
        return false;
    }
    e.names = slice_of(name);
    *ret_endorsement = e;
    return true;
}

int ctl_key_statement(const struct ctl *ctl, const struct noise_public *key)
{
    char statement[ENDORSEMENT_STATEMENT], name[256];
    struct endorsement e;
    if (!compose(ctl, key, name, &e))
        return CTL_USAGE;
    int len = endorsement_format(&e, statement);
    if (len < 0) {
        log_error("names are of a-z 0-9 . _ - and not %s", name);
        return CTL_USAGE;
    }
    fwrite(statement, 1, (size_t)len, stdout);
    return CTL_OK;
}

/* ---- signed, and kept ------------------------------------------------------------------------ */

static int find_file(const struct ctl *ctl, char out[static PATH_MAX], struct diag *ret_diag)
{
    struct paths paths;
    const char *named = ctl->given[CTL_INTO];
    if (!named && ctl->given[CTL_HOST])
        named = HOST_ENDORSEMENTS;
    if (named)
        return snprintf(out, PATH_MAX, "%s", named) < PATH_MAX
                   ? 0
                   : diag_errno(ret_diag, -ENAMETOOLONG, "--into");
    int r = paths_find(NULL, &paths, ret_diag);
    if (r == 0)
        memcpy(out, paths.endorsements, sizeof(paths.endorsements));
    return r;
}

static void print_result(const struct ctl *ctl, const struct endorsement *e,
                         const struct ssh_key *signer, const char *file)
{
    char key_text[KEY_TEXT_LEN + 1], signer_text[SSH_KEY_TEXT_LEN + 1], day[ENDORSE_DAY];
    key_format(&e->key, key_text);
    ssh_key_format(signer, signer_text);
    endorse_last_day(e, day);
    if (!ctl->json) {
        printf("%s is endorsed by %s until %s (%s)\n", key_text, signer_text, day, file);
        return;
    }
    json_open(stdout);
    json_string(stdout, "key", slice_of(key_text));
    json_string(stdout, "signer", slice_of(signer_text));
    json_number(stdout, "serial", e->serial);
    json_string(stdout, "expires", slice_of(day));
    json_string(stdout, "file", slice_of(file));
    json_close(stdout);
}

static int keep(const struct ctl *ctl, struct slice text, const struct endorsement *e,
                const struct ssh_key *signer)
{
    char file[PATH_MAX];
    struct diag diag;
    int r = find_file(ctl, file, &diag);
    if (r == 0)
        r = endorsements_add(file, text, (int64_t)time(NULL), ctl->given[CTL_HOST] ? 0644 : 0600,
                             &diag);
    if (r < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    print_result(ctl, e, signer, file);
    return CTL_OK;
}

int ctl_key_endorse(const struct ctl *ctl, const struct noise_public *key)
{
    const char *named = ctl->given[CTL_SSH_KEY];
    char text[ENDORSEMENT_TEXT_MAX], name[256];
    struct endorsement e;
    struct ssh_signer signer;
    struct ssh_key signed_by;
    struct diag diag;
    size_t len = 0;
    if (!compose(ctl, key, name, &e))
        return CTL_USAGE;
    if (!named && ctl->given[CTL_HOST])
        named = SSH_HOST_KEY;
    int r = ssh_signer_find(named, &signer, &diag);
    r = r < 0 ? r : endorse_sign(&signer, &e, text, &len, &signed_by, &diag);
    ssh_signer_end(&signer);
    if (r == 0)
        return keep(ctl, (struct slice){text, len}, &e, &signed_by);
    log_error("%s", diag.text);
    return r == -EINVAL ? CTL_USAGE : CTL_FAILED;
}

/* ---- made by another ------------------------------------------------------------------------- */

static int tell_own_key(const struct noise_public *key, struct diag *ret_diag)
{
    char text[KEY_TEXT_LEN + 1];
    key_format(key, text);
    return diag_set(ret_diag, -EBADMSG,
                    "it endorses another key than this one, which is %s: have that signed", text);
}

static int judge(const struct ctl *ctl, const struct endorsed *endorsed,
                 const struct noise_public *key, struct diag *ret_diag)
{
    enum endorsement_kind kind = ctl->given[CTL_HOST] ? ENDORSEMENT_HOST : ENDORSEMENT_USER;
    if (!endorsement_verify(endorsed, NULL))
        return diag_set(ret_diag, -EBADMSG,
                        "the signature is not of that statement: it was changed since; ask for "
                        "another");
    if (!key_equal(&endorsed->is.key, key))
        return tell_own_key(key, ret_diag);
    if (endorsed->is.kind != kind)
        return diag_set(ret_diag, -EBADMSG, "it is of a %s",
                        kind == ENDORSEMENT_HOST ? "user; leave --host out"
                                                 : "host; that wants --host");
    if (endorsement_time(&endorsed->is, (int64_t)time(NULL)) == -ETIME)
        return diag_set(ret_diag, -EBADMSG, "its time is over; have the key signed anew");
    return 0;
}

int ctl_key_endorsed(const struct ctl *ctl, const struct noise_public *key)
{
    const char *file = ctl->words[1], *reason = NULL;
    CLEANUP_FREE char *text = NULL;
    uint8_t entry[LIM_ENDORSEMENT];
    struct endorsed endorsed;
    struct diag diag;
    size_t len = 0, entry_len = 0;
    int r = file_read(file, FILE_ANY, LIM_CONFIG_FILE, &text, &len, NULL, &diag);
    struct slice rest = {text, len};
    if (r == 0 &&
        (endorsement_next(&rest, entry, &entry_len, &reason) <= 0 ||
         endorsement_open((struct slice){(char *)entry, entry_len}, &endorsed, &reason) < 0))
        r = diag_set(&diag, -EBADMSG, "%s", reason ? reason : "it is empty");
    r = r < 0 ? r : judge(ctl, &endorsed, key, &diag);
    if (r == 0)
        return keep(ctl, (struct slice){text, len - rest.len}, &endorsed.is, &endorsed.sig.key);
    log_error("%s%s%s", r == -EBADMSG ? file : "", r == -EBADMSG ? ": " : "", diag.text);
    return CTL_FAILED;
}
