/* SPDX-License-Identifier: MIT */
/*
 * Signatures by a person's or host's ssh key, made by ssh-keygen: it finds the private key in
 * ssh-agent or in its file, and asks for passphrases itself, so that no secret of ssh is ever read
 * here. (The agent's own protocol would serve keys in an agent alone, with twice the code.)
 */
#ifndef MSG_CLIENT_SSH_SIGN_H
#define MSG_CLIENT_SSH_SIGN_H

#include "common/diag.h"
#include "common/ssh_key.h"

#include <limits.h>

#define SSH_HOST_KEY "/etc/ssh/ssh_host_ed25519_key"

/* The key that signs: a file of its own, or one made for ssh-keygen to ask the agent by. */
struct ssh_signer {
    char file[PATH_MAX];
    bool temporary;
};

/*
 * The file that was named, else the agent's first ssh-ed25519 key, else ~/.ssh/id_ed25519. 0, or
 * -ENOENT with what else can be done.
 */
int ssh_signer_find(const char *named, struct ssh_signer *ret_signer, struct diag *ret_diag);
void ssh_signer_end(struct ssh_signer *signer);

/*
 * Whether the key is known to be of a type that cannot serve, by its public half: before ssh-keygen
 * asks for a passphrase, or a token for a touch.
 */
bool ssh_signer_cannot_serve(const struct ssh_signer *signer);

/* The armoured signature of a text; out takes `capacity` bytes. 0, or negative with the reason. */
int ssh_sign(const struct ssh_signer *signer, const char *name_space, struct slice text, char *out,
             size_t capacity, size_t *ret_len, struct diag *ret_diag);

/* Signs files by one ssh-keygen, each into FILE.sig. files ends with NULL. Errors likewise. */
int ssh_sign_files(const struct ssh_signer *signer, const char *name_space, char *const files[],
                   struct diag *ret_diag);

/* The first ssh-ed25519 key of what `ssh-add -L` prints. Pure. False if there is none. */
bool ssh_agent_choose(struct slice listing, struct ssh_key *ret_key);

#endif
