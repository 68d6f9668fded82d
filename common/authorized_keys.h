/* SPDX-License-Identifier: MIT */
/*
 * Who may send messages to this host, by key. One line a key: `KEY [options] name`, separated by
 * blanks; empty lines and lines that begin with `#` are ignored. Anything else is an error at its
 * line, and so is a key that stands there twice. KEY is one of
 *
 *     x25519:...                    a client's own static key
 *     ssh-ed25519 AAAA...           a person's ssh key, which endorses his static keys
 *     ca:ssh-ed25519 AAAA... names= an organisation's, which endorses those of others
 *
 * Options:
 *
 *     to=LIST         only these receivers: users, and session:console; separated by commas
 *     all             may send to everybody (`*`)
 *     who             may ask who is logged in
 *     override        passes over mesg n
 *     rate=N          messages a minute, 1..1000000, instead of the host's default
 *     from=LIST       only from these networks (192.0.2.0/24, 2001:db8::/32, single addresses)
 *     expires=DATE    YYYY-MM-DD, the last day (UTC) on which the key is accepted
 *     names=LIST      ca: whom it may endorse: names and patterns (pattern.h), separated by commas;
 *                     root only where that very name is listed
 *
 * The name is that of the account that is shown to people: 1..64 of A-Z a-z 0-9 . _ @ -
 * Several keys may carry one name; each line is an account of its own.
 *
 * Pure: text in, table out. trust.h reads the files and watches them.
 */
#ifndef MSG_COMMON_AUTHORIZED_KEYS_H
#define MSG_COMMON_AUTHORIZED_KEYS_H

#include "common/any_key.h"
#include "common/diag.h"
#include "protocol/limits.h"
#include "protocol/slice.h"

#include <stdint.h>
#include <sys/socket.h>

#define AUTHORIZED_RATE_MAX 1000000
#define AUTHORIZED_GROUPS   16 /* in one to= */

struct authorized_key {
    struct any_key key;
    bool ca; /* an organisation's key: `names` is there */
    char name[LIM_NAME + 1];
    bool all, who, override;
    uint32_t rate;      /* messages a minute; 0: the host's default */
    int64_t expires;    /* seconds since 1970 UTC from which it is refused; 0: never */
    struct slice to;    /* checked list, borrowed from the table; empty: no restriction */
    struct slice from;  /* likewise */
    struct slice names; /* likewise */
    size_t line;
};

struct authorized_keys {
    char *text;                  /* what the slices borrow from */
    struct authorized_key *keys; /* in the order of their keys, for the search */
    size_t count;
};

/* One line that is neither empty nor a comment. 0, or -EBADMSG with a reason. */
int authorized_key_parse(struct slice line, struct authorized_key *ret_key, struct diag *ret_diag);

/* A whole file; `file` only heads the error: "file:line: reason". 0, -EBADMSG or -ENOMEM. */
int authorized_keys_parse(const char *file, struct slice text, struct authorized_keys *ret_keys,
                          struct diag *ret_diag);
void authorized_keys_free(struct authorized_keys *keys);

/* Borrowed from the table; NULL if the key is not there. */
const struct authorized_key *authorized_keys_find(const struct authorized_keys *keys,
                                                  const struct any_key *key);

/* Whether the line accepts a connection from this address (IPv4, IPv6, v4 mapped into v6). */
bool authorized_key_from(const struct authorized_key *key, const struct sockaddr *address);
bool authorized_key_expired(const struct authorized_key *key, int64_t now_s);
/* Whether names= lets an organisation's key speak for this name. */
bool authorized_key_endorses(const struct authorized_key *key, struct slice name);
/*
 * Whether to= itself lets the key reach this user, whatever groups it names; console: the session
 * is the active one of seat0.
 */
bool authorized_key_reaches(const struct authorized_key *key, struct slice user, bool console);
/* The group that to= names, from 0, without its %; false: it names no more. */
bool authorized_key_group(const struct authorized_key *key, size_t index, struct slice *ret_group);

#endif
