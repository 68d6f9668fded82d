/* SPDX-License-Identifier: MIT */
#include "common/known_hosts.h"

#include "common/file.h"
#include "common/keys.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/pattern.h"
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

struct line {
    enum known_host_mark mark;
    struct slice names; /* a name, or patterns */
    struct any_key key;
};

static const char *read_pin(struct slice rest, struct line *line)
{
    struct slice text;
    struct noise_public key;
    if (line->names.ptr[0] == '|')
        return "hashed names are for ssh's own known_hosts";
    for (size_t i = 0; i < line->names.len; i++)
        if (!is_host_byte(line->names.ptr[i]) && !strchr("[]", line->names.ptr[i]))
            return "a name is `host` or `[host]:port`, in lower case";
    if (!lines_field(&rest, &text))
        return "no key behind the name, x25519: and 43 characters";
    if (key_parse(text, &key) < 0)
        return "the key is not x25519: and 43 characters";
    line->key = any_key_static(&key);
    return NULL;
}

static const char *read_marked(struct slice rest, struct line *line)
{
    if (!lines_field(&rest, &line->names) || !patterns_valid(line->names))
        return "behind the mark no names or patterns, of a-z 0-9 . _ - * ?";
    if (any_key_take(&rest, &line->key) < 0)
        return "no key of x25519 or ssh-ed25519 behind the names";
    if (line->mark == KNOWN_HOST_CA && line->key.kind != ANY_KEY_SSH)
        return "a @cert-authority's key is an ssh-ed25519 key";
    return NULL;
}

