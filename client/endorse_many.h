/* SPDX-License-Identifier: MIT */
/*
 * Many endorsements signed by one ssh-keygen, which asks for a passphrase once: the statements
 * stand meanwhile in a folder of their own, each in a file, and their signatures beside them.
 */
#ifndef MSG_CLIENT_ENDORSE_MANY_H
#define MSG_CLIENT_ENDORSE_MANY_H

#include "client/ssh_sign.h"
#include "common/endorsement.h"

#define ENDORSE_MANY_FOLDER 1024

struct endorse_many {
    char folder[ENDORSE_MANY_FOLDER];
    char **files; /* NULL ends them */
    size_t n;
};

/* All: 0, or negative with the reason. */
int endorse_many_begin(struct endorse_many *many, struct diag *ret_diag);
int endorse_many_add(struct endorse_many *many, const struct endorsement *endorsement,
                     struct diag *ret_diag);
int endorse_many_sign(const struct endorse_many *many, const struct ssh_signer *signer,
                      struct diag *ret_diag);

/*
 * The i-th that was added, signed and read as a verifier will. -EBADMSG: by a key of another type.
 */
int endorse_many_take(const struct endorse_many *many, size_t i,
                      char text[static ENDORSEMENT_TEXT_MAX], size_t *ret_len,
                      struct ssh_key *ret_key, struct diag *ret_diag);

/* Removes folder and files. */
void endorse_many_end(struct endorse_many *many);

#endif
