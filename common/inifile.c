/* SPDX-License-Identifier: MIT */
#include "common/inifile.h"

#include "common/mem.h"
#include "common/text.h"
#include "protocol/limits.h"

#include <ini.h>

struct reading {
    struct slice rest;
    size_t line;
    inifile_entry entry;
    void *context;
    int error; /* the first one, of this line */
    size_t error_line;
    struct diag why;
};

static struct slice take_line(struct reading *reading)
{
    struct slice line = slice_of_line(slice_take_line(&reading->rest));
    reading->line++;
    /* inih would take an indented line for the continuation of the one before. */
    while (line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        line = slice_from(line, 1);
    return line;
}

/* inih ignores whatever stands behind the bracket of a section. */
static bool is_sound_header(struct slice line)
{
    const char *bracket = memchr(line.ptr, ']', line.len);
    if (!bracket)
        return true; /* inih's own error */
    struct slice rest = slice_from(line, (size_t)(bracket - line.ptr) + 1);
    while (rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
        rest = slice_from(rest, 1);
    return rest.len == 0 || rest.ptr[0] == ';' || rest.ptr[0] == '#';
}

static int judge(struct slice line, struct diag *ret_diag)
{
    struct text_fault fault;
    if (line.len > LIM_CONFIG_LINE)
        return diag_set(ret_diag, -EMSGSIZE, "longer than %d bytes", LIM_CONFIG_LINE);
    if (line.len && text_check(line, &fault) < 0 && fault.line)
        return diag_set(ret_diag, -EBADMSG, "column %zu: %s", fault.column, fault.what);
    if (line.len && line.ptr[0] == '[' && !is_sound_header(line))
        return diag_set(ret_diag, -EBADMSG, "text behind the section's name");
    return 0;
}

static void fail(struct reading *reading, int error)
{
    reading->error = error;
    reading->error_line = reading->line;
}

/* inih's fgets: it goes on after an error, so the file ends here for it. */
static char *next_line(char *out, int capacity, void *stream)
{
    struct reading *reading = stream;
    if (reading->error < 0 || reading->rest.len == 0)
        return NULL;
    struct slice line = take_line(reading);
    int r = judge(line, &reading->why);
    if (r == 0 && line.len + 2 > (size_t)capacity)
        r = diag_set(&reading->why, -EMSGSIZE, "longer than %d bytes", capacity - 2);
    if (r < 0) {
        fail(reading, r);
        return NULL;
    }
    memcpy(out, line.ptr, line.len);
    memcpy(out + line.len, "\n", 2);
    return out;
}

static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;
    int r = reading->error < 0
                ? 0
                : reading->entry(reading->context, section, key, value, &reading->why);
    if (r < 0)
        fail(reading, r);
    return reading->error == 0;
}

int inifile_read(const char *file, struct slice text, inifile_entry entry, void *context,
                 struct diag *ret_diag)
{
    struct reading reading = {.rest = text, .entry = entry, .context = context};
    int wrong = ini_parse_stream(next_line, &reading, take_entry, &reading);
    bool syntax = wrong > 0 && (reading.error == 0 || (size_t)wrong < reading.error_line);
    if (wrong < 0)
        return diag_set(ret_diag, -ENOMEM, "%s: no memory", file);
    if (syntax)
        return diag_set(ret_diag, -EBADMSG, "%s:%d: neither [section] nor key = value", file,
                        wrong);
    if (reading.error < 0)
        return diag_set(ret_diag, reading.error, "%s:%zu: %.900s", file, reading.error_line,
                        reading.why.text);
    return 0;
}
