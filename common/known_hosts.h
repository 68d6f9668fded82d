/* SPDX-License-Identifier: MIT */
/*
 * The keys of hosts that a user trusts, and of those who speak for hosts. One line a key, its parts
 * separated by blanks; empty lines and lines that begin with `#` are ignored:
 *
 *     name x25519:... [comment]                                 a host's own key, pinned
 *     @cert-authority patterns ssh-ed25519 AAAA... [comment]    an organisation's, for such names
 *     @revoked patterns key [comment]                           either kind, never to be believed
 *
 * Patterns (pattern.h) are of names without a port. The name of a pin is what the user typed, its
 * alias resolved, in lower case: `host` for port 6743, otherwise `[host]:port`. Several lines may
 * carry one name: any of their keys is the host's. Any other line is an error that ends the
 * look-up: a broken line never means trust, nor a question.
 */
#ifndef MSG_COMMON_KNOWN_HOSTS_H
#define MSG_COMMON_KNOWN_HOSTS_H

#include "common/any_key.h"
#include "common/diag.h"

#define KNOWN_HOST_NAME   272 /* of a name with its port, terminated */
#define KNOWN_HOSTS_PORT  6743
#define KNOWN_HOSTS_FILES 2

enum known_host {
    KNOWN_HOST_UNKNOWN, /* no line has the name */
    KNOWN_HOST_TRUSTED, /* a line has the name and this key */
    KNOWN_HOST_CHANGED, /* lines have the name, none has this key */
};

/* The line that decided: of the key where trusted, the name's first where changed. */
struct known_host_match {
    enum known_host verdict;
    const char *file; /* borrowed from the caller; NULL where unknown */
    size_t line;
    struct noise_public key;
};

/* The name as it stands in the file. 0, or -EINVAL: empty, too long, or with bytes no host has. */
int known_host_name(char out[static KNOWN_HOST_NAME], const char *host, unsigned port);

enum known_host_mark { KNOWN_HOST_PIN, KNOWN_HOST_CA, KNOWN_HOST_REVOKED };

/* One file's pins. 0, or -EBADMSG with *ret_line and *ret_reason (a literal). */
int known_hosts_search(struct slice text, const char *name, const struct noise_public *key,
                       struct known_host_match *ret_match, const char **ret_reason,
                       size_t *ret_line);

/*
 * The user's file first, then the system's; the first that has the name decides. A file that is not
 * there has no lines; NULL ends the list early. -EBADMSG ("file:line: reason"), -EPERM (owner,
 * mode), or another negative errno.
 */
int known_hosts_lookup(const char *const files[KNOWN_HOSTS_FILES], const char *name,
                       const struct noise_public *key, struct known_host_match *ret_match,
                       struct diag *ret_diag);

/*
 * Whether a line with that mark has this key for a host's bare name, in one file's text and in all
 * files. *ret_match says where (its verdict and key are not set). 1 or 0; errors as above.
 */
int known_hosts_search_marked(struct slice text, enum known_host_mark mark, const char *host,
                              const struct any_key *key, size_t *ret_line, const char **ret_reason);
int known_hosts_marked(const char *const files[KNOWN_HOSTS_FILES], enum known_host_mark mark,
                       const char *host, const struct any_key *key,
                       struct known_host_match *ret_match, struct diag *ret_diag);

/*
 * Appends a line under a lock, making file (0600) and folder (0700) if need be. Nothing is written
 * if the very line is there; -EEXIST if the name has another key there, with file:line.
 */
int known_hosts_append(const char *file, const char *name, const struct noise_public *key,
                       struct diag *ret_diag);

/*
 * Takes every pin of the name out, under the same lock, by a temporary file and rename; all else is
 * kept as it stands. *ret_removed: how many. A file that is not there has none; one with an error
 * is not touched.
 */
int known_hosts_remove(const char *file, const char *name, size_t *ret_removed,
                       struct diag *ret_diag);

/* A line as it is listed; names and key are borrowed for the call. */
struct known_host_line {
    enum known_host_mark mark;
    struct slice names;
    const struct any_key *key;
    const char *file;
    size_t line;
};
typedef void known_hosts_fn(void *context, const struct known_host_line *line);
/* Tells each line of one file, up to its first error. 0, or an error as above. */
int known_hosts_each(const char *file, known_hosts_fn *call, void *context, struct diag *ret_diag);

#endif
