/* SPDX-License-Identifier: MIT */
/*
 * A message nobody waits for, as one line in tmux' status line: the command that shows it, for
 * `tmux source-file -`. tmux expands formats (#{}, #()), styles (#[]) and times (%H) in it and
 * reads the command as a shell does; what the sender wrote reaches the screen as he wrote it. Pure.
 */
#ifndef MSG_DAEMON_POPUP_STATUS_H
#define MSG_DAEMON_POPUP_STATUS_H

#include "daemon/popup.h"

#define STATUS_SIZE 16384 /* enough for a line of ROWS_COLUMNS, whatever is in it */

/*
 * The command's bytes, with its line's end: the message in at most so many columns, with how to
 * read it in full, for so long. terminal: the client's, as /dev/pts/3.
 */
size_t status_command(const struct popup_message *message, const char *terminal, unsigned columns,
                      unsigned shown_ms, char out[static STATUS_SIZE]);

/* The command that clears the line again. */
size_t status_clear(const char *terminal, char out[static STATUS_SIZE]);

#endif
