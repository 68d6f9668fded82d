/* SPDX-License-Identifier: MIT */
/*
 * Whatever the text: what a terminal is sent keeps its bounds, is clean UTF-8 with CRLF and one
 * bell, and every row stands behind a prefix or is one of our own lines.
 */
#include <locale.h>
#include <stdlib.h>

#include "daemon/present_layout.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static bool begins(const char *row, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(row, with, strlen(with)) == 0;
}

static void check_row(const char *row, size_t len)
{
    static const char *const heads[] = {"| ", "  ",          "Message",   "Title",
                                        "[",  "To confirm ", "To answer,"};
    bool known = false;

    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
        known = known || begins(row, len, heads[i]);
    check(known);
    for (size_t i = 0; i < len; i++)
        check((unsigned char)row[i] >= 0x20 && row[i] != 0x7f);
}

static void check_page(const char *out, size_t len)
{
    unsigned rows = 0;

    check(len <= LIM_TERMINAL_WRITE && begins(out, len, "\r\n\a"));
    check(utf8_valid((struct slice){out, len}));
    for (size_t at = 3; at < len; rows++) {
        const char *end = memmem(out + at, len - at, "\r\n", 2);
        check(end != NULL);
        check_row(out + at, (size_t)(end - out) - at);
        at = (size_t)(end - out) + 2;
    }
    check(rows <= LIM_TERMINAL_LINES);
}

/* Two bytes of lengths, one of columns, one of flags; then sender, title and text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[LIM_TERMINAL_WRITE];
    const char *bytes = (const char *)data + 4;

    if (size < 4 || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 0;
    size_t left = size - 4, sender = data[0] < left ? data[0] : left;
    size_t title = data[1] < left - sender ? data[1] : left - sender;
    struct layout_message message = {
        .sender = {bytes, sender},
        .title = {bytes + sender, title},
        .text = {bytes + sender + title, left - sender - title},
        .answers =
            data[3] & 4
                ? SLICE("Yes\nNo, and a label that is as long as one can be: 64 bytes.....\n")
                : (struct slice){NULL, 0},
        .user = "bob",
        .host = "h2",
        .time = "14:05",
        .number = data[3] & 2 ? 7 : 0,
        .wait = data[3] & 1,
        .bytes = data[3] & 8,
    };
    ssize_t len = layout_message(&message, data[2], out);

    check(len > 0);
    check_page(out, (size_t)len);
    for (ssize_t i = 0; message.bytes && i < len; i++)
        check((out[i] & 0xE0) != 0x80);
    return 0;
}
