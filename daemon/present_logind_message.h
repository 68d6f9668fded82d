/* SPDX-License-Identifier: MIT */
/*
 * logind's answers, read out of their D-Bus messages: only here are those messages taken apart.
 * What is read is judged by present_login.h. Neither waits nor sends.
 */
#ifndef MSG_DAEMON_PRESENT_LOGIND_MESSAGE_H
#define MSG_DAEMON_PRESENT_LOGIND_MESSAGE_H

#include "daemon/present_login.h"

#include <systemd/sd-bus.h>

#define LOGIND_PATH       128 /* of an object of logind's, terminated; longer ones are skipped */
#define LOGIND_PROPERTIES 256 /* of one session; more are nonsense */

/*
 * ListSessions: `each` is called with user and path of each; negative ends it. 0 or a negative
 * errno.
 */
int logind_read_list(sd_bus_message *message,
                     int (*each)(void *userdata, uid_t uid, const char *path), void *userdata);

/*
 * GetAll of a session: 0 with the record (gid and leader_start are left 0) and the path of its
 * user's object; or a negative errno, -EBADMSG where it cannot be believed.
 */
int logind_read_session(sd_bus_message *message, struct login_record *ret_record,
                        char ret_user_path[static LOGIND_PATH]);

/* Get of a user's GID: 0, or a negative errno. */
int logind_read_gid(sd_bus_message *message, gid_t *ret_gid);

#endif
