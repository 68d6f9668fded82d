/* SPDX-License-Identifier: MIT */
/*
 * Whatever stands in a tmux buffer: it is refused, or drawn within the screen, as clean UTF-8 with
 * no control but those the page is drawn with, and what the sender wrote stands behind its prefix.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/popup_message.h"
#include "daemon/popup_view.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The bytes between what steers the terminal: none of them is a control. */
static void check_row(struct slice row)
{
    static const char end[] = "\033[K";
    size_t tail = strlen(end);
    demand(row.len >= tail && memcmp(row.ptr + row.len - tail, end, tail) == 0);
    for (size_t i = 0; i < row.len - tail; i++)
        demand((unsigned char)row.ptr[i] >= 0x20 && row.ptr[i] != 0x7f);
    demand(utf8_valid(row));
}

static void check_screen(struct slice drawn, unsigned lines)
{
    static const char begin[] = "\033[?25l\033[H", end[] = "\033[J";
    unsigned rows = 0;
    demand(drawn.len > strlen(begin) + strlen(end) &&
           strncmp(drawn.ptr, begin, strlen(begin)) == 0);
    drawn = slice_from(drawn, strlen(begin));
    drawn.len -= strlen(end);
    while (drawn.len > 0) {
        const char *stop = memmem(drawn.ptr, drawn.len, "\r\n", 2);
        size_t len = stop ? (size_t)(stop - drawn.ptr) : drawn.len;
        check_row((struct slice){drawn.ptr, len});
        drawn = slice_from(drawn, stop ? len + 2 : len);
        rows++;
    }
    demand(rows > 0 && rows <= lines);
}

static void draw(const struct view *view, bool counting, unsigned lines)
{
    char *drawn = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&drawn, &len);
    demand(out != NULL);
    view_draw(view, counting, out);
    fclose(out);
    check_screen((struct slice){drawn, len}, lines);
    free(drawn);
}

static void look(struct view *view, unsigned columns, unsigned lines)
{
    demand(view_lines_wanted(view, columns) <= VIEW_LINES_MAX);
    if (!view_resize(view, columns, lines))
        return;
    draw(view, false, lines);
    view_scroll(view, 3, 1);
    draw(view, true, lines);
    view_scroll_to(view, true);
    draw(view, true, lines);
    if (view_resize(view, columns / 2, lines * 2))
        draw(view, true, lines * 2);
}

/* Columns, lines, then what stands in the buffer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct popup_message message;
    if (size < 2 || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 0;
    if (message_read((struct slice){(const char *)data + 2, size - 2}, &message) < 0)
        return 0;
    struct view *view = view_new(&message);
    demand(view != NULL);
    look(view, data[0], data[1]);
    view_free(view);
    return 0;
}
