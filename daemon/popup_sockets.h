/* SPDX-License-Identifier: MIT */
/*
 * The sockets of a user's tmux servers: in one folder that nobody else could have made or can write
 * to. A server elsewhere (TMUX_TMPDIR, -S) is not looked for: nobody's environment is read.
 */
#ifndef MSG_DAEMON_POPUP_SOCKETS_H
#define MSG_DAEMON_POPUP_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#define SOCKETS_MAX 16 /* servers that are asked, each of which may not answer */

struct sockets {
    char paths[SOCKETS_MAX][sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    size_t count;
};

/*
 * Those in that folder at which somebody listens, `default` first, the others by name. 0, or a
 * negative errno: -ENOENT also where there is none; -EPERM: the folder is not the user's alone, or
 * a link.
 */
int sockets_list(const char *folder, uid_t uid, struct sockets *ret_sockets);

#endif
