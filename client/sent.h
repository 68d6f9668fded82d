/* SPDX-License-Identifier: MIT */
/*
 * The messages that a user has sent of late, so that msgctl status and withdraw can name them: a
 * file of the user's own, one line a message, the newest last, of which the last SENT_KEPT count:
 *
 *     <32 hexadecimal digits of the uid> <seconds since 1970> <flags> <server>
 *
 * flags: w (with /W), e (with /EACH), both, or `-`. server: what /SERVER named, its alias resolved,
 * or this host's socket. Neither texts nor names of people are kept. A line that is none is passed
 * over: it names no message. Writing is a courtesy: no message fails for its sake.
 */
#ifndef MSG_CLIENT_SENT_H
#define MSG_CLIENT_SENT_H

#include "client/call.h"
#include "common/diag.h"

#define SENT_UID  16
#define SENT_KEPT 32

struct sent {
    uint8_t uid[SENT_UID];
    uint64_t at_s;
    bool wait, each;
    char server[256]; /* a path begins with a slash */
};

/* One line without its LF, and back. 0 or -EBADMSG. Pure. */
#define SENT_LINE 352
int sent_parse(struct slice line, struct sent *ret_sent);
int sent_format(const struct sent *sent, char out[static SENT_LINE]);

/*
 * The newest in a file's text whose printed id (print_uid()) begins so, in any case; "": the newest
 * of all. 0, -ENOENT, or -EEXIST: several begin so. Pure.
 */
int sent_search(struct slice text, const char *id, struct sent *ret_sent);

/* The same in a file, which is to be the caller's alone; no file is an empty one. */
int sent_find(const char *file, const char *id, struct sent *ret_sent, struct diag *ret_diag);

/* Adds one, making file and folder if need be; at twice SENT_KEPT lines the older half goes. */
int sent_add(const char *file, const struct sent *sent, struct diag *ret_diag);

/* The server of a line, to be called again. False: it is none. */
bool sent_server(const struct sent *sent, struct call_server *ret_server);

#endif
