/* SPDX-License-Identifier: MIT */
#include "common/known_hosts.h"

#include "common/file.h"
#include "common/keys.h"
#include "common/lines.h"
#include "common/mem.h"
#include "protocol/limits.h"

#include <fcntl.h>
#include <sys/file.h>

/* Letters, digits and what stands in names, addresses and zones; no blank, no comma, no bracket. */
static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
           (c && strchr("._-:%", c));
}

int known_host_name(char out[static KNOWN_HOST_NAME], const char *host, unsigned port)
{
    char name[256];
    size_t len = strlen(host);
    if (len < 1 || len >= sizeof(name) || port < 1 || port > 65535)
        return -EINVAL;
    for (size_t i = 0; i <= len; i++)
        name[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 'a' - 'A' : host[i]);
    for (size_t i = 0; i < len; i++)
        if (!is_host_byte(name[i]))
            return -EINVAL;
    snprintf(out, KNOWN_HOST_NAME, port == KNOWN_HOSTS_PORT ? "%s" : "[%s]:%u", name, port);
    return 0;
}

/* One line's name and key; NULL, or why it is no line of known_hosts. */
static const char *read_line(struct slice line, struct slice *name, struct noise_public *key)
{
    struct slice text;
    if (!lines_field(&line, name))
        return "no name";
    if (name->ptr[0] == '@' || name->ptr[0] == '|')
        return "markers and hashed names are not supported by this version";
    for (size_t i = 0; i < name->len; i++)
        if (!is_host_byte(name->ptr[i]) && name->ptr[i] != '[' && name->ptr[i] != ']')
            return "a name is `host` or `[host]:port`, in lower case";
    if (!lines_field(&line, &text))
        return "no key";
    return key_parse(text, key) < 0 ? "the key is not x25519: and 43 characters" : NULL;
}

/* The first line of the name decides, unless a later one has the key. */
static void weigh(struct known_host_match *match, const struct noise_public *line_key,
                  const struct noise_public *key, size_t line)
{
    bool same = key_equal(line_key, key);
    if (match->verdict == KNOWN_HOST_TRUSTED || (match->verdict == KNOWN_HOST_CHANGED && !same))
        return;
    *match = (struct known_host_match){
        .verdict = same ? KNOWN_HOST_TRUSTED : KNOWN_HOST_CHANGED, .line = line, .key = *line_key};
}

int known_hosts_search(struct slice text, const char *name, const struct noise_public *key,
                       struct known_host_match *ret_match, const char **ret_reason,
                       size_t *ret_line)
{
    struct known_host_match match = {.verdict = KNOWN_HOST_UNKNOWN};
    struct lines lines = {.rest = text};
    struct slice line, line_name;
    struct noise_public line_key;
    const char *reason;
    while (lines_next(&lines, &line, &reason)) {
        reason = read_line(line, &line_name, &line_key);
        if (reason)
            break;
        if (slice_eq(line_name, slice_of(name)))
            weigh(&match, &line_key, key, lines.number);
    }
    if (reason) {
        *ret_reason = reason;
        *ret_line = lines.number;
        return -EBADMSG;
    }
    *ret_match = match;
    return 0;
}

static int search_file(const char *file, const char *name, const struct noise_public *key,
                       struct known_host_match *match, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0, line = 0;
    const char *reason = NULL;
    int r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    r = known_hosts_search((struct slice){text, len}, name, key, match, &reason, &line);
    if (r < 0)
        return diag_set(ret_diag, r, "%s:%zu: %s", file, line, reason);
    match->file = match->verdict == KNOWN_HOST_UNKNOWN ? NULL : file;
    return 0;
}

int known_hosts_lookup(const char *const files[KNOWN_HOSTS_FILES], const char *name,
                       const struct noise_public *key, struct known_host_match *ret_match,
                       struct diag *ret_diag)
{
    struct known_host_match match = {.verdict = KNOWN_HOST_UNKNOWN};
    for (size_t i = 0; i < KNOWN_HOSTS_FILES && files[i]; i++) {
        int r = search_file(files[i], name, key, &match, ret_diag);
        if (r < 0)
            return r;
        if (match.verdict != KNOWN_HOST_UNKNOWN)
            break;
    }
    *ret_match = match;
    return 0;
}

/* Opened for appending and locked: two processes that trust at once write two whole lines. */
static int open_locked(const char *file, struct diag *ret_diag)
{
    const char *name;
    struct stat st;
    CLEANUP_FD int folder = file_open_folder(file, true, FILE_TRUSTED, &name, ret_diag);
    if (folder < 0)
        return folder;
    CLEANUP_FD int fd =
        openat(folder, name, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), file);
    if (!S_ISREG(st.st_mode))
        return diag_set(ret_diag, -EINVAL, "%s is not a regular file", file);
    int r = file_judge(file, &st, FILE_TRUSTED, ret_diag);
    if (r < 0)
        return r;
    return flock(fd, LOCK_EX) < 0 ? diag_errno(ret_diag, mem_errno(), file) : TAKE_FD(fd);
}

/* A last line without its LF is ended first. */
static int append_line(int fd, const char *file, const char *name, const struct noise_public *key,
                       struct diag *ret_diag)
{
    char line[KNOWN_HOST_NAME + KEY_TEXT_LEN + 4], text[KEY_TEXT_LEN + 1], last = '\n';
    off_t size = lseek(fd, 0, SEEK_END);
    if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
        return diag_errno(ret_diag, -EIO, file);
    key_format(key, text);
    int len = snprintf(line, sizeof(line), "%s%s %s\n", last == '\n' ? "" : "\n", name, text);
    ssize_t put = write(fd, line, (size_t)len);
    if (put != len || fsync(fd) < 0)
        return diag_errno(ret_diag, put < 0 ? mem_errno() : -EIO, file);
    return 0;
}

int known_hosts_append(const char *file, const char *name, const struct noise_public *key,
                       struct diag *ret_diag)
{
    struct known_host_match match = {.verdict = KNOWN_HOST_UNKNOWN};
    CLEANUP_FD int fd = open_locked(file, ret_diag);
    if (fd < 0)
        return fd;
    int r = search_file(file, name, key, &match, ret_diag);
    if (r < 0 || match.verdict == KNOWN_HOST_TRUSTED)
        return r;
    if (match.verdict == KNOWN_HOST_CHANGED)
        return diag_set(ret_diag, -EEXIST, "%s:%zu: %s is known there by another key", file,
                        match.line, name);
    return append_line(fd, file, name, key, ret_diag);
}
