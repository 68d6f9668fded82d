/* SPDX-License-Identifier: MIT */
/*
 * What a message says on a desktop, as one text: who sent it, when and to whom, the text itself,
 * the answers there are and what to do. Whatever comes from outside is escaped (common/text.h).
 * Pure but for the memory it returns.
 */
#ifndef MSG_DAEMON_POPUP_TEXT_H
#define MSG_DAEMON_POPUP_TEXT_H

#include "daemon/popup.h"

#define POPUP_TEXT_LINES 20   /* of the sender's text, in a notification */
#define POPUP_TEXT_BYTES 3000 /* of it */
#define POPUP_SUMMARY    2048 /* capacity for a summary */

enum popup_text_kind {
    POPUP_TEXT_PLAIN,  /* a notification's body, cut with a line that counts the rest */
    POPUP_TEXT_MARKUP, /* the same for body-markup: & < > escaped, our words set off */
    POPUP_TEXT_DIALOG, /* in full, for a window that scrolls; answers are given by their digit */
};

/* The body, terminated, to be freed; NULL without memory. */
char *popup_text(const struct popup_message *message, enum popup_text_kind kind);

/* A notification's headline: who sent it, and nothing of what he wrote, the title least of all. */
void popup_text_summary(const struct popup_message *message, char out[static POPUP_SUMMARY]);

#endif
