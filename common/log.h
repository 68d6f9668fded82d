/* SPDX-License-Identifier: MIT */
/*
 * Log lines on stderr. Only programs call this; libraries return what went wrong. A line is escaped
 * as a whole (common/text.h), so that nothing a peer said can break out of it, and is written by
 * one write(). Where stderr is the journal's, or LOG_STYLE_JOURNAL is asked for, a line begins with
 * <3>..<7> as sd-daemon(3) says, otherwise with the program's name.
 */
#ifndef MSG_COMMON_LOG_H
#define MSG_COMMON_LOG_H

#include "protocol/slice.h"

#include <stdint.h>
#include <syslog.h>

enum log_style { LOG_STYLE_AUTO, LOG_STYLE_PLAIN, LOG_STYLE_JOURNAL };

/* program is borrowed for ever; level is the least urgent that is written, LOG_ERR..LOG_DEBUG. */
void log_start(const char *program, int level, enum log_style style);
bool log_enabled(int level);

/* Keeps errno. A line is cut at 1,023 bytes. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * The same for text of up to LOG_RECORD bytes; still one write, which nothing comes in between of.
 */
#define LOG_RECORD 4000
void log_long(int level, struct slice text);

/* Whether the lines go to the journal. */
bool log_is_journal(void);

/*
 * For a daemon: from now on a line that stderr does not take at once is lost, and their number is
 * told with the next one. A terminal stopped by Ctrl-S or a pipe nobody reads stops no loop.
 */
void log_never_wait(void);

/* A line that another program wrote: escaped as ours are, with nothing before it. */
void log_foreign(struct slice line);

/* For "%.*s": a slice as printf takes it. */
#define LOG_SLICE(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/*
 * Once a source a minute: hostile peers must not fill the log. Bounded: while every entry is
 * younger than the time, sources that are not among them are held back as one.
 */
#define LOG_LIMIT_SOURCES 128
#define LOG_LIMIT_SOURCE  64 /* bytes of a source that count, terminated */

struct log_limit {
    uint64_t period_ms;
    uint64_t held; /* lines held back since the last that passed */
    struct {
        uint64_t at_ms;
        char source[LOG_LIMIT_SOURCE];
    } entries[LOG_LIMIT_SOURCES];
};

/*
 * Whether a line about this source may be written now (any monotonic clock, never 0). Then
 * *ret_held is how many lines, of any source, were held back since one last passed.
 */
bool log_limit_pass(struct log_limit *limit, const char *source, uint64_t now_ms,
                    uint64_t *ret_held);

#endif
