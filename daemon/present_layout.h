/* SPDX-License-Identifier: MIT */
/*
 * What a terminal is sent, to the byte: plain text behind a prefix that it cannot leave, wrapped,
 * bounded in rows and bytes, one bell. Pure; owns nothing. It wraps by wcwidth(3), so the program
 * has called setlocale(LC_CTYPE, "C.UTF-8"). Everything that comes from outside is escaped here
 * once more (common/text.h), whoever has checked it before.
 */
#ifndef MSG_DAEMON_PRESENT_LAYOUT_H
#define MSG_DAEMON_PRESENT_LAYOUT_H

#include "daemon/boundary.h"
#include "daemon/present_rows.h"
#include "protocol/slice.h"

/* A terminal that says it is narrower or wider is laid out as if it had these columns. */
#define LAYOUT_COLUMNS_MIN 16
#define LAYOUT_COLUMNS_MAX ROWS_COLUMNS

struct layout_message {
    struct slice sender, title, text; /* title may be empty */
    struct slice answers;             /* labels, each ended by LF; may be empty */
    const char *user, *host, *time;   /* to whom, on which host, the time as printed */
    uint32_t number;                  /* 0: none */
    bool wait;                        /* an acknowledgement is waited for */
    bool bytes; /* the terminal may not read UTF-8: what has a control in its bytes is escaped */
};

/* The bytes for a terminal of so many columns (0: unknown); their number, or -ENOMEM. */
ssize_t layout_message(const struct layout_message *message, unsigned columns,
                       char out[static LIM_TERMINAL_WRITE]);

/* The one line that ends a message which waited: its bytes, 0 where this end leaves no line. */
size_t layout_end(enum withdraw_why why, uint32_t number, char out[static LIM_TERMINAL_WRITE]);

#endif
