/* SPDX-License-Identifier: MIT */
/*
 * msgctl ca sign: each user and host of a list gets an endorsement in a file of its own, and with
 * --into a tree of all that the hosts of a fleet need, the same for each.
 */
#include "client/ca_list.h"
#include "client/ca_tree.h"
#include "client/ctl_ca.h"
#include "client/endorse.h"
#include "client/endorse_many.h"
#include "client/json.h"
#include "common/file.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"

#include <limits.h>
#include <sys/stat.h>

#define VALIDITY (30 * 86400) /* seconds: short, since only a revocation ends it sooner */
#define LIST_MAX (1 << 20)

struct signing {
    const struct ctl *ctl;
    struct slice list;
    struct endorsement frame; /* serial of the first, and the time of all */
    struct endorse_many many;
    struct ca_tree tree;
};

/* ---- the list -------------------------------------------------------------------------------- */

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

/* The i-th of a checked list, as it is signed; false behind its end. */
static bool next(const struct signing *signing, struct lines *lines, size_t i,
                 struct endorsement *ret_endorsement)
{
    const char *reason;
    struct endorsement e;
    if (ca_list_next(lines, &e, &reason) <= 0)
        return false;
    e.serial = signing->frame.serial + i;
    e.after = signing->frame.after;
    e.before = signing->frame.before;
    *ret_endorsement = e;
    return true;
}

static int add_all(struct signing *signing, struct diag *ret_diag)
{
    struct lines lines = {.rest = signing->list};
    struct endorsement e;
    int r = 0;
    for (size_t i = 0; r == 0 && next(signing, &lines, i, &e); i++)
        r = endorse_many_add(&signing->many, &e, ret_diag);
    return r;
}

/* ---- what is written ------------------------------------------------------------------------- */

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
    int first = comma ? (int)(comma - e->names.ptr) : (int)e->names.len;
    char file[PATH_MAX];
    if (snprintf(file, sizeof(file), "%s/%s-%.*s-%llu", folder,
                 e->kind == ENDORSEMENT_HOST ? "host" : "user", first, e->names.ptr,
                 (unsigned long long)e->serial) >= PATH_MAX)
        return diag_errno(ret_diag, -ENAMETOOLONG, folder);
    int r = file_replace(file, text, 0644, ret_diag);
    if (r == 0)
        print_signed(ctl, e, file);
    return r;
}

static int take_all(struct signing *signing, struct diag *ret_diag)
{
    struct lines lines = {.rest = signing->list};
    struct endorsement e;
    char text[ENDORSEMENT_TEXT_MAX];
    size_t len = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && next(signing, &lines, i, &e); i++) {
        r = endorse_many_take(&signing->many, i, text, &len, &signing->tree.key, ret_diag);
        struct slice signed_text = {text, len};
        r = r < 0 ? r : write_signed(signing->ctl, &e, signed_text, ret_diag);
        if (r == 0)
            ca_tree_add(&signing->tree, e.kind, signed_text);
    }
    return r;
}

static void print_tree(const struct ctl *ctl)
{
    const char *folder = ctl->given[CTL_INTO];
    if (!ctl->json)
        printf("All that a host needs, the same for each, is in %s/etc; to bring it there: "
               "scp -qr %s/etc root@HOST:/\n",
               folder, folder);
}

/* A folder that is not there is made; what stands in it already is kept. */
static int begin(struct signing *signing, struct diag *ret_diag)
{
    const struct ctl *ctl = signing->ctl;
    const char *folder = ctl->given[CTL_INTO];
    if (endorse_time(&signing->frame, ctl->given[CTL_EXPIRES], VALIDITY) < 0)
        return diag_set(ret_diag, -EINVAL, "--expires wants a date to come, such as 2027-12-31");
    signing->frame.serial = endorse_serial();
    if (folder && mkdir(folder, 0755) < 0 && errno != EEXIST)
        return diag_errno(ret_diag, mem_errno(), folder);
    int r = ca_tree_begin(&signing->tree, ret_diag);
    return r < 0 ? r : endorse_many_begin(&signing->many, ret_diag);
}

static int sign_all(struct signing *signing, const struct ssh_signer *signer, struct diag *ret_diag)
{
    const struct ctl *ctl = signing->ctl;
    int r = begin(signing, ret_diag);
    r = r < 0 ? r : add_all(signing, ret_diag);
    r = r < 0 ? r : endorse_many_sign(&signing->many, signer, ret_diag);
    r = r < 0 ? r : take_all(signing, ret_diag);
    if (r == 0 && ctl->given[CTL_INTO]) {
        r = ca_tree_write(&signing->tree, ctl->given[CTL_INTO], ret_diag);
        if (r == 0)
            print_tree(ctl);
    }
    endorse_many_end(&signing->many);
    ca_tree_end(&signing->tree);
    return r;
}

int ctl_ca_sign(const struct ctl *ctl)
{
    const char *file = ctl->words[1];
    CLEANUP_FREE char *list = NULL;
    struct ssh_signer signer = {.temporary = false};
    struct diag diag;
    size_t len = 0;
    if (!ctl->given[CTL_SSH_KEY]) { /* else one's own key would sign */
        log_error(
            "ca sign wants --ssh-key=FILE, the organisation's, which msgctl ca make FILE makes");
        return CTL_USAGE;
    }
    int r = file_read(file, FILE_ANY, LIST_MAX, &list, &len, NULL, &diag);
    struct signing signing = {.ctl = ctl, .list = {list, len}};
    r = r < 0 ? r : check_list(file, signing.list, &diag);
    r = r < 0 ? r : ssh_signer_find(ctl->given[CTL_SSH_KEY], &signer, &diag);
    r = r < 0 ? r : sign_all(&signing, &signer, &diag);
    ssh_signer_end(&signer);
    if (r < 0)
        log_error("%s", diag.text);
    return r == 0 ? CTL_OK : r == -EINVAL ? CTL_USAGE : CTL_FAILED;
}
