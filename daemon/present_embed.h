/* SPDX-License-Identifier: MIT */
/*
 * The embedded mode: msgd as a child of ours, at the other end of a socket pair, with less power
 * than we have and no way to more. The death of either ends both.
 */
#ifndef MSG_DAEMON_PRESENT_EMBED_H
#define MSG_DAEMON_PRESENT_EMBED_H

#include <systemd/sd-event.h>

struct embed_spec {
    const char *program;
    char **arguments; /* behind --present-fd=N; NULL-terminated */
    uid_t uid;        /* whom it runs as */
    gid_t gid;
    /* It has ended, once: its exit status, or 128 + the signal. */
    void (*on_exit)(void *userdata, int status);
    void *userdata;
};

struct embed;

/* Starts it: 0 with our end of the pair in *ret_fd, or negative. SIGCHLD is blocked. */
int embed_start(sd_event *event, const struct embed_spec *spec, int *ret_fd,
                struct embed **ret_embed);
void embed_free(struct embed *embed);

/* Sends it a signal, if it still runs. */
void embed_signal(const struct embed *embed, int number);

#endif
