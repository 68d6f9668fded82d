/* SPDX-License-Identifier: MIT */
#include "daemon/net_journal.h"

#include "common/log.h"
#include "common/mem.h"

#include <sys/socket.h>

#define LINE_HEAD "audit: "

int journal_open(struct journal *ret_journal, const char *path)
{
    ret_journal->fd = -1;
    ret_journal->lost = 0;
    ret_journal->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!path[0] && !log_is_journal())
        return 0;
    snprintf(ret_journal->to.sun_path, sizeof(ret_journal->to.sun_path), "%s",
             path[0] ? path : JOURNAL_SOCKET);
    ret_journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return ret_journal->fd < 0 ? mem_errno() : 0;
}

void journal_close(struct journal *journal)
{
    mem_close_fd(&journal->fd);
    journal->fd = -1;
}

bool journal_is_open(const struct journal *journal)
{
    return journal->fd >= 0;
}

static void write_line(const struct record *record, int level)
{
    char line[sizeof(LINE_HEAD) + RECORD_LINE] = LINE_HEAD;
    size_t len = sizeof(LINE_HEAD) - 1;

    len += record_line(record, line + len, RECORD_LINE);
    log_long(level, (struct slice){line, len});
}

/* Not connected: journald may be started anew at any time. */
static int send_datagram(struct journal *journal, size_t len)
{
    ssize_t sent = sendto(journal->fd, journal->datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&journal->to, sizeof(journal->to));

    return sent < 0 ? mem_errno() : 0;
}

void journal_write(struct journal *journal, const struct record *record, int level)
{
    if (!journal_is_open(journal)) {
        write_line(record, level);
        return;
    }
    size_t len = record_journal(record, journal->datagram, sizeof(journal->datagram));
    int r = len > 0 ? send_datagram(journal, len) : -EMSGSIZE;
    if (r == -EAGAIN || r == -ENOBUFS || r == -EMSGSIZE)
        journal->lost++;
    else if (r < 0)
        write_line(record, level);
}
