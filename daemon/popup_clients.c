/* SPDX-License-Identifier: MIT */
#include "daemon/popup_clients.h"

#include "common/mem.h"

/* Takes a word off the line: up to a blank, which is taken too, or all. */
static struct slice next_word(struct slice *line)
{
    const char *blank = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    struct slice word = {line->ptr, blank ? (size_t)(blank - line->ptr) : line->len};
    *line = slice_from(*line, blank ? word.len + 1 : word.len);
    return word;
}

/* It is said to the sender as the name of what shows his message: 3.3a, next-3.6, openbsd-7.4. */
static bool read_version(struct slice word, char out[static CLIENTS_VERSION])
{
    if (word.len < 1 || word.len >= CLIENTS_VERSION)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            return false;
    }
    memcpy(out, word.ptr, word.len);
    out[word.len] = '\0';
    return true;
}

/* What stands behind the terminal. */
static int read_client(struct slice line, struct client *ret_client)
{
    struct client client = {0};
    uint64_t columns, lines, control;
    if (!slice_number(next_word(&line), INT64_MAX, &client.active_s) ||
        !slice_number(next_word(&line), CLIENTS_SIZE, &columns) ||
        !slice_number(next_word(&line), CLIENTS_SIZE, &lines) ||
        !slice_number(next_word(&line), 1, &control) || !read_version(line, client.version) ||
        columns < 1 || lines < 1)
        return -EBADMSG;
    if (control != 0)
        return -ENOENT;
    client.columns = (unsigned)columns;
    client.lines = (unsigned)lines;
    *ret_client = client;
    return 0;
}

int client_find(struct slice list, const char *terminal, struct client *ret_client)
{
    while (list.len > 0) {
        struct slice line = slice_of_line(slice_take_line(&list));
        if (slice_eq(next_word(&line), slice_of(terminal)))
            return read_client(line, ret_client);
    }
    return -ENOENT;
}
