/* SPDX-License-Identifier: MIT */
/*
 * The page that a tmux popup shows: head, a window on the text, answers, what to do. Our own words
 * are plain ASCII, and what the sender wrote stands behind a prefix that it cannot leave; all that
 * comes from outside is escaped here once more. Pure, but for the memory it owns. It wraps by
 * wcwidth(3), so the program has called setlocale(LC_CTYPE, "C.UTF-8").
 */
#ifndef MSG_DAEMON_POPUP_VIEW_H
#define MSG_DAEMON_POPUP_VIEW_H

#include "daemon/popup.h"

#include <stdio.h>

#define VIEW_COLUMNS_MIN 16
#define VIEW_LINES_MAX   200
#define VIEW_TEXT_ROWS                                                                             \
    3 /* the head is cut to one row rather than that fewer are left of the text */

struct view;

/* A copy, laid out for no size yet; NULL without memory. */
struct view *view_new(const struct popup_message *message);
void view_free(struct view *view);

/*
 * Lays it out for a screen of so many columns and lines, of which it takes no more than
 * ROWS_COLUMNS and VIEW_LINES_MAX. False: too small for head, a row of text, answers and what to
 * do.
 */
bool view_resize(struct view *view, unsigned columns, unsigned lines);

/* The lines it would take to show all of it in so many columns; VIEW_LINES_MAX is the most. */
unsigned view_lines_wanted(const struct view *view, unsigned columns);

/* Moves the window on the text, within it: to its ends, or down by rows and whole windows. */
void view_scroll_to(struct view *view, bool end);
void view_scroll(struct view *view, int64_t rows, int64_t windows);

/* Writes the page for a terminal that knows ECMA-48. counting: keys count, and are said to. */
void view_draw(const struct view *view, bool counting, FILE *out);

#endif
