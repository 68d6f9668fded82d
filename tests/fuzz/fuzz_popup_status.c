/* SPDX-License-Identifier: MIT */
/*
 * Whatever the message: the command for tmux is one line with one quoted argument, in which every #
 * and % stands twice, and no control.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/popup_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* Reads the argument as tmux does: quoted strings one after another, to the line's end. */
static void check_argument(const char *at)
{
    while (*at != '\n') {
        char quote = *at++;
        demand(quote == '\'' || quote == '"');
        for (; *at != quote; at++) {
            demand((unsigned char)*at >= 0x20 && *at != 0x7f);
            demand(quote == '\'' || *at == '\'');
            if (*at == '#' || *at == '%')
                demand(at[1] == at[0] && at++);
        }
        at++;
    }
    demand(at[1] == '\0');
}

/* Lengths of sender and title, columns; then sender, title and text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char begin[] = "display-message -c /dev/pts/3 -d 10000 ";
    char out[STATUS_SIZE];
    if (size < 4 || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 0;
    const char *bytes = (const char *)data + 3;
    size_t left = size - 3, sender = data[0] < left ? data[0] : left;
    size_t title = data[1] < left - sender ? data[1] : left - sender;
    struct popup_message message = {
        .texts = {.sender = {bytes, sender},
                  .title = {bytes + sender, title},
                  .body = {bytes + sender + title, left - sender - title}},
        .number = data[2] % 3 ? 7 : 0,
    };
    size_t len = status_command(&message, "/dev/pts/3", data[2], 10000, out);
    demand(len < sizeof(out) && strlen(out) == len && strncmp(out, begin, strlen(begin)) == 0);
    check_argument(out + strlen(begin));
    return 0;
}
