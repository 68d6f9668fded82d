/* SPDX-License-Identifier: MIT */
/*
 * Where the audit's records go: to the journal, each a datagram on its socket, or to stderr, each a
 * line. Never waits: what the journal has no room for is lost and counted. Where there is no
 * journal any more, the line on stderr serves.
 */
#ifndef MSG_DAEMON_NET_JOURNAL_H
#define MSG_DAEMON_NET_JOURNAL_H

#include "daemon/net_record.h"
#include "protocol/limits.h"

#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_SIZE   (LIM_TEXT + 2 * RECORD_BYTES) /* a text, the rest, the fields' names */

struct journal {
    int fd; /* -1: records go to stderr */
    struct sockaddr_un to;
    uint64_t lost; /* records, since somebody looked */
    char datagram[JOURNAL_SIZE];
};

/* path "": the system's journal where stderr is the journal's, else stderr. 0 or negative errno. */
int journal_open(struct journal *ret_journal, const char *path);
void journal_close(struct journal *journal);
/* Whether there is a journal: then a record is more than what stderr is told. */
bool journal_is_open(const struct journal *journal);
/* level: as of log.h, for the line on stderr. */
void journal_write(struct journal *journal, const struct record *record, int level);

#endif
