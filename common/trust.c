/* SPDX-License-Identifier: MIT */
#include "common/trust.h"

#include "common/file.h"
#include "common/keys.h"
#include "common/mem.h"
#include "common/revoked_keys.h"

/* A file as it was when it was looked at last. */
struct watched {
    char *path;
    bool looked;
    bool unread;    /* it could not be read just then: to be read again, changed or not */
    struct stat st; /* zero where the file is not there */
    int state;      /* 0, or the negative errno of the last reading, told by diag */
    bool told;
    struct diag diag;
};

struct trust {
    struct watched authorized_file, enrolled_file, revoked_file;
    struct authorized_keys authorized; /* root's word, which goes before */
    struct enrolled enrolled;
    struct revoked_keys revoked;
    bool looked;
    uint64_t looked_ms;
    struct endorsement_cache cache;
};

int trust_new(struct trust **ret_trust, const char *authorized, const char *enrolled,
              const char *revoked)
{
    struct trust *trust = calloc(1, sizeof(*trust));
    if (!trust)
        return -ENOMEM;
    /* Until it was read nobody can know who is revoked. */
    trust->revoked_file.state = -EAGAIN;
    trust->revoked_file.told = true;
    trust->authorized_file.path = strdup(authorized);
    trust->enrolled_file.path = strdup(enrolled);
    trust->revoked_file.path = strdup(revoked);
    if (!trust->authorized_file.path || !trust->enrolled_file.path || !trust->revoked_file.path) {
        trust_free(trust);
        return -ENOMEM;
    }
    *ret_trust = trust;
    return 0;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    authorized_keys_free(&trust->authorized);
    enrolled_free(&trust->enrolled);
    revoked_keys_free(&trust->revoked);
    free(trust->authorized_file.path);
    free(trust->enrolled_file.path);
    free(trust->revoked_file.path);
    free(trust);
}

static bool has_changed(struct watched *file)
{
    struct stat st;
    if (stat(file->path, &st) < 0)
        memset(&st, 0, sizeof(st));
    bool changed = !file->looked || file->unread || !file_same(&st, &file->st);
    file->looked = true;
    file->st = st;
    return changed;
}

/* No fault of the file's, and gone perhaps a second later. */
static bool is_transient(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EINTR ||
           error == -EIO;
}

/* Reads a file that has changed; a missing one has no text. The outcome is file->state. */
static void read_watched(struct watched *file, char **ret_text, size_t *ret_len)
{
    int before = file->state;

    file->state = file_read(file->path, FILE_TRUSTED, LIM_TRUST_FILE, ret_text, ret_len, &file->st,
                            &file->diag);
    file->unread = is_transient(file->state);
    file->told = file->told && file->unread && file->state == before;
    if (file->state == -ENOENT)
        file->state = 0;
}

static bool refresh_authorized(struct trust *trust)
{
    struct watched *file = &trust->authorized_file;
    struct authorized_keys keys;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (!has_changed(file))
        return false;
    read_watched(file, &text, &len);
    if (file->state == 0)
        file->state =
            authorized_keys_parse(file->path, (struct slice){text, len}, &keys, &file->diag);
    if (file->state < 0)
        return false;
    authorized_keys_free(&trust->authorized);
    trust->authorized = keys;
    return true;
}

static bool refresh_enrolled(struct trust *trust)
{
    struct watched *file = &trust->enrolled_file;
    struct enrolled enrolled;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (!has_changed(file))
        return false;
    read_watched(file, &text, &len);
    if (file->state == 0)
        file->state = enrolled_parse(file->path, (struct slice){text, len}, &enrolled, &file->diag);
    if (file->state < 0)
        return false;
    enrolled_free(&trust->enrolled);
    trust->enrolled = enrolled;
    return true;
}

static bool refresh_revoked(struct trust *trust)
{
    struct watched *file = &trust->revoked_file;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (!has_changed(file))
        return false;
    read_watched(file, &text, &len);
    revoked_keys_free(&trust->revoked);
    if (file->state == 0)
        file->state =
            revoked_keys_parse(file->path, (struct slice){text, len}, &trust->revoked, &file->diag);
    return true;
}

bool trust_refresh(struct trust *trust, uint64_t now_ms, bool force)
{
    if (!force && trust->looked && now_ms - trust->looked_ms < LIM_FILE_RECHECK)
        return false;
    trust->looked = true;
    trust->looked_ms = now_ms;
    bool authorized = refresh_authorized(trust), enrolled = refresh_enrolled(trust);
    bool revoked = refresh_revoked(trust);
    return authorized || enrolled || revoked;
}

const char *trust_problem(struct trust *trust, bool *ret_new)
{
    struct watched *files[] = {&trust->authorized_file, &trust->enrolled_file,
                               &trust->revoked_file};
    const char *standing = NULL;
    *ret_new = false;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (files[i]->state == 0 || !files[i]->looked)
            continue;
        standing = files[i]->diag.text;
        *ret_new = !files[i]->told;
        files[i]->told = true;
        if (*ret_new)
            break;
    }
    return standing;
}

/* ---- judging ------------------------------------------------------------------------------------
 */

static const struct authorized_key *find_line(const struct trust *trust, const struct any_key *key)
{
    const struct authorized_key *line = authorized_keys_find(&trust->authorized, key);
    return line ? line : authorized_keys_find(&trust->enrolled.keys, key);
}

