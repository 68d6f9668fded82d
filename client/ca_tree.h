/* SPDX-License-Identifier: MIT */
/*
 * What the hosts of a fleet need, the same for each, as a tree that is copied to /:
 *
 *     etc/msg/known_hosts                            the organisation's key, for all hosts
 *     etc/msg/endorsements                           what endorses its users' keys
 *     etc/msgd/host_endorsements                     what endorses its hosts' keys
 *     etc/msgd/authorized_keys.d/organisation.keys        the organisation's key, for all users but
 * root
 *
 * A host that is only sent to needs the two below msgd, one that is only sent from the two below
 * msg.
 */
#ifndef MSG_CLIENT_CA_TREE_H
#define MSG_CLIENT_CA_TREE_H

#include "common/diag.h"
#include "common/endorsement.h"

#include <stdio.h>

struct ca_tree {
    struct ssh_key key; /* the organisation's, to be filled in by the owner */
    struct ca_tree_text {
        FILE *file;
        char *text;
        size_t len;
    } users, hosts;
};

int ca_tree_begin(struct ca_tree *tree, struct diag *ret_diag);
/* That there was no memory ca_tree_write() tells. */
void ca_tree_add(struct ca_tree *tree, enum endorsement_kind kind, struct slice text);
/* Below a folder that is there. 0, or negative with the reason. */
int ca_tree_write(struct ca_tree *tree, const char *folder, struct diag *ret_diag);
void ca_tree_end(struct ca_tree *tree);

#endif
