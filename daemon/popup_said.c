/* SPDX-License-Identifier: MIT */
#include "daemon/popup_said.h"

#include <stdint.h>

static bool next_line(struct slice *text, struct slice *ret_line)
{
    const char *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    if (!end)
        return false;
    *ret_line = (struct slice){text->ptr, (size_t)(end - text->ptr)};
    *text = slice_from(*text, ret_line->len + 1);
    return true;
}

static const char *known_program(struct slice name)
{
    return slice_eq(name, SLICE("zenity"))     ? "zenity"
           : slice_eq(name, SLICE("xmessage")) ? "xmessage"
                                               : NULL;
}

/* Of at most three digits, or UINT32_MAX. */
static uint32_t number_of(struct slice digits)
{
    uint64_t number = UINT32_MAX;
    slice_number(digits, 999, &number);
    return (uint32_t)number;
}

#define NO_BUTTON UINT32_MAX

/* The button that was pressed: 0 is OK, else its digit. */
static uint32_t pressed(const char *by, uint32_t status, struct slice label)
{
    if (strcmp(by, "xmessage") == 0)
        return status >= SAID_XMESSAGE ? status - SAID_XMESSAGE : NO_BUTTON;
    if (status != 1)
        return NO_BUTTON;
    return slice_eq(label, SLICE("OK")) ? 0 : number_of(label);
}

/* OK is there where no answers are, and the other way round. */
static enum said judge(const char *by, uint32_t status, struct slice label, unsigned answers,
                       unsigned *ret_answer)
{
    uint32_t button = pressed(by, status, label);
    if (strcmp(by, "zenity") == 0 && status == 0)
        return SAID_AGAIN;
    if (answers > 0 ? button < 1 || button > answers : button != 0)
        return SAID_DISMISSED;
    *ret_answer = button;
    return SAID_CONFIRMED;
}

enum said said_read(struct slice text, unsigned answers, const char **ret_by, unsigned *ret_answer)
{
    struct slice line, label = {0};
    const char *by = NULL;
    while (next_line(&text, &line)) {
        if (!by && slice_eq(line, SLICE("none")))
            return SAID_NONE;
        if (!by && slice_take(&line, SLICE("shown ")))
            by = known_program(line);
        else if (by && slice_take(&line, SLICE("status ")))
            return judge(by, number_of(line), label, answers, ret_answer);
        else if (by)
            label = line;
    }
    if (!by)
        return SAID_NOTHING;
    *ret_by = by;
    return SAID_OPEN;
}
