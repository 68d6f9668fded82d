/* SPDX-License-Identifier: MIT */
/*
 * The list from which `msgctl ca sign` signs: one endorsement a line, `#` begins a comment line.
 *
 *     user NAME x25519:... [all,who,override]
 *     host NAME[,NAME...] x25519:...
 *
 * Pure.
 */
#ifndef MSG_CLIENT_CA_LIST_H
#define MSG_CLIENT_CA_LIST_H

#include "common/endorsement.h"
#include "common/lines.h"

/*
 * The next line; its kind, key, names and perm are filled, the names borrow from the text. 1, 0 at
 * the end, or -EBADMSG with the reason (a literal) for the line lines->number.
 */
int ca_list_next(struct lines *lines, struct endorsement *ret_endorsement, const char **ret_reason);

#endif
