/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include "common/mem.h"
#include "common/text.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>

#define LOG_LINE 1024

static struct {
    const char *program;
    int level;
    bool journal;
    bool never_waits;
    unsigned lost; /* lines since the last that was taken */
} log_state = {.program = "msg", .level = LOG_INFO};

/* JOURNAL_STREAM names the journal's stream by device and inode (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_start(const char *program, int level, enum log_style style)
{
    log_state.program = program;
    log_state.level = level;
    log_state.journal =
        style == LOG_STYLE_JOURNAL || (style == LOG_STYLE_AUTO && stderr_is_journal());
}

bool log_enabled(int level)
{
    return level <= log_state.level;
}

/* A description of its own: O_NONBLOCK on a shared one would be everybody's. */
static void own_stderr(void)
{
    struct stat st;
    if (fstat(STDERR_FILENO, &st) < 0 || !(S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)))
        return;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    dup2(fd, STDERR_FILENO);
    close(fd);
}

void log_never_wait(void)
{
    own_stderr();
    log_state.never_waits = true;
}

/* Nobody is left to be told if stderr is gone. */
static bool put(const char *line, size_t len)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (log_state.never_waits && poll(&ready, 1, 0) == 0)
        return false;
    return write(STDERR_FILENO, line, len) >= 0 || errno != EAGAIN;
}

static size_t log_head(int level, char *out, size_t capacity)
{
    int len = log_state.journal ? snprintf(out, capacity, "<%d>", level)
                                : snprintf(out, capacity, "%s: ", log_state.program);
    return len > 0 && (size_t)len < capacity ? (size_t)len : 0;
}

static void put_counted(const char *line, size_t len)
{
    char told[128];
    if (log_state.lost > 0) {
        size_t head = log_head(LOG_WARNING, told, 64);
        int count = snprintf(told + head, sizeof(told) - head,
                             "%u lines are missing here: stderr took nothing\n", log_state.lost);
        if (put(told, head + (size_t)count))
            log_state.lost = 0;
    }
    if (log_state.lost > 0 || !put(line, len))
        log_state.lost++;
}

void log_line(int level, const char *format, ...)
{
    int saved = errno;
    char text[LOG_LINE], line[LOG_LINE + 64];
    va_list arguments;
    if (!log_enabled(level))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t len = log_head(level, line, 64);
    len += text_escape(slice_of(text), TEXT_ONE_LINE, line + len, sizeof(line) - len - 1);
    line[len++] = '\n';
    put_counted(line, len);
    errno = saved;
}

void log_long(int level, struct slice text)
{
    int saved = errno;
    char line[LOG_RECORD + 64];
    if (!log_enabled(level))
        return;
    size_t len = log_head(level, line, 64);
    len += text_escape(text, TEXT_ONE_LINE, line + len, LOG_RECORD);
    line[len++] = '\n';
    put_counted(line, len);
    errno = saved;
}

bool log_is_journal(void)
{
    return log_state.journal;
}

void log_foreign(struct slice text)
{
    int saved = errno;
    char line[TEXT_ESCAPED(LOG_LINE)];
    size_t len = text_escape(text, TEXT_ONE_LINE, line, sizeof(line) - 1);
    line[len++] = '\n';
    put_counted(line, len);
    errno = saved;
}

bool log_limit_pass(struct log_limit *limit, const char *source, uint64_t now_ms,
                    uint64_t *ret_held)
{
    size_t oldest = 0, i;
    for (i = 0; i < LOG_LIMIT_SOURCES; i++) {
        if (limit->entries[i].at_ms < limit->entries[oldest].at_ms)
            oldest = i;
        if (strncmp(limit->entries[i].source, source, LOG_LIMIT_SOURCE - 1) == 0)
            break;
    }
    size_t slot = i < LOG_LIMIT_SOURCES ? i : oldest;
    uint64_t at = limit->entries[slot].at_ms;
    if (at != 0 && now_ms - at < limit->period_ms) {
        limit->held++;
        return false;
    }
    limit->entries[slot].at_ms = now_ms;
    snprintf(limit->entries[slot].source, LOG_LIMIT_SOURCE, "%s", source);
    *ret_held = limit->held;
    limit->held = 0;
    return true;
}
