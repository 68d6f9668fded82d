/* SPDX-License-Identifier: MIT */
/*
 * What endorses this host's key, shown to every client in the handshake: a file that root writes,
 * looked at again when it has changed. One with an error keeps the last good state.
 */
#ifndef MSG_DAEMON_NET_ENDORSED_H
#define MSG_DAEMON_NET_ENDORSED_H

#include "common/endorsements.h"

#include <sys/stat.h>

struct net_endorsed {
    struct endorsements shown; /* shown.list is borrowed by every connection */
    struct stat st;
    bool looked;
    struct endorsement_end ends[LIM_ENDORSEMENTS];
    enum { END_NOT_TOLD, END_SOON_TOLD, END_TOLD } told[LIM_ENDORSEMENTS];
    size_t n_ends;
    int64_t over; /* when the last one ended, where none is left; 0: told, or there is one */
};

/*
 * Looks at the file, and reads it where it is another than before. 0, or negative with an error
 * that was not told before.
 */
int endorsed_refresh(struct net_endorsed *endorsed, const char *file,
                     const struct noise_public *key, int64_t now_s, struct diag *ret_diag);

/*
 * Whether there is something to say of an end, soon or past, that was not said since the file was
 * read. Call it until there is not.
 */
bool endorsed_has_news(struct net_endorsed *endorsed, int64_t now_s, struct diag *ret_news);

#endif
