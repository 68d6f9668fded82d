/* SPDX-License-Identifier: MIT */
#include "client/ctl_endorse.h"

#include "client/json.h"
#include "client/ssh_sign.h"
#include "common/date.h"
#include "common/endorsements.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"

#include <time.h>

#define VALIDITY (365 * 86400) /* seconds, where --expires says nothing */

/* ---- the statement ---------------------------------------------------------------------------- */

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

/* Whom a server should call the owner is its own line's to say: the name is for people. */
static bool find_name(const struct ctl *ctl, char out[static 256])
{
    if (ctl->given[CTL_NAMES])
        return snprintf(out, 256, "%s", ctl->given[CTL_NAMES]) < 256;
    if (ctl->given[CTL_HOST])
        return find_host_name(out);
    snprintf(out, 256, "self");
    return true;
}

static uint64_t milliseconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The statement's length; negative: it was said why not. */
static int compose(const struct ctl *ctl, const struct noise_public *key,
                   struct endorsement *ret_endorsement, char out[static ENDORSEMENT_STATEMENT])
{
    char name[256];
    uint64_t now = milliseconds();
    struct endorsement e = {.kind = ctl->given[CTL_HOST] ? ENDORSEMENT_HOST : ENDORSEMENT_USER,
                            .key = *key,
                            .serial = now,
                            .after = (int64_t)(now / 1000),
                            .before = (int64_t)(now / 1000) + VALIDITY};
    if (ctl->given[CTL_EXPIRES] &&
        date_parse_end(slice_of(ctl->given[CTL_EXPIRES]), &e.before) < 0) {
        log_error("--expires wants a date such as 2027-12-31");
        return -EINVAL;
    }
    if (!find_name(ctl, name)) {
        log_error("the name is too long; give another by --names");
        return -EINVAL;
    }
    e.names = slice_of(name);
    int len = endorsement_format(&e, out);
    if (len < 0)
        log_error("this cannot be said in an endorsement: names of a-z 0-9 . _ - (%s), and an end "
                  "that is still to come",
                  name);
    e.names = (struct slice){NULL, 0};
    *ret_endorsement = e;
    return len;
}

int ctl_key_statement(const struct ctl *ctl, const struct noise_public *key)
{
    char statement[ENDORSEMENT_STATEMENT];
    struct endorsement e;
    int len = compose(ctl, key, &e, statement);
    if (len < 0)
        return CTL_USAGE;
    fwrite(statement, 1, (size_t)len, stdout);
    return CTL_OK;
}

/* ---- signed, and kept ------------------------------------------------------------------------- */

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

static int tell_other_type(const struct ssh_signer *signer, const struct noise_public *key,
                           struct diag *ret_diag)
{
    char text[KEY_TEXT_LEN + 1];
    key_format(key, text);
    return diag_set(ret_diag, -EBADMSG,
                    "%.900s is no ssh-ed25519 key, and others (RSA, ECDSA, sk) cannot serve; make "
                    "one: ssh-keygen -t ed25519; or be listed without: msgctl authorize %s NAME",
                    signer->file, text);
}

/* What ssh-keygen made is read as a verifier will read it. */
static int judge(struct slice text, struct ssh_key *ret_signer)
{
    uint8_t entry[LIM_ENDORSEMENT];
    struct endorsed endorsed;
    size_t len = 0;
    const char *reason = NULL;
    if (endorsement_next(&text, entry, &len, &reason) != 1 ||
        endorsement_open((struct slice){(char *)entry, len}, &endorsed, &reason) < 0)
        return -EBADMSG;
    if (!endorsement_verify(&endorsed, NULL))
        return -EBADMSG;
    *ret_signer = endorsed.sig.key;
    return 0;
}

static void print_result(const struct ctl *ctl, const struct noise_public *key,
                         const struct ssh_key *signer, const struct endorsement *e,
                         const char *file)
{
    char key_text[KEY_TEXT_LEN + 1], signer_text[SSH_KEY_TEXT_LEN + 1], day[16];
    time_t last = (time_t)e->before - 1;
    struct tm tm;
    key_format(key, key_text);
    ssh_key_format(signer, signer_text);
    strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&last, &tm));
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

/* The statement in `text`, of len bytes, gets its signature behind it. */
static int sign(const struct ctl *ctl, const struct noise_public *key, char *text, size_t len,
                size_t *ret_len, struct ssh_key *ret_key, struct diag *ret_diag)
{
    const char *named = ctl->given[CTL_SSH_KEY];
    struct ssh_signer signer;
    size_t armour = 0;
    if (!named && ctl->given[CTL_HOST])
        named = SSH_HOST_KEY;
    int r = ssh_signer_find(named, &signer, ret_diag);
    if (r == 0)
        r = ssh_sign(&signer, ENDORSEMENT_NAMESPACE, (struct slice){text, len}, text + len,
                     ENDORSEMENT_TEXT_MAX, &armour, ret_diag);
    *ret_len = len + armour;
    if (r == 0 && judge((struct slice){text, *ret_len}, ret_key) < 0)
        r = tell_other_type(&signer, key, ret_diag);
    ssh_signer_end(&signer);
    return r;
}

int ctl_key_endorse(const struct ctl *ctl, const struct noise_public *key)
{
    char text[ENDORSEMENT_STATEMENT + ENDORSEMENT_TEXT_MAX], file[PATH_MAX];
    struct endorsement e;
    struct ssh_key signer;
    struct diag diag;
    size_t whole = 0;
    int len = compose(ctl, key, &e, text);
    if (len < 0)
        return CTL_USAGE;
    int r = find_file(ctl, file, &diag);
    r = r < 0 ? r : sign(ctl, key, text, (size_t)len, &whole, &signer, &diag);
    if (r == 0)
        r = endorsements_add(file, (struct slice){text, whole}, (int64_t)time(NULL),
                             ctl->given[CTL_HOST] ? 0644 : 0600, &diag);
    if (r < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    print_result(ctl, key, &signer, &e, file);
    return CTL_OK;
}
