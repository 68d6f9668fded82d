/* SPDX-License-Identifier: MIT */
/*
 * The keys of hosts that a user trusts. One line a key: `name key [comment]`, separated by blanks;
 * empty lines and lines that begin with `#` are ignored. The name is what the user typed, its alias
 * resolved, in lower case: `host` for port 6743, otherwise `[host]:port`. Several lines may carry
 * one name: any of their keys is the host's. Any other line is an error that ends the look-up: a
 * broken line never means trust, nor a question.
 */
#ifndef MSG_COMMON_KNOWN_HOSTS_H
#define MSG_COMMON_KNOWN_HOSTS_H

#include "common/diag.h"
#include "protocol/noise.h"
#include "protocol/slice.h"

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

/* One file's text. 0, or -EBADMSG with *ret_line and *ret_reason (a literal). */
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
 * Appends a line under a lock, making file (0600) and folder (0700) if need be. Nothing is written
 * if the very line is there; -EEXIST if the name has another key there, with file:line.
 */
int known_hosts_append(const char *file, const char *name, const struct noise_public *key,
                       struct diag *ret_diag);

#endif
