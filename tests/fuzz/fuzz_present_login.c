/* SPDX-License-Identifier: MIT */
/*
 * What logind may say of a session: lines of a property's name, a blank, its type, and its value
 * (text, or a decimal number). What passes is clean.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/present_login.h"
#include "daemon/present_user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_text(const char *field, size_t size)
{
    size_t len = strnlen(field, size);

    check(len < size);
    for (size_t i = 0; i < len; i++)
        check(field[i] >= 0x20 && field[i] < 0x7f);
    for (size_t i = len; i < size; i++)
        check(field[i] == '\0');
}
#define CHECK_TEXT(field) check_text(field, sizeof(field))

static void check_record(const struct login_record *record)
{
    CHECK_TEXT(record->id);
    CHECK_TEXT(record->line);
    CHECK_TEXT(record->display);
    CHECK_TEXT(record->seat);
    CHECK_TEXT(record->from);
    CHECK_TEXT(record->class);
    CHECK_TEXT(record->type);
    CHECK_TEXT(record->state);
    check(record->line[0] == '\0' || device_is_line(record->line));
    check(record->vt <= 63 && record->since_us >= 0 && record->idle_since_us >= 0);
    if (!login_is_whole(record))
        return;
    check(record->id[0] != '\0' && user_is_name(record->user));
    check(record->uid != (uid_t)-1 && record->leader >= 1);
}

static void take_line(struct login_record *record, char *line)
{
    char *value = strchr(line, ' ');

    if (!value || value[1] == '\0')
        return;
    *value++ = '\0';
    const struct login_value given = {
        .type = value[0], .text = value + 1, .number = strtoull(value + 1, NULL, 10)};
    (void)login_property_type(line);
    (void)login_take(record, line, &given);
    check_record(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct login_record record = {0};
    char *text = malloc(size + 1), *next;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *line = text; line < text + size; line = next) {
        char *stop = memchr(line, '\n', (size_t)(text + size - line));
        next = stop ? stop + 1 : text + size;
        if (stop)
            *stop = '\0';
        take_line(&record, line);
    }
    free(text);
    return 0;
}
