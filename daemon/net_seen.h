/* SPDX-License-Identifier: MIT */
/*
 * The record of what was shown in this boot. Before the first present of a request one record is
 * appended, without fsync: it outlives the process and dies with the boot, as the screens do. What
 * stands there and is not known to this life has an outcome that cannot be known, and is not shown
 * again.
 *
 * The file: a header of SEEN_HEADER bytes (magic, the boot's id), then records of SEEN_RECORD
 * bytes: {hash of principal, uid, hash of the map's bytes, wall clock in ms}. A record cut off at
 * the end is dropped. A file of another boot is started anew; one that is no such file is refused,
 * since to believe nothing would mean to show twice. It is rewritten with the newest half of its
 * records when LIM_SEEN_RECORDS stand there.
 */
#ifndef MSG_DAEMON_NET_SEEN_H
#define MSG_DAEMON_NET_SEEN_H

#include "daemon/net_account.h"
#include "protocol/slice.h"

#define SEEN_HASH   32
#define SEEN_UID    16
#define SEEN_BOOT   36 /* as in /proc/sys/kernel/random/boot_id */
#define SEEN_MAGIC  "msgd-seen-1\n"
#define SEEN_HEADER 49 /* magic, boot id, LF */
#define SEEN_RECORD (2 * SEEN_HASH + SEEN_UID + 8)
#define SEEN_FILE   (SEEN_HEADER + LIM_SEEN_RECORDS * (size_t)SEEN_RECORD)

struct seen;

/* Whom and what a record names. */
struct seen_key {
    uint8_t principal[SEEN_HASH];
    uint8_t uid[SEEN_UID];
};
struct seen_key seen_key_of(const struct principal *principal, const uint8_t uid[static SEEN_UID]);

/*
 * Opens, or makes (0600), the file. boot: SEEN_BOOT characters, the same as long as the host runs.
 * 0, -EBADMSG (no such file of ours), -EPERM (another's, or a wrong mode) or negative errno.
 */
int seen_open(struct seen **ret_seen, const char *path, const char boot[static SEEN_BOOT]);
void seen_close(struct seen *seen);

bool seen_has(const struct seen *seen, const struct seen_key *key);
/* Appends. 0, or negative errno: then it must not be shown. */
int seen_add(struct seen *seen, const struct seen_key *key, const uint8_t body[static SEEN_HASH],
             uint64_t wall_ms);

/*
 * What a file's bytes hold: the number of whole records behind the header. -EBADMSG: not a file of
 * ours, or longer than one can be; -ESTALE: of another boot.
 */
ssize_t seen_parse(struct slice file, const char boot[static SEEN_BOOT]);

#endif
