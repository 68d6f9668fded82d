/* SPDX-License-Identifier: MIT */
/*
 * What the presenter does before its loop begins, in this order: its signals, locale and
 * descriptors; whom msgd runs as; then, once all that needs root is open, leaving root's power.
 * Part of the program: what fails is logged here.
 */
#ifndef MSG_DAEMON_PRESENT_START_H
#define MSG_DAEMON_PRESENT_START_H

#include <sys/types.h>

int start_process(void);

/* The account made for msgd when we are root, else the user we are. */
int start_find_msgd_user(const char *name, uid_t *ret_uid, gid_t *ret_gid);

int start_drop_privileges(void);

#endif
