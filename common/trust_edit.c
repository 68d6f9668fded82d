/* SPDX-License-Identifier: MIT */
#include "common/trust_edit.h"

#include "common/file.h"
#include "common/lines.h"
#include "common/mem.h"

/* A file's text while it is locked, and the text that is to replace it. */
struct editing {
    char *old;
    size_t old_len;
    char *new;
    size_t new_len;
    int lock;
};

static void editing_end(struct editing *editing)
{
    free(editing->old);
    free(editing->new);
    mem_close_fd(&editing->lock);
}
#define CLEANUP_EDITING __attribute__((cleanup(editing_end)))

static int read_text(const char *file, char **ret_text, size_t *ret_len, struct diag *ret_diag)
{
    int r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE, ret_text, ret_len, NULL, ret_diag);
    return r == -ENOENT ? 0 : r;
}

int trust_read_authorized(const char *file, struct authorized_keys *ret_keys, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = read_text(file, &text, &len, ret_diag);
    return r < 0 ? r : authorized_keys_parse(file, (struct slice){text, len}, ret_keys, ret_diag);
}

int trust_read_revoked(const char *file, struct revoked_keys *ret_keys, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = read_text(file, &text, &len, ret_diag);
    return r < 0 ? r : revoked_keys_parse(file, (struct slice){text, len}, ret_keys, ret_diag);
}

/* Room for `more` bytes and two LFs beyond the old text. */
static int editing_start(struct editing *editing, const char *file, size_t more,
                         struct diag *ret_diag)
{
    editing->lock = file_lock_folder(file, ret_diag);
    if (editing->lock < 0)
        return editing->lock;
    int r = read_text(file, &editing->old, &editing->old_len, ret_diag);
    if (r < 0)
        return r;
    editing->new = malloc(editing->old_len + more + 2);
    return editing->new ? 0 : diag_errno(ret_diag, -ENOMEM, file);
}

static void put(struct editing *editing, struct slice text)
{
    if (text.len)
        memcpy(editing->new + editing->new_len, text.ptr, text.len);
    editing->new_len += text.len;
}

static void put_line(struct editing *editing, struct slice line)
{
    if (editing->new_len && editing->new[editing->new_len - 1] != '\n')
        put(editing, SLICE("\n"));
    put(editing, line);
    put(editing, SLICE("\n"));
}

/* Whether a raw line, which may be a comment, begins with the key. */
static bool is_line_of(struct slice raw, const struct any_key *key)
{
    struct lines lines = {.rest = raw};
    struct slice line;
    struct any_key found;
    const char *reason;
    if (!lines_next(&lines, &line, &reason))
        return false;
    slice_take(&line, SLICE("ca:"));
    return any_key_take(&line, &found) == 0 && any_key_compare(&found, key) == 0;
}

/* Copies all lines; in the place of the key's line the given one, or none. True if it was there. */
static bool copy_lines(struct editing *editing, const struct any_key *key, struct slice line)
{
    struct slice rest = {editing->old, editing->old_len};
    bool found = false;
    while (rest.len) {
        struct slice raw = slice_take_line(&rest);
        if (!is_line_of(raw, key)) {
            put(editing, raw);
            continue;
        }
        found = true;
        if (line.len)
            put_line(editing, line);
    }
    return found;
}

static bool is_unchanged(const struct editing *editing)
{
    return slice_eq((struct slice){editing->old, editing->old_len},
                    (struct slice){editing->new, editing->new_len});
}

/*
 * A sound file has a key once, and with a sound line in it is sound; errors have its own numbers.
 */
static int check_old(const char *file, const struct editing *editing, struct diag *ret_diag)
{
    struct authorized_keys keys;
    struct slice old = {editing->old, editing->old_len};
    int r = authorized_keys_parse(file, old, &keys, ret_diag);
    if (r == 0)
        authorized_keys_free(&keys);
    return r;
}

/* Not what would be too long to be read again. */
static int write_text(const char *file, const struct editing *editing, struct diag *ret_diag)
{
    struct slice new = {editing->new, editing->new_len};
    if (new.len > LIM_TRUST_FILE)
        return diag_set(ret_diag, -EFBIG, "%s would be longer than %d bytes", file, LIM_TRUST_FILE);
    return file_replace(file, new, 0644, ret_diag);
}

int trust_authorize(const char *file, struct slice line, enum trust_edit *ret_edit,
                    struct diag *ret_diag)
{
    CLEANUP_EDITING struct editing editing = {.lock = -1};
    struct authorized_key key;
    int r = authorized_key_parse(line, &key, ret_diag);
    r = r < 0 ? r : editing_start(&editing, file, line.len, ret_diag);
    r = r < 0 ? r : check_old(file, &editing, ret_diag); /* before its lines are counted upon */
    if (r < 0)
        return r;
    bool found = copy_lines(&editing, &key.key, line);
    if (!found)
        put_line(&editing, line);
    bool unchanged = is_unchanged(&editing);
    r = unchanged ? 0 : write_text(file, &editing, ret_diag);
    if (r == 0)
        *ret_edit = unchanged ? TRUST_UNCHANGED : found ? TRUST_REPLACED : TRUST_ADDED;
    return r;
}

int trust_remove(const char *file, const struct any_key *key, enum trust_edit *ret_edit,
                 struct diag *ret_diag)
{
    CLEANUP_EDITING struct editing editing = {.lock = -1};
    int r = editing_start(&editing, file, 0, ret_diag);
    if (r < 0)
        return r;
    bool found = copy_lines(&editing, key, (struct slice){NULL, 0});
    r = found ? check_old(file, &editing, ret_diag) : 0;
    r = found && r == 0 ? write_text(file, &editing, ret_diag) : r;
    if (r == 0)
        *ret_edit = found ? TRUST_REMOVED : TRUST_UNCHANGED;
    return r;
}

static int append_revoked(const char *file, struct slice line, struct diag *ret_diag)
{
    CLEANUP_EDITING struct editing editing = {.lock = -1};
    struct revoked_keys keys;
    int r = editing_start(&editing, file, line.len, ret_diag);
    if (r < 0)
        return r;
    put(&editing, (struct slice){editing.old, editing.old_len});
    put_line(&editing, line);
    struct slice text = {editing.new, editing.new_len};
    r = revoked_keys_parse(file, text, &keys, ret_diag);
    if (r < 0)
        return r;
    revoked_keys_free(&keys);
    return write_text(file, &editing, ret_diag);
}

int trust_revoke(const char *file, struct slice line, enum trust_edit *ret_edit,
                 struct diag *ret_diag)
{
    struct slice rest = line;
    struct revoked_keys keys;
    struct revoked revoked;
    int r = trust_read_revoked(file, &keys, ret_diag);
    if (r < 0)
        return r;
    bool there = revoked_take(&rest, &revoked) == 0 && revoked_keys_find(&keys, &revoked);
    revoked_keys_free(&keys);
    r = there ? 0 : append_revoked(file, line, ret_diag);
    if (r == 0)
        *ret_edit = there ? TRUST_UNCHANGED : TRUST_ADDED;
    return r;
}
