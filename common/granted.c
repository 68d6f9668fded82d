/* SPDX-License-Identifier: MIT */
#include "common/granted.h"

#include "common/file.h"
#include "common/keys.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/text.h"

#define NOBODYS_UID 65534
#define LAST_UID    UINT64_C(4294967294)
#define LONGEST     (sizeof("4294967294 ") + KEY_TEXT_LEN + sizeof(" ") + LIM_NAME + sizeof("\n\n"))

/* ---- reading --------------------------------------------------------------------------------- */

bool granted_is_sound(uint32_t uid, struct slice name)
{
    return uid != 0 && uid != NOBODYS_UID && uid <= LAST_UID && name.len <= LIM_NAME &&
           text_check_line(name, NULL) == 0 && name.ptr[0] != ' ' && name.ptr[name.len - 1] != ' ';
}

/* NULL, or what is wrong with the line. */
static const char *read_line(struct slice line, struct granted_key *ret_entry)
{
    struct slice uid_text, key_text;
    uint64_t uid = 0;

    if (!lines_field(&line, &uid_text) || !slice_number(uid_text, LAST_UID, &uid) ||
        uid_text.ptr[0] == '0' || uid == NOBODYS_UID)
        return "the line does not begin with a user's uid";
    if (!lines_field(&line, &key_text) || key_parse(key_text, &ret_entry->key) < 0)
        return "no key, x25519: and 43 characters, behind the uid";
    while (line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        line = slice_from(line, 1);
    if (!granted_is_sound((uint32_t)uid, line))
        return "no name of a user behind the key";
    ret_entry->uid = (uint32_t)uid;
    memcpy(ret_entry->name, line.ptr, line.len);
    ret_entry->name[line.len] = '\0';
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct granted_key *)a)->key.bytes,
                  ((const struct granted_key *)b)->key.bytes, NOISE_KEY);
}

static int append(struct granted *granted, size_t *room, const struct granted_key *entry)
{
    if (granted->count == *room) {
        size_t more = *room ? 2 * *room : 16;
        void *grown = reallocarray(granted->keys, more, sizeof(*granted->keys));
        if (!grown)
            return -ENOMEM;
        granted->keys = grown;
        *room = more;
    }
    granted->keys[granted->count++] = *entry;
    return 0;
}

static int read_lines(const char *file, struct slice text, struct granted *granted,
                      struct diag *ret_diag)
{
    struct lines lines = {.rest = text};
    struct granted_key entry;
    struct slice line;
    const char *reason;
    size_t room = 0;

    while (lines_next(&lines, &line, &reason)) {
        memset(&entry, 0, sizeof(entry));
        reason = read_line(line, &entry);
        if (reason)
            break;
        if (append(granted, &room, &entry) < 0)
            return diag_errno(ret_diag, -ENOMEM, file);
    }
    if (reason)
        return diag_set(ret_diag, -EBADMSG, "%s:%zu: %s", file, lines.number, reason);
    return 0;
}

/* Sorts them; the same key twice would leave open whose it is. */
static int sort(const char *file, struct granted *granted, struct diag *ret_diag)
{
    char text[KEY_TEXT_LEN + 1];

    if (granted->count == 0)
        return 0;
    qsort(granted->keys, granted->count, sizeof(*granted->keys), compare);
    for (size_t i = 1; i < granted->count; i++) {
        if (compare(&granted->keys[i - 1], &granted->keys[i]) != 0)
            continue;
        key_format(&granted->keys[i].key, text);
        return diag_set(ret_diag, -EBADMSG, "%s: %s is there twice", file, text);
    }
    return 0;
}

int granted_parse(const char *file, struct slice text, struct granted *ret_granted,
                  struct diag *ret_diag)
{
    struct granted granted = {.keys = NULL};
    int r = read_lines(file, text, &granted, ret_diag);

    r = r < 0 ? r : sort(file, &granted, ret_diag);
    if (r < 0)
        granted_free(&granted);
    else
        *ret_granted = granted;
    return r;
}

