/* SPDX-License-Identifier: MIT */
#include "daemon/net_seen.h"

#include "common/file.h"
#include "common/mem.h"

#include <fcntl.h>

#define MAGIC_LEN (sizeof(SEEN_MAGIC) - 1)
_Static_assert(SEEN_HEADER == MAGIC_LEN + SEEN_BOOT + 1, "the header's parts");

struct entry {
    struct seen_key key;
    uint8_t rest[SEEN_RECORD - sizeof(struct seen_key)]; /* body's hash, time */
    UT_hash_handle hh;
};
_Static_assert(sizeof(struct seen_key) == SEEN_HASH + SEEN_UID, "a key is bytes only");

struct seen {
    char *path;
    uint8_t header[SEEN_HEADER];
    int fd;
    off_t size;
    struct entry *table; /* in the order of the file: the oldest first */
};

struct seen_key seen_key_of(const struct principal *principal, const uint8_t uid[static SEEN_UID])
{
    struct seen_key key;

    crypto_generichash(key.principal, sizeof(key.principal), (const uint8_t *)principal,
                       sizeof(*principal), NULL, 0);
    memcpy(key.uid, uid, sizeof(key.uid));
    return key;
}

static void make_header(uint8_t header[static SEEN_HEADER], const char boot[static SEEN_BOOT])
{
    memcpy(header, SEEN_MAGIC, MAGIC_LEN);
    memcpy(header + MAGIC_LEN, boot, SEEN_BOOT);
    header[SEEN_HEADER - 1] = '\n';
}

ssize_t seen_parse(struct slice file, const char boot[static SEEN_BOOT])
{
    if (file.len < SEEN_HEADER || file.len > SEEN_FILE || file.ptr[SEEN_HEADER - 1] != '\n' ||
        memcmp(file.ptr, SEEN_MAGIC, MAGIC_LEN) != 0)
        return -EBADMSG;
    if (memcmp(file.ptr + MAGIC_LEN, boot, SEEN_BOOT) != 0)
        return -ESTALE;
    return (ssize_t)((file.len - SEEN_HEADER) / SEEN_RECORD);
}

/* ---- the table ------------------------------------------------------------------------------- */

static int remember(struct seen *seen, const uint8_t *record)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (!entry)
        return -ENOMEM;
    memcpy(&entry->key, record, sizeof(entry->key));
    memcpy(entry->rest, record + sizeof(entry->key), sizeof(entry->rest));
    if (seen_has(seen, &entry->key)) {
        free(entry);
        return 0;
    }
    HASH_ADD(hh, seen->table, key, sizeof(entry->key), entry);
    if (entry->hh.tbl)
        return 0;
    free(entry);
    return -ENOMEM;
}

static void forget(struct seen *seen, struct entry *entry)
{
    HASH_DEL(seen->table, entry);
    free(entry);
}

static void forget_first(struct seen *seen, unsigned n)
{
    struct entry *entry, *next;

    HASH_ITER(hh, seen->table, entry, next)
    {
        if (n-- == 0)
            return;
        forget(seen, entry);
    }
}

bool seen_has(const struct seen *seen, const struct seen_key *key)
{
    struct entry *entry;

    HASH_FIND(hh, seen->table, key, sizeof(*key), entry);
    return entry != NULL;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int reopen(struct seen *seen, off_t size)
{
    int fd = open(seen->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return mem_errno();
    if (ftruncate(fd, size) < 0) { /* what was cut off goes */
        int r = mem_errno();
        close(fd);
        return r;
    }
    mem_close_fd(&seen->fd);
    seen->fd = fd;
    seen->size = size;
    return 0;
}

/* The file as the table has it. */
static int rewrite(struct seen *seen)
{
    size_t len = SEEN_HEADER + HASH_COUNT(seen->table) * (size_t)SEEN_RECORD;
    CLEANUP_FREE char *text = malloc(len);
    char *at = text;

    if (!text)
        return -ENOMEM;
    at = mempcpy(at, seen->header, SEEN_HEADER);
    for (const struct entry *entry = seen->table; entry; entry = entry->hh.next) {
        at = mempcpy(at, &entry->key, sizeof(entry->key));
        at = mempcpy(at, entry->rest, sizeof(entry->rest));
    }
    int r = file_replace(seen->path, (struct slice){text, len}, 0600, NULL);
    return r < 0 ? r : reopen(seen, (off_t)len);
}

static int load(struct seen *seen, const char boot[static SEEN_BOOT])
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(seen->path, FILE_SECRET, SEEN_FILE, &text, &len, NULL, NULL);

    if (r == -ENOENT)
        return rewrite(seen);
    if (r < 0)
        return r;
    ssize_t n = seen_parse((struct slice){text, len}, boot);
    if (n == -ESTALE)
        return rewrite(seen);
    if (n < 0)
        return (int)n;
    for (ssize_t i = 0; r == 0 && i < n; i++)
        r = remember(seen, (const uint8_t *)text + SEEN_HEADER + i * SEEN_RECORD);
    return r < 0 ? r : reopen(seen, SEEN_HEADER + (off_t)n * SEEN_RECORD);
}

int seen_open(struct seen **ret_seen, const char *path, const char boot[static SEEN_BOOT])
{
    struct seen *seen = calloc(1, sizeof(*seen));

    if (!seen)
        return -ENOMEM;
    seen->fd = -1;
    seen->path = strdup(path);
    make_header(seen->header, boot);
    int r = seen->path ? load(seen, boot) : -ENOMEM;
    if (r < 0)
        seen_close(seen);
    else
        *ret_seen = seen;
    return r;
}

void seen_close(struct seen *seen)
{
    if (!seen)
        return;
    forget_first(seen, HASH_COUNT(seen->table));
    mem_close_fd(&seen->fd);
    free(seen->path);
    free(seen);
}

static int append(struct seen *seen, const uint8_t record[static SEEN_RECORD])
{
    ssize_t written = write(seen->fd, record, SEEN_RECORD);

    if (written == SEEN_RECORD) {
        seen->size += written;
        return 0;
    }
    int r = written < 0 ? mem_errno() : -ENOSPC;
    if (written > 0 && ftruncate(seen->fd, seen->size) < 0)
        return mem_errno();
    return r;
}

int seen_add(struct seen *seen, const struct seen_key *key, const uint8_t body[static SEEN_HASH],
             uint64_t wall_ms)
{
    uint8_t record[SEEN_RECORD];

    memcpy(record, key, sizeof(*key));
    memcpy(record + sizeof(*key), body, SEEN_HASH);
    for (int i = 0; i < 8; i++)
        record[SEEN_RECORD - 1 - i] = (uint8_t)(wall_ms >> (8 * i));
    if (HASH_COUNT(seen->table) >= LIM_SEEN_RECORDS) {
        forget_first(seen, LIM_SEEN_RECORDS / 2);
        int r = rewrite(seen);
        if (r < 0)
            return r;
    }
    int r = append(seen, record);
    return r < 0 ? r : remember(seen, record);
}
