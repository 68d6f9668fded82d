/* SPDX-License-Identifier: MIT */
/* Where our other programs are: beside this one (a build tree), else where they are installed. */
#ifndef MSG_DAEMON_PRESENT_PROGRAM_H
#define MSG_DAEMON_PRESENT_PROGRAM_H

#include <limits.h>

/* 0 with its path; or a negative errno with the path where it should be. */
int program_find_msgd(char path[static PATH_MAX]);
int program_find_popup(char path[static PATH_MAX]);

#endif
