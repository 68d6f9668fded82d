/* SPDX-License-Identifier: MIT */
/*
 * Which keys a host accepts: authorized_keys with its folder (authorized_files.h), enrolled,
 * granted and revoked_keys, read and read again. The first that has a key decides alone what it
 * gives; but what endorses it goes before granted, which any user can have written. A holder looks
 * at the files at most once in LIM_FILE_RECHECK. A file of authorized keys, enrolled, or granted,
 * with an error keeps its last good state; a revoked_keys with an error, or one that cannot be
 * read, refuses everybody. A file that is not there is empty. All must be root's or our own, and
 * nobody else's to write.
 *
 * What is borrowed from the holder is valid until trust_refresh() says that something changed:
 * whoever keeps a connection judges its key again then.
 */
#ifndef MSG_COMMON_TRUST_H
#define MSG_COMMON_TRUST_H

#include "common/endorsement.h"
#include "common/enrolled.h"
#include "common/granted.h"
#include "protocol/messages.h"

struct trust;

/*
 * On what somebody was let in: the line of his own key, or the endorsement of a signer who has a
 * line. Whoever holds a connection or a request keeps it, and judges by it again.
 */
struct trust_claim {
    bool endorsed;
    struct any_key signer;
    uint64_t serial;
    int64_t after, before;
    unsigned perm;
    char name[LIM_NAME + 1];
};

/*
 * What a claim gives now: a line's rights, or those of a local user whose own key it is. Borrowed.
 */
struct trust_grant {
    const struct authorized_key *line; /* NULL with `own` */
    const struct granted_key *own;
    unsigned perm; /* what the endorsement leaves of the line's rights (enum endorsement_perm) */
};

/* The name of the account: an organisation says it for others, every other line for itself. */
static inline const char *trust_name(const struct trust_grant *grant,
                                     const struct trust_claim *claim)
{
    if (grant->own)
        return grant->own->name;
    return grant->line->ca ? claim->name : grant->line->name;
}

enum trust_verdict {
    TRUST_ACCEPTED,
    TRUST_UNAUTHORIZED, /* not listed, or not from this address */
    TRUST_EXPIRED,
    TRUST_REVOKED,
    TRUST_BROKEN, /* revoked_keys cannot be read: nobody can be told from the revoked */
};

/*
 * The paths are copied; "" is a file that is not there. Nothing is accepted before the first
 * trust_refresh(). 0 or -ENOMEM.
 */
int trust_new(struct trust **ret_trust, const char *authorized, const char *enrolled,
              const char *granted, const char *revoked);
/* Whether keys that users authorized for themselves count; from the next trust_refresh() on. */
void trust_own_keys(struct trust *trust, bool count);
void trust_free(struct trust *trust);

/*
 * Looks at the files if it is time to (any monotonic clock; `force` looks always). True if what is
 * accepted may have changed.
 */
bool trust_refresh(struct trust *trust, uint64_t now_ms, bool force);

/*
 * An error that stands against one of the files, one that was not told before if there is such:
 * then *ret_new is true, and the program logs it. NULL if none stands. Valid until the next
 * trust_refresh().
 */
const char *trust_problem(struct trust *trust, bool *ret_new);

/*
 * Judges a stranger by his key, then by the endorsements he shows, the first good one. Where he is
 * accepted *ret_claim and *ret_grant are filled. An entry of `end` that cannot be read, is about
 * another key or is not signed counts as absent. address NULL: from= is not looked at.
 */
enum trust_verdict trust_admit(struct trust *trust, const struct noise_public *key,
                               const struct slice_list *end, const struct sockaddr *address,
                               int64_t now_s, struct trust_claim *ret_claim,
                               struct trust_grant *ret_grant);

/* Judges again what was accepted once. ret_grant may be NULL. */
enum trust_verdict trust_judge(const struct trust *trust, const struct noise_public *key,
                               const struct trust_claim *claim, const struct sockaddr *address,
                               int64_t now_s, struct trust_grant *ret_grant);

/* Whether the key has a line of its own, be it accepted or not. */
bool trust_knows(const struct trust *trust, const struct noise_public *key);
/* The enrolments that there are; borrowed. */
const struct enrolled *trust_enrolled(const struct trust *trust);
/* The same of users' own keys, whether they count or not. */
const struct granted *trust_granted(const struct trust *trust);
/*
 * Why a key would not count as a user's own, in GRANTED's words: broken (revoked_keys), revoked,
 * listed, off; NULL: it does.
 */
const char *trust_own_fault(const struct trust *trust, const struct noise_public *key);

#endif
