/* SPDX-License-Identifier: MIT */
/*
 * utmp as a source of sessions, believed only so far: the file is regular, owned by root or by us,
 * not writable by others, by a group only where that is utmp's; a record is a user process on a
 * line that is exactly pts/N or ttyN, and the terminal belongs to the user it names.
 * Its path comes from our own command line. Owns its watch on the file, which tells of a login at
 * once; a file that is replaced is watched again from the next look on.
 */
#ifndef MSG_DAEMON_PRESENT_UTMP_H
#define MSG_DAEMON_PRESENT_UTMP_H

#include "daemon/present_sessions.h"
#include "daemon/present_user.h"

#include <sys/stat.h>

struct utmp_source {
    const char *path;         /* borrowed */
    struct user_cache *users; /* borrowed */
    gid_t utmp_group;         /* (gid_t)-1: there is none */
    sd_event *event;          /* borrowed */
    void (*on_change)(void *userdata);
    void *userdata;
    sd_event_source *watch;
    const char *complaint; /* why the file was not believed the last time: logged once */
};

/* The look of a session_source: userdata is a struct utmp_source. */
void utmp_look(void *userdata, struct fact_list *facts);

void utmp_close(struct utmp_source *source);

/* Why a file is not to be believed, a literal, or NULL. */
const char *utmp_distrust(const struct stat *st, uid_t own, gid_t utmp_group);

/* One record of struct utmp, as hostile as any bytes: the login it tells of, or false. */
struct utmp_login {
    char line[DEVICE_LINE];
    char user[65];
    char from[65];
    pid_t leader;
    int64_t since_us;
};
bool utmp_read(const void *record, struct utmp_login *ret_login);

#endif
