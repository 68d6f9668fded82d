/* SPDX-License-Identifier: MIT */
#include "common/trust.h"

#include "common/authorized_files.h"
#include "common/keys.h"
#include "common/mem.h"
#include "common/revoked_keys.h"
#include "common/watched.h"

struct trust {
    struct authorized_files authorized; /* root's word, which goes before */
    struct watched enrolled_file, granted_file, revoked_file;
    struct enrolled enrolled;
    struct granted granted;
    bool own_keys, own_keys_changed; /* what users authorized for themselves counts */
    struct revoked_keys revoked;
    bool looked;
    uint64_t looked_ms;
    struct endorsement_cache cache;
};

int trust_new(struct trust **ret_trust, const char *authorized, const char *enrolled,
              const char *granted, const char *revoked)
{
    struct trust *trust = calloc(1, sizeof(*trust));
    if (!trust)
        return -ENOMEM;
    int r = authorized_files_init(&trust->authorized, authorized);
    watched_init(&trust->enrolled_file, strdup(enrolled), FILE_TRUSTED);
    watched_init(&trust->granted_file, strdup(granted), FILE_TRUSTED);
    watched_init(&trust->revoked_file, strdup(revoked), FILE_TRUSTED);
    /* Until it was read nobody can know who is revoked. */
    trust->revoked_file.problem.state = -EAGAIN;
    if (r < 0 || !trust->enrolled_file.path || !trust->granted_file.path ||
        !trust->revoked_file.path) {
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
    authorized_files_free(&trust->authorized);
    enrolled_free(&trust->enrolled);
    granted_free(&trust->granted);
    revoked_keys_free(&trust->revoked);
    watched_clear(&trust->enrolled_file);
    watched_clear(&trust->granted_file);
    watched_clear(&trust->revoked_file);
    free(trust);
}

static int parse_enrolled(const char *path, struct slice text, void *ret_table,
                          struct diag *ret_diag)
{
    return enrolled_parse(path, text, ret_table, ret_diag);
}

static int parse_granted(const char *path, struct slice text, void *ret_table,
                         struct diag *ret_diag)
{
    return granted_parse(path, text, ret_table, ret_diag);
}

static int parse_revoked(const char *path, struct slice text, void *ret_table,
                         struct diag *ret_diag)
{
    return revoked_keys_parse(path, text, ret_table, ret_diag);
}

static bool refresh_enrolled(struct trust *trust)
{
    struct enrolled fresh;
    if (watched_look(&trust->enrolled_file, parse_enrolled, &fresh) != WATCHED_NEW)
        return false;
    enrolled_free(&trust->enrolled);
    trust->enrolled = fresh;
    return true;
}

static bool refresh_granted(struct trust *trust)
{
    struct granted fresh;
    if (watched_look(&trust->granted_file, parse_granted, &fresh) != WATCHED_NEW)
        return false;
    granted_free(&trust->granted);
    trust->granted = fresh;
    return true;
}

/* Broken it holds nothing, and its problem refuses everybody. */
static bool refresh_revoked(struct trust *trust)
{
    struct revoked_keys fresh;
    enum watched_news news = watched_look(&trust->revoked_file, parse_revoked, &fresh);
    if (news == WATCHED_SAME)
        return false;
    revoked_keys_free(&trust->revoked);
    if (news == WATCHED_NEW)
        trust->revoked = fresh;
    return true;
}

bool trust_refresh(struct trust *trust, uint64_t now_ms, bool force)
{
    if (!force && trust->looked && now_ms - trust->looked_ms < LIM_FILE_RECHECK)
        return false;
    trust->looked = true;
    trust->looked_ms = now_ms;
    bool authorized = authorized_files_refresh(&trust->authorized);
    bool enrolled = refresh_enrolled(trust), granted = refresh_granted(trust);
    bool revoked = refresh_revoked(trust), switched = trust->own_keys_changed;
    trust->own_keys_changed = false;
    return authorized || enrolled || granted || revoked || switched;
}

void trust_own_keys(struct trust *trust, bool count)
{
    trust->own_keys_changed |= trust->own_keys != count;
    trust->own_keys = count;
}

static struct problem *problem_at(struct trust *trust, size_t index)
{
    struct watched *single[] = {&trust->enrolled_file, &trust->granted_file, &trust->revoked_file};
    if (index < ARRAY_SIZE(single))
        return &single[index]->problem;
    return authorized_files_problem(&trust->authorized, index - ARRAY_SIZE(single));
}

const char *trust_problem(struct trust *trust, bool *ret_new)
{
    const char *standing = NULL;
    struct problem *problem;
    *ret_new = false;
    for (size_t i = 0; trust->looked && !*ret_new && (problem = problem_at(trust, i)); i++) {
        const char *text = problem_tell(problem, ret_new);
        standing = text ? text : standing;
    }
    return standing;
}

/* ---- judging --------------------------------------------------------------------------------- */

static const struct authorized_key *find_line(const struct trust *trust, const struct any_key *key)
{
    const struct authorized_key *line = authorized_files_find(&trust->authorized, key);
    return line ? line : authorized_keys_find(&trust->enrolled.keys, key);
}

static const struct granted_key *find_own(const struct trust *trust, const struct noise_public *key)
{
    return trust->own_keys ? granted_find(&trust->granted, key) : NULL;
}

bool trust_knows(const struct trust *trust, const struct noise_public *key)
{
    const struct any_key any = any_key_static(key);
    return find_line(trust, &any) || find_own(trust, key);
}

const struct granted *trust_granted(const struct trust *trust)
{
    return &trust->granted;
}

const char *trust_own_fault(const struct trust *trust, const struct noise_public *key)
{
    const struct any_key any = any_key_static(key);
    if (trust->revoked_file.problem.state < 0)
        return "broken";
    if (revoked_keys_hold(&trust->revoked, &any))
        return "revoked";
    if (find_line(trust, &any))
        return "listed";
    return trust->own_keys ? NULL : "off";
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
    const struct authorized_key *line = authorized_files_find(&trust->authorized, &claim->signer);

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

    if (trust->revoked_file.problem.state < 0)
        return TRUST_BROKEN;
    if (revoked_keys_hold(&trust->revoked, &any))
        return TRUST_REVOKED;
    if (claim->endorsed) {
        verdict = judge_signer(trust, claim, address, now_s, &grant);
    } else {
        grant.line = find_line(trust, &any);
        grant.own = grant.line ? NULL : find_own(trust, key);
        grant.perm = PERM_EVERY;
        verdict = grant.own ? TRUST_ACCEPTED : judge_line(grant.line, address, now_s);
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
    struct trust_grant grant = {0}, own = {0};
    enum trust_verdict verdict = trust_judge(trust, key, &claim, address, now_s, &grant);
    bool is_out = verdict >= TRUST_REVOKED; /* the key itself: nothing speaks for it */

    /* Any user can say that a key is his: that comes behind whom root lets speak for it. */
    if (verdict == TRUST_ACCEPTED && grant.own) {
        own = grant;
        verdict = TRUST_UNAUTHORIZED;
    }
    for (size_t i = 0; i < end->n && verdict != TRUST_ACCEPTED && !is_out; i++) {
        enum trust_verdict next =
            admit_endorsed(trust, key, end->items[i], address, now_s, &claim, &grant);
        verdict = next == TRUST_ACCEPTED || next > verdict ? next : verdict; /* or the most told */
    }
    if (verdict != TRUST_ACCEPTED && own.own) {
        verdict = TRUST_ACCEPTED;
        claim = (struct trust_claim){0};
        grant = own;
    }
    if (verdict == TRUST_ACCEPTED) {
        *ret_claim = claim;
        *ret_grant = grant;
    }
    return verdict;
}
