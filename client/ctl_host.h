/* SPDX-License-Identifier: MIT */
/* What the msgd of this host is configured with, where msgctl writes what msgd reads. */
#ifndef MSG_CLIENT_CTL_HOST_H
#define MSG_CLIENT_CTL_HOST_H

#include "client/ctl.h"
#include "common/config.h"
#include "protocol/noise.h"

/*
 * msgd.conf, with --invitations, --enrolled, --granted and --host-key over it. False, and said so.
 */
bool ctl_host_config(const struct ctl *ctl, struct config *ret_config);

/* The host's public key, read by root as its owner. 0, or as key_load(). */
int ctl_host_read_key(const char *path, struct noise_public *ret_key, struct diag *ret_diag);
/* The same. False, and said so. */
bool ctl_host_key(const char *path, struct noise_public *ret_key);

/* How other hosts call this one: its name, with a port that is not the usual one. */
#define CTL_HOST_NAME 256
void ctl_host_name(const struct config *config, char out[static CTL_HOST_NAME]);

#endif