int granted_read(const char *file, struct granted *ret_granted, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(file, FILE_ANY, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);

    return r < 0 && r != -ENOENT
               ? r
               : granted_parse(file, (struct slice){text, len}, ret_granted, ret_diag);
}

void granted_free(struct granted *granted)
{
    free(granted->keys);
    *granted = (struct granted){.keys = NULL};
}

const struct granted_key *granted_find(const struct granted *granted,
                                       const struct noise_public *key)
{
    struct granted_key wanted = {.key = *key};

    return granted->count ? bsearch(&wanted, granted->keys, granted->count, sizeof(wanted), compare)
                          : NULL;
}

size_t granted_count(const struct granted *granted, uint32_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < granted->count; i++)
        n += granted->keys[i].uid == uid;
    return n;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The file as it stands, sound, with room for one more line; the caller frees both. */
static int open_old(const char *file, char **ret_text, size_t *ret_len, struct granted *ret_granted,
                    struct diag *ret_diag)
{
    int r =
        file_read(file, FILE_TRUSTED, LIM_TRUST_FILE - LONGEST, ret_text, ret_len, NULL, ret_diag);

    if (r < 0 && r != -ENOENT)
        return r;
    return granted_parse(file, (struct slice){*ret_text, *ret_len}, ret_granted, ret_diag);
}

int granted_add(const char *file, const struct granted_key *entry, struct diag *ret_diag)
{
    CLEANUP_FREE char *old = NULL, *new = NULL;
    struct granted granted;
    char key[KEY_TEXT_LEN + 1];
    size_t len = 0;

    if (!granted_is_sound(entry->uid, slice_of(entry->name)))
        return diag_set(ret_diag, -EINVAL, "uid %u cannot have a key of its own", entry->uid);
    int r = open_old(file, &old, &len, &granted, ret_diag);
    if (r < 0)
        return r;
    bool there = granted_find(&granted, &entry->key);
    granted_free(&granted);
    if (there)
        return diag_set(ret_diag, -EEXIST, "%s: the key is there already", file);
    new = malloc(len + LONGEST);
    if (!new)
        return diag_errno(ret_diag, -ENOMEM, file);
    memcpy(new, len ? old : "", len);
    key_format(&entry->key, key);
    len += (size_t)snprintf(new + len, LONGEST, "%s%u %s %s\n",
                            len && old[len - 1] != '\n' ? "\n" : "", entry->uid, key, entry->name);
    return file_replace(file, (struct slice){new, len}, 0600, ret_diag);
}

/* Whether a raw line, which may be a comment, is the key's. */
static bool is_line_of(struct slice raw, const struct noise_public *key)
{
    struct lines lines = {.rest = raw};
    struct granted_key entry;
    struct slice line;
    const char *reason;

    return lines_next(&lines, &line, &reason) && !read_line(line, &entry) &&
           key_equal(&entry.key, key);
}

/* Closes the gap that the key's line leaves; the new length. */
static size_t cut_line(char *text, size_t len, const struct noise_public *key)
{
    struct slice rest = {text, len};
    size_t kept = 0;

    while (rest.len) {
        struct slice raw = slice_take_line(&rest);
        if (is_line_of(raw, key))
            continue;
        memmove(text + kept, raw.ptr, raw.len);
        kept += raw.len;
    }
    return kept;
}

int granted_take(const char *file, uint32_t uid, const struct noise_public *key,
                 struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    struct granted granted;
    size_t len = 0;
    int r = open_old(file, &text, &len, &granted, ret_diag);

    if (r < 0)
        return r;
    const struct granted_key *entry = granted_find(&granted, key);
    bool his = entry && entry->uid == uid;
    granted_free(&granted);
    if (!his)
        return diag_set(ret_diag, -ENOENT, "%s: uid %u has no such key", file, uid);
    len = cut_line(text, len, key);
    return file_replace(file, (struct slice){text, len}, 0600, ret_diag);
}