/* NULL, or why it is no line of known_hosts. */
static const char *read_line(struct slice rest, struct line *line)
{
    struct slice first;
    if (!lines_field(&rest, &first))
        return "no name";
    *line = (struct line){.mark = KNOWN_HOST_PIN, .names = first};
    if (slice_eq(first, SLICE("@cert-authority")))
        line->mark = KNOWN_HOST_CA;
    else if (slice_eq(first, SLICE("@revoked")))
        line->mark = KNOWN_HOST_REVOKED;
    else if (first.ptr[0] == '@')
        return "the marks are @cert-authority and @revoked";
    return line->mark == KNOWN_HOST_PIN ? read_pin(rest, line) : read_marked(rest, line);
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
    struct slice text_line;
    struct line line;
    const char *reason;
    while (lines_next(&lines, &text_line, &reason)) {
        reason = read_line(text_line, &line);
        if (reason)
            break;
        struct noise_public line_key = any_key_to_static(&line.key);
        if (line.mark == KNOWN_HOST_PIN && slice_eq(line.names, slice_of(name)))
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

int known_hosts_search_marked(struct slice text, enum known_host_mark mark, const char *host,
                              const struct any_key *key, size_t *ret_line, const char **ret_reason)
{
    struct lines lines = {.rest = text};
    struct slice text_line;
    struct line line;
    size_t found = 0;
    const char *reason;
    while (lines_next(&lines, &text_line, &reason)) {
        reason = read_line(text_line, &line);
        if (reason)
            break;
        if (!found && line.mark == mark && any_key_compare(&line.key, key) == 0 &&
            patterns_match(line.names, slice_of(host)))
            found = lines.number;
    }
    *ret_line = reason ? lines.number : found;
    if (reason)
        *ret_reason = reason;
    return reason ? -EBADMSG : found != 0;
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

int known_hosts_marked(const char *const files[KNOWN_HOSTS_FILES], enum known_host_mark mark,
                       const char *host, const struct any_key *key,
                       struct known_host_match *ret_match, struct diag *ret_diag)
{
    for (size_t i = 0; i < KNOWN_HOSTS_FILES && files[i]; i++) {
        CLEANUP_FREE char *text = NULL;
        const char *reason = NULL;
        size_t len = 0, line = 0;
        int r = file_read(files[i], FILE_TRUSTED, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);
        if (r < 0 && r != -ENOENT)
            return r;
        r = known_hosts_search_marked((struct slice){text, len}, mark, host, key, &line, &reason);
        if (r < 0)
            return diag_set(ret_diag, r, "%s:%zu: %s", files[i], line, reason);
        if (r > 0) {
            *ret_match = (struct known_host_match){.file = files[i], .line = line};
            return 1;
        }
    }
    return 0;
}

/* Whether the file that was opened still stands at its name: another may have replaced it. */
static bool still_stands(int folder, const char *name, const struct stat *opened)
{
    struct stat st;
    return fstatat(folder, name, &st, 0) == 0 && st.st_dev == opened->st_dev &&
           st.st_ino == opened->st_ino;
}

static int lock_file(int folder, const char *name, const char *file, struct stat *ret_st,
                     struct diag *ret_diag)
{
    CLEANUP_FD int fd =
        openat(folder, name, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, ret_st) < 0)
        return diag_errno(ret_diag, mem_errno(), file);
    if (!S_ISREG(ret_st->st_mode))
        return diag_set(ret_diag, -EINVAL, "%s is not a regular file", file);
    int r = file_judge(file, ret_st, FILE_TRUSTED, ret_diag);
    if (r < 0)
        return r;
    return flock(fd, LOCK_EX) < 0 ? diag_errno(ret_diag, mem_errno(), file) : TAKE_FD(fd);
}

/* Opened for appending and locked: two processes that trust at once write two whole lines. */
static int open_locked(const char *file, struct diag *ret_diag)
{
    const char *name;
    struct stat st;
    CLEANUP_FD int folder = file_open_folder(file, true, FILE_TRUSTED, &name, ret_diag);
    if (folder < 0)
        return folder;
    for (;;) {
        int fd = lock_file(folder, name, file, &st, ret_diag);
        if (fd < 0 || still_stands(folder, name, &st))
            return fd;
        close(fd);
    }
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

/* A whole line, with its end; the lines that hold nothing are given too, as no pin. */
static struct slice take_line(struct slice *text, struct line *ret_line)
{
    struct slice whole = slice_take_line(text), trimmed;
    struct lines lines = {.rest = whole};
    const char *reason;
    if (!lines_next(&lines, &trimmed, &reason) || read_line(trimmed, ret_line))
        ret_line->mark = KNOWN_HOST_CA;
    return whole;
}

/* The text without the name's pins, into out, which is as long as text. */
static size_t cut(struct slice text, const char *name, char *out, size_t *ret_removed)
{
    struct line line;
    size_t len = 0, removed = 0;
    while (text.len > 0) {
        struct slice whole = take_line(&text, &line);
        if (line.mark == KNOWN_HOST_PIN && slice_eq(line.names, slice_of(name))) {
            removed++;
            continue;
        }
        memcpy(out + len, whole.ptr, whole.len);
        len += whole.len;
    }
    *ret_removed = removed;
    return len;
}

int known_hosts_remove(const char *file, const char *name, size_t *ret_removed,
                       struct diag *ret_diag)
{
    static const struct noise_public none;
    struct known_host_match match = {.verdict = KNOWN_HOST_UNKNOWN};
    CLEANUP_FREE char *text = NULL;
    size_t len, removed = 0;
    int r = search_file(file, name, &none, &match, ret_diag);
    if (r < 0)
        return r;
    if (match.verdict == KNOWN_HOST_UNKNOWN) {
        *ret_removed = 0;
        return 0;
    }
    CLEANUP_FD int fd = open_locked(file, ret_diag);
    if (fd < 0)
        return fd;
    r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);
    if (r < 0)
        return r;
    CLEANUP_FREE char *rest = malloc(len + 1);
    if (!rest)
        return diag_errno(ret_diag, -ENOMEM, file);
    len = cut((struct slice){text, len}, name, rest, &removed);
    r = removed > 0 ? file_replace(file, (struct slice){rest, len}, 0600, ret_diag) : 0;
    if (r == 0)
        *ret_removed = removed;
    return r;
}

int known_hosts_each(const char *file, known_hosts_fn *call, void *context, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    struct slice text_line;
    struct line line;
    const char *reason;
    int r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    struct lines lines = {.rest = {text, len}};
    while (lines_next(&lines, &text_line, &reason)) {
        reason = read_line(text_line, &line);
        if (reason)
            break;
        call(context,
             &(struct known_host_line){line.mark, line.names, &line.key, file, lines.number});
    }
    return reason ? diag_set(ret_diag, -EBADMSG, "%s:%zu: %s", file, lines.number, reason) : 0;
}
