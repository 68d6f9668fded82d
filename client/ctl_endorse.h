/* SPDX-License-Identifier: MIT */
/* msgctl key endorse, statement, endorsed: a static key endorsed by the ssh key of its owner. */
#ifndef MSG_CLIENT_CTL_ENDORSE_H
#define MSG_CLIENT_CTL_ENDORSE_H

#include "client/ctl.h"
#include "protocol/noise.h"

/* Signs a statement about the key and keeps it with its owner's files. An exit status. */
int ctl_key_endorse(const struct ctl *ctl, const struct noise_public *key);
/* Prints the statement, to be signed by hand. */
int ctl_key_statement(const struct ctl *ctl, const struct noise_public *key);
/* Keeps an endorsement that another has made: the second word is its file. */
int ctl_key_endorsed(const struct ctl *ctl, const struct noise_public *key);

/* The names by which this host is endorsed: --names, else its own. False: too long. */
bool ctl_endorse_host_name(const struct ctl *ctl, char out[static 256]);

#endif
