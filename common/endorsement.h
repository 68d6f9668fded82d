/* SPDX-License-Identifier: MIT */
/*
 * Endorsements (PROTOCOL.md, "Endorsements"): a statement that a static key belongs to a user or a
 * host, signed by an ssh key. Whether the signer is trusted for it is not judged here. A statement
 * is exactly eight lines, each ended by LF:
 *
 *     msg-endorse-v1
 *     kind: user|host
 *     key: x25519:...
 *     name: alice             [a-z0-9._-], 1..64; of a host up to eight of them, parted by commas
 *     serial: 17
 *     after: 1767225600       seconds since 1970 UTC, after < before
 *     before: 1798761600
 *     perm: all,who           some of all, who, override, in this order; or `perm:` alone
 *
 * On the wire an entry is the statement and the binary envelope behind it; in a file it is the
 * statement and the armoured envelope, which `cat statement statement.sig` makes. Pure: time is an
 * argument.
 */
#ifndef MSG_COMMON_ENDORSEMENT_H
#define MSG_COMMON_ENDORSEMENT_H

#include "common/sshsig.h"
#include "protocol/limits.h"
#include "protocol/noise.h"

#define ENDORSEMENT_NAMESPACE "msg-endorse-v1"
#define ENDORSEMENT_HOSTS     8
#define ENDORSEMENT_TOLERANCE 300 /* seconds by which two clocks may differ */
#define ENDORSEMENT_STATEMENT (LIM_ENDORSEMENT - SSHSIG_MAX) /* the longest is 715 bytes */
#define ENDORSEMENT_TEXT_MAX  (LIM_ENDORSEMENT + SSHSIG_TEXT_MAX)

enum endorsement_kind { ENDORSEMENT_USER, ENDORSEMENT_HOST };
enum endorsement_perm { PERM_ALL = 1, PERM_WHO = 2, PERM_OVERRIDE = 4 };
#define PERM_EVERY (PERM_ALL | PERM_WHO | PERM_OVERRIDE)

struct endorsement {
    enum endorsement_kind kind;
    struct noise_public key;
    struct slice names; /* borrowed */
    uint64_t serial;
    int64_t after, before;
    unsigned perm; /* a set of enum endorsement_perm */
};

/*
 * The statement at the front of a text; *ret_len is its length. 0, or -EBADMSG with the reason (a
 * literal).
 */
int endorsement_parse(struct slice text, struct endorsement *ret_endorsement, size_t *ret_len,
                      const char **ret_reason);

/* What stands behind `perm:`; false if it is none. */
bool endorsement_read_perm(struct slice value, unsigned *ret_perm);

/* The statement's bytes; their length, or -EINVAL where parse would refuse them. */
int endorsement_format(const struct endorsement *endorsement,
                       char out[static ENDORSEMENT_STATEMENT]);

/* One entry as it comes over the wire, read but not verified; it borrows from the entry. */
struct endorsed {
    struct endorsement is;
    struct slice statement;
    struct sshsig sig;
};
int endorsement_open(struct slice entry, struct endorsed *ret_endorsed, const char **ret_reason);

/*
 * Takes the next endorsement out of a file's text, white lines before it skipped, and makes the
 * wire's entry of it. 1, 0 at the end, or -EBADMSG with the reason (a literal).
 */
int endorsement_next(struct slice *text, uint8_t ret_entry[static LIM_ENDORSEMENT], size_t *ret_len,
                     const char **ret_reason);

/* 0 within its time, -EAGAIN before it, -ETIME behind it; ENDORSEMENT_TOLERANCE either way. */
int endorsement_time(const struct endorsement *endorsement, int64_t now_s);

/* Whether a name is one of the statement's. */
bool endorsement_names(const struct endorsement *endorsement, struct slice name);

/*
 * Signatures that were found good, by a hash of statement and signature, so that a peer that comes
 * often costs one verification. Zero-initialized it is empty; a newer one takes an older's place.
 */
#define ENDORSEMENT_CACHE 1024
struct endorsement_cache {
    uint8_t hashes[ENDORSEMENT_CACHE][32];
};

/* Whether the signer has signed the statement. cache may be NULL. */
bool endorsement_verify(const struct endorsed *endorsed, struct endorsement_cache *cache);

#endif
