/* SPDX-License-Identifier: MIT */
/*
 * Escaped text (common/text.h), cut into the rows of a terminal by wcwidth(3), so the program has
 * called setlocale(LC_CTYPE, "C.UTF-8"). No row is wider on any terminal than it was asked to be.
 * Pure; owns nothing: rows are borrowed from the text.
 */
#ifndef MSG_DAEMON_PRESENT_ROWS_H
#define MSG_DAEMON_PRESENT_ROWS_H

#include "protocol/slice.h"

#include <stdint.h>

#define ROWS_BYTES    1000 /* a row of nothing but combining marks ends too */
#define ROWS_HEAD     4    /* at most so many rows of one of our own lines */
#define ROWS_COLUMNS  200  /* the most columns to ask for */
#define ROWS_EXPANDED (ROWS_BYTES + 8 * ROWS_COLUMNS)

/* What is left, and in how many columns, 1..ROWS_COLUMNS. */
struct rows {
    struct slice rest;
    unsigned columns;
};

/* Takes the next row off: up to a line's end, a blank, or where no more fits. */
struct slice rows_next(struct rows *rows);

/* As much of a line as fits into one row. */
struct slice rows_cut(struct slice line, unsigned columns);

/* The columns that a line takes. */
unsigned rows_width(struct slice line);

/* How many are left. */
size_t rows_count(struct rows rows);

/* The rows of a line that must not fill the screen: their number; the last is "..." where cut. */
size_t rows_head(struct slice line, unsigned columns, struct slice ret_rows[static ROWS_HEAD]);

/* The row with blanks for its tabs, which would count from the screen's edge. The bytes. */
size_t rows_expand(struct slice row, char out[static ROWS_EXPANDED]);

#endif