bool trust_knows(const struct trust *trust, const struct noise_public *key)
{
    const struct any_key any = any_key_static(key);
    return find_line(trust, &any) != NULL;
}

const struct enrolled *trust_enrolled(const struct trust *trust)
{
    return &trust->enrolled;
}

static enum trust_verdict judge_line(const struct authorized_key *line,
                                     const struct sockaddr *address, int64_t now_s)
{
    if (!line || (address && !authorized_key_from(line, address)))
        return TRUST_UNAUTHORIZED;
    return authorized_key_expired(line, now_s) ? TRUST_EXPIRED : TRUST_ACCEPTED;
}

/* A person's ssh key speaks for himself and gives nothing; an organisation's, for whom it may. */
static bool may_sign(const struct authorized_key *line, const struct trust_claim *claim)
{
    return line->ca ? authorized_key_endorses(line, slice_of(claim->name)) : claim->perm == 0;
}

static enum trust_verdict judge_signer(const struct trust *trust, const struct trust_claim *claim,
                                       const struct sockaddr *address, int64_t now_s,
                                       struct trust_grant *ret_grant)
{
    const struct endorsement time = {.after = claim->after, .before = claim->before};
    const struct authorized_key *line = authorized_keys_find(&trust->authorized, &claim->signer);

    if (revoked_keys_hold(&trust->revoked, &claim->signer) ||
        revoked_keys_hold_serial(&trust->revoked, &claim->signer, claim->serial))
        return TRUST_REVOKED;
    enum trust_verdict verdict = judge_line(line, address, now_s);
    if (verdict != TRUST_ACCEPTED)
        return verdict;
    if (!may_sign(line, claim))
        return TRUST_UNAUTHORIZED;
    if (endorsement_time(&time, now_s) < 0)
        return TRUST_EXPIRED;
    *ret_grant = (struct trust_grant){.line = line, .perm = line->ca ? claim->perm : PERM_EVERY};
    return TRUST_ACCEPTED;
}

enum trust_verdict trust_judge(const struct trust *trust, const struct noise_public *key,
                               const struct trust_claim *claim, const struct sockaddr *address,
                               int64_t now_s, struct trust_grant *ret_grant)
{
    const struct any_key any = any_key_static(key);
    struct trust_grant grant = {0};
    enum trust_verdict verdict;

    if (trust->revoked_file.state < 0 || revoked_keys_hold(&trust->revoked, &any))
        return TRUST_REVOKED;
    if (claim->endorsed) {
        verdict = judge_signer(trust, claim, address, now_s, &grant);
    } else {
        grant.line = find_line(trust, &any);
        grant.perm = PERM_EVERY;
        verdict = judge_line(grant.line, address, now_s);
    }
    if (verdict == TRUST_ACCEPTED && ret_grant)
        *ret_grant = grant;
    return verdict;
}

/* What an entry claims, whoever signed it; false if it says nothing about this key. */
static bool read_claim(struct slice entry, const struct noise_public *key,
                       struct endorsed *ret_endorsed, struct trust_claim *ret_claim)
{
    const char *reason;

    if (endorsement_open(entry, ret_endorsed, &reason) < 0)
        return false;
    const struct endorsement *is = &ret_endorsed->is;
    if (is->kind != ENDORSEMENT_USER || !key_equal(&is->key, key))
        return false;
    *ret_claim = (struct trust_claim){.endorsed = true,
                                      .signer = any_key_ssh(&ret_endorsed->sig.key),
                                      .serial = is->serial,
                                      .after = is->after,
                                      .before = is->before,
                                      .perm = is->perm};
    memcpy(ret_claim->name, is->names.ptr, is->names.len);
    return true;
}

/* The signature comes last: who is signed for by nobody we trust costs no verification. */
static enum trust_verdict admit_endorsed(struct trust *trust, const struct noise_public *key,
                                         struct slice entry, const struct sockaddr *address,
                                         int64_t now_s, struct trust_claim *claim,
                                         struct trust_grant *grant)
{
    struct endorsed endorsed;

    if (!read_claim(entry, key, &endorsed, claim))
        return TRUST_UNAUTHORIZED;
    enum trust_verdict verdict = trust_judge(trust, key, claim, address, now_s, grant);
    if (verdict == TRUST_UNAUTHORIZED || endorsement_verify(&endorsed, &trust->cache))
        return verdict;
    return TRUST_UNAUTHORIZED;
}

enum trust_verdict trust_admit(struct trust *trust, const struct noise_public *key,
                               const struct slice_list *end, const struct sockaddr *address,
                               int64_t now_s, struct trust_claim *ret_claim,
                               struct trust_grant *ret_grant)
{
    struct trust_claim claim = {0};
    struct trust_grant grant;
    enum trust_verdict verdict = trust_judge(trust, key, &claim, address, now_s, &grant);
    bool is_out = verdict == TRUST_REVOKED; /* the key itself: nothing speaks for it */

    for (size_t i = 0; i < end->n && verdict != TRUST_ACCEPTED && !is_out; i++) {
        enum trust_verdict next =
            admit_endorsed(trust, key, end->items[i], address, now_s, &claim, &grant);
        verdict = next == TRUST_ACCEPTED || next > verdict ? next : verdict; /* or the most told */
    }
    if (verdict == TRUST_ACCEPTED) {
        *ret_claim = claim;
        *ret_grant = grant;
    }
    return verdict;
}
