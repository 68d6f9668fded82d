/* SPDX-License-Identifier: MIT */
/*
 * The sockets of a user's tmux servers, each in a folder that is his alone: nobody else could have
 * put one there.
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

/*
 * Adds the socket of that absolute path behind the others, unless it is among them or there is no
 * room; if it and its folder are the user's alone, and nobody else but root can move a folder above
 * it away.
 */
void sockets_add(const char *path, uid_t uid, struct sockets *sockets);

#endif
