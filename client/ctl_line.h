/* SPDX-License-Identifier: MIT */
/* Rights as options of msgctl, and as authorized_keys has them behind the key. */
#ifndef MSG_CLIENT_CTL_LINE_H
#define MSG_CLIENT_CTL_LINE_H

#include "client/ctl.h"

/*
 * "to=bob who alice". False, and said so: a blank that would make two fields of one, or too long.
 * Whether it is sound is authorized_key_parse()'s to say.
 */
bool ctl_rights_line(const struct ctl *ctl, const char *name, char *out, size_t capacity);

#endif
