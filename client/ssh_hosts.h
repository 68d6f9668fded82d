/* SPDX-License-Identifier: MIT */
/*
 * What a user's ssh knows of a host: its ssh-ed25519 keys, from ~/.ssh/known_hosts and
 * /etc/ssh/ssh_known_hosts (or the files of MSG_SSH_KNOWN_HOSTS, separated by colons). ssh-keygen
 * looks the name up, since it knows hashed names; only unmarked lines make a key known, and those
 * marked @revoked one that is never to be believed.
 */
#ifndef MSG_CLIENT_SSH_HOSTS_H
#define MSG_CLIENT_SSH_HOSTS_H

#include "common/diag.h"
#include "common/ssh_key.h"

#define SSH_HOSTS_KEYS 32

#define SSH_HOSTS_FILE 256 /* of a file's name; a longer one is cut */

struct ssh_host_line {
    struct ssh_key key;
    bool revoked;
    char file[SSH_HOSTS_FILE];
    size_t number; /* in that file; 0 where ssh-keygen does not say */
};

struct ssh_hosts {
    struct ssh_host_line lines[SSH_HOSTS_KEYS];
    size_t n;
};

enum ssh_host_verdict { SSH_HOST_UNKNOWN, SSH_HOST_KNOWN, SSH_HOST_REVOKED };

/* Adds the lines that `ssh-keygen -F` printed; what is beyond SSH_HOSTS_KEYS is not known. Pure. */
void ssh_hosts_read(struct slice text, struct ssh_hosts *hosts);

/*
 * Runs ssh-keygen on each file that is there. Of name the case is ignored. 0, or negative errno if
 * a file could not be searched: then a key that is revoked may be missing.
 */
int ssh_hosts_find(const char *name, struct ssh_hosts *ret_hosts, struct diag *ret_diag);

/* *ret_line, which may be NULL: the line that decided, borrowed, where one did. */
enum ssh_host_verdict ssh_hosts_judge(const struct ssh_hosts *hosts, const struct ssh_key *key,
                                      const struct ssh_host_line **ret_line);

#endif
