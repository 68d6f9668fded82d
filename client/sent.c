/* SPDX-License-Identifier: MIT */
#include "client/sent.h"

#include "client/print.h"
#include "client/server.h"
#include "common/file.h"
#include "common/lines.h"
#include "common/mem.h"

#include <fcntl.h>
#include <sodium.h>
#include <strings.h>

#define FILE_LIMIT ((size_t)4 * SENT_KEPT * SENT_LINE)

/* ---- a line ---------------------------------------------------------------------------------- */

static bool read_uid(struct slice field, uint8_t uid[static SENT_UID])
{
    size_t len = 0;

    return field.len == (size_t)2 * SENT_UID &&
           sodium_hex2bin(uid, SENT_UID, field.ptr, field.len, NULL, &len, NULL) == 0 &&
           len == SENT_UID;
}

static bool read_flags(struct slice field, struct sent *sent)
{
    sent->wait = slice_eq(field, SLICE("w")) || slice_eq(field, SLICE("we"));
    sent->each = slice_eq(field, SLICE("e")) || slice_eq(field, SLICE("we"));
    return sent->wait || sent->each || slice_eq(field, SLICE("-"));
}

int sent_parse(struct slice line, struct sent *ret_sent)
{
    struct sent sent = {.at_s = 0};
    struct slice fields[4], more;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (!lines_field(&line, &fields[i]))
            return -EBADMSG;
    if (lines_field(&line, &more) || !read_uid(fields[0], sent.uid) ||
        !slice_number(fields[1], INT64_MAX, &sent.at_s) || !read_flags(fields[2], &sent) ||
        fields[3].len >= sizeof(sent.server) || memchr(fields[3].ptr, '\0', fields[3].len))
        return -EBADMSG;
    memcpy(sent.server, fields[3].ptr, fields[3].len);
    *ret_sent = sent;
    return 0;
}

int sent_format(const struct sent *sent, char out[static SENT_LINE])
{
    char uid[2 * SENT_UID + 1];
    struct sent same;

    sodium_bin2hex(uid, sizeof(uid), sent->uid, SENT_UID);
    int len =
        snprintf(out, SENT_LINE, "%s %llu %s %s", uid, (unsigned long long)sent->at_s,
                 sent->wait ? (sent->each ? "we" : "w") : (sent->each ? "e" : "-"), sent->server);
    return sent_parse((struct slice){out, (size_t)len}, &same); /* a path may hold anything */
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The last `n` lines, or all. */
static struct slice last_lines(struct slice text, size_t n)
{
    size_t at = text.len;

    if (at > 0 && text.ptr[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (text.ptr[at - 1] == '\n' && --n == 0)
            break;
    return slice_from(text, at);
}

int sent_search(struct slice text, const char *id, struct sent *ret_sent)
{
    struct slice rest = last_lines(text, SENT_KEPT);
    bool found = false;
    struct sent last;

    while (rest.len) {
        struct slice line = slice_of_line(slice_take_line(&rest));
        struct sent sent;
        char name[8];
        if (sent_parse(line, &sent) < 0)
            continue;
        print_uid(sent.uid, name);
        if (strncasecmp(name, id, strlen(id)) != 0)
            continue;
        if (found && id[0] && memcmp(sent.uid, last.uid, SENT_UID) != 0)
            return -EEXIST;
        found = true;
        last = sent;
    }
    if (!found)
        return -ENOENT;
    *ret_sent = last;
    return 0;
}

static int read_file(const char *file, char **ret_text, size_t *ret_len, struct diag *ret_diag)
{
    int r = file_read(file, FILE_SECRET, FILE_LIMIT, ret_text, ret_len, NULL, ret_diag);

    return r == -ENOENT ? 0 : r;
}

int sent_find(const char *file, const char *id, struct sent *ret_sent, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    struct sent sent;
    size_t len = 0;
    int r = read_file(file, &text, &len, ret_diag);

    if (r < 0)
        return r;
    r = sent_search((struct slice){text, len}, id, &sent);
    if (r == 0)
        *ret_sent = sent;
    return r == -ENOENT ? diag_set(ret_diag, r, "no message that was sent from here %s%s",
                                   id[0] ? "has the id " : "is remembered", id)
           : r == -EEXIST
               ? diag_set(ret_diag, r, "several messages have an id that begins with %s", id)
               : r;
}

/* Lines are appended whole; only now and then is the file made anew. */
static int shorten(const char *file, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = read_file(file, &text, &len, ret_diag);

    if (r < 0 || !text)
        return r;
    return file_replace(file, last_lines((struct slice){text, len}, SENT_KEPT), 0600, ret_diag);
}

int sent_add(const char *file, const struct sent *sent, struct diag *ret_diag)
{
    char line[SENT_LINE + 1];
    const char *name;
    struct stat st;

    if (sent_format(sent, line) < 0)
        return diag_errno(ret_diag, -EINVAL, file);
    strcat(line, "\n");
    CLEANUP_FD int folder = file_open_folder(file, true, FILE_SECRET, &name, ret_diag);
    if (folder < 0)
        return folder;
    CLEANUP_FD int fd = openat(
        folder, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), file);
    int r = S_ISREG(st.st_mode) ? file_judge(file, &st, FILE_SECRET, ret_diag) : -EINVAL;
    if (r < 0)
        return r;
    if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
        return diag_errno(ret_diag, -EIO, file);
    return (size_t)st.st_size < (size_t)2 * SENT_KEPT * 64 ? 0 : shorten(file, ret_diag);
}

bool sent_server(const struct sent *sent, struct call_server *ret_server)
{
    const char *error;

    if (sent->server[0] == '/')
        return server_local(strcmp(sent->server, SERVER_SOCKET) == 0 ? NULL : sent->server, NULL,
                            ret_server);
    return server_parse(sent->server, ret_server, &error);
}
