/* SPDX-License-Identifier: MIT */
/*
 * One session of logind's, put together from its D-Bus properties: the judge of all that logind
 * says. A property that is not known is passed over; what must be there and is unfit costs the
 * session, what only adorns it is left out. Pure.
 */
#ifndef MSG_DAEMON_PRESENT_LOGIN_H
#define MSG_DAEMON_PRESENT_LOGIN_H

#include "daemon/present_device.h"

/* Texts are printable ASCII, terminated, zeros behind their end; empty where logind has none. */
struct login_record {
    char id[65];
    char user[65];
    char line[DEVICE_LINE]; /* pts/N or ttyN */
    char display[65];
    char seat[65];
    char from[65];
    char class[24];
    char type[16];
    char state[16];
    uid_t uid;
    gid_t gid; /* not a property of the session: of its user */
    pid_t leader;
    uint64_t leader_start; /* not a property either: the leader's, as present_proc.h counts; 0:
                              it was not seen */
    int64_t since_us;
    int64_t idle_since_us;
    uint32_t vt; /* 0: none */
    bool idle;
    bool locked;
    uint32_t seen; /* properties that were there: one bit for each */
};

struct login_value {
    char type;        /* as D-Bus has it: s u b t; of (so) and (uo) the first */
    const char *text; /* s */
    uint64_t number;  /* u b t */
};

/* The D-Bus type that this property has, or NULL: it is not one of ours. */
const char *login_property_type(const char *name);

/* Takes one property in. 0; -ENOENT: not one of ours; -EBADMSG: the session cannot be believed. */
int login_take(struct login_record *record, const char *name, const struct login_value *value);

/* True once all is there that must be. */
bool login_is_whole(const struct login_record *record);

#endif
