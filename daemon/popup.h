/* SPDX-License-Identifier: MIT */
/*
 * msgd-popup: one popup, for its whole life, as the user who is to see it. popup_main.c owns the
 * socket to msgd-present, the clock and the order of things; a way (popup_desktop.c,
 * popup_dialog.c, popup_tmux.c) puts the message on a screen and says what became of it. A way
 * never ends the process, never writes to the socket, and never waits: everything happens in the
 * one sd-event loop.
 */
#ifndef MSG_DAEMON_POPUP_H
#define MSG_DAEMON_POPUP_H

#include "daemon/boundary.h"
#include "daemon/present_text.h"

#include <systemd/sd-event.h>

#define POPUP_START_MS 8000 /* to be on the screen; msgd gives a message nobody waits for 10 s */
#define POPUP_DOWN_MS  2000 /* to take it down again, then the process ends all the same */

/* What is to be shown, checked; the texts are there as long as the process. */
struct popup_message {
    enum session_reach reach;
    bool locked;       /* the session is, as far as is known */
    char user[68];     /* to whom */
    char terminal[68]; /* tmux: the terminal of the client, pts/3 */
    char host[65];     /* this one, its short name */
    char time[8];      /* when it was sent, as printed */
    struct present_texts texts;
    uint64_t life_ms, sent_at_ms;
    uint32_t number; /* for msg /ack; 0: none */
    bool wait;       /* an acknowledgement is waited for */
};

struct popup;

/* One way to show a message. */
struct popup_way {
    /*
     * Begins to show it. 0 with *ret_state, and then exactly one of popup_shown(), popup_cannot()
     * or popup_ended() follows, from the loop; or a negative errno: it cannot be shown this way.
     */
    int (*start)(struct popup *popup, void **ret_state);
    /*
     * Once, after a successful start, whatever was said: what may be on the screen is taken away,
     * then popup_down() is called, at once or from the loop. Nothing else is said from here on.
     */
    void (*take_down)(void *state);
    /* Frees the state, with every event source. */
    void (*free)(void *state);
};

extern const struct popup_way popup_desktop, popup_dialog, popup_tmux;

sd_event *popup_event(const struct popup *popup);
const struct popup_message *popup_message(const struct popup *popup);

/*
 * It is on the screen. flags: enum shown_flag; by: the program that shows it, as it names itself.
 */
void popup_shown(struct popup *popup, unsigned flags, const char *by);

/*
 * It is over: what the person did, or failed with a why of PROTOCOL.md. answer: a label, or none.
 */
void popup_ended(struct popup *popup, enum ended_how how, const char *why, struct slice answer);

/* Nothing is on the screen, and nothing will be this way: the next one is tried. */
void popup_cannot(struct popup *popup);

/* Nothing is on the screen any more. */
void popup_down(struct popup *popup);

#endif
