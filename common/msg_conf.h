/* SPDX-License-Identifier: MIT */
/*
 * msg.conf, a user's configuration of msg:
 *
 *     [msg]     default_time = 10m              the time where /TIME is not given
 *     [alias]   mail = mail1.example.org:6743   a short name for a server
 *     [group]   web = web1,web2,mail            a name for several servers
 *
 * Names are 1..64 of A-Z a-z 0-9 . _ @ - and count in any case. Errors are "file:line: text".
 */
#ifndef MSG_COMMON_MSG_CONF_H
#define MSG_COMMON_MSG_CONF_H

#include "common/diag.h"
#include "protocol/slice.h"

#include <stdint.h>

struct msg_conf_name {
    bool group;
    char *name, *value;
};

struct msg_conf {
    uint64_t default_time_s; /* 0: no limit */
    bool default_time_set;
    struct msg_conf_name *names;
    size_t count;
};

int msg_conf_parse(const char *file, struct slice text, struct msg_conf *ret_conf,
                   struct diag *ret_diag);
/* A file that is not there is empty. */
int msg_conf_load(const char *file, struct msg_conf *ret_conf, struct diag *ret_diag);
void msg_conf_free(struct msg_conf *conf);

/* What an alias stands for, or a group's list; NULL if there is none. Borrowed. */
const char *msg_conf_alias(const struct msg_conf *conf, const char *name);
const char *msg_conf_group(const struct msg_conf *conf, const char *name);

#endif
