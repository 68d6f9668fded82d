/* SPDX-License-Identifier: MIT */
#include "common/endorsements.h"

#include "common/file.h"
#include "common/keys.h"
#include "common/mem.h"

#include <time.h>

#define WEEK (7 * 86400)

/* One endorsement of a file's text: read, and where it stands there. */
struct piece {
    uint8_t entry[LIM_ENDORSEMENT];
    size_t len;
    struct slice text;
    struct endorsed read;
};

/* 1, 0 at the end, or -EBADMSG. file: NULL where the text is none's. */
static int next(const char *file, struct slice *rest, struct piece *piece, struct diag *ret_diag)
{
    const char *reason = NULL, *start = rest->ptr;
    int r = endorsement_next(rest, piece->entry, &piece->len, &reason);
    if (r > 0 && endorsement_open((struct slice){(char *)piece->entry, piece->len}, &piece->read,
                                  &reason) < 0)
        r = -EBADMSG;
    if (r < 0)
        return file
                   ? diag_set(ret_diag, r, "%s: %s; run: mv %s %s.broken", file, reason, file, file)
                   : diag_set(ret_diag, r, "the endorsement: %s", reason);
    piece->text = (struct slice){start, r ? (size_t)(rest->ptr - start) : 0};
    return r;
}

static bool is_over(const struct endorsed *endorsed, int64_t now_s)
{
    return endorsement_time(&endorsed->is, now_s) == -ETIME;
}

static bool is_of(const struct endorsed *endorsed, enum endorsement_kind kind,
                  const struct noise_public *key)
{
    return endorsed->is.kind == kind && key_equal(&endorsed->is.key, key);
}

static int read_file(const char *file, char **ret_text, size_t *ret_len, struct diag *ret_diag)
{
    int r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE, ret_text, ret_len, NULL, ret_diag);
    return r == -ENOENT ? 0 : r;
}

/* What a list has no room for is left out. */
static bool add(struct endorsements *to, const struct piece *piece)
{
    size_t n = to->list.n;
    if (n == LIM_ENDORSEMENTS)
        return false;
    memcpy(to->bytes[n], piece->entry, piece->len);
    to->items[n] = (struct slice){(char *)to->bytes[n], piece->len};
    to->list = (struct slice_list){to->items, n + 1};
    return true;
}

/* 0, or negative; *ret_beyond: how many there was no room for. */
static int add_from(const char *file, enum endorsement_kind kind, const struct noise_public *key,
                    int64_t now_s, struct endorsements *to, size_t *ret_beyond,
                    struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    struct piece piece;
    size_t len = 0;
    int r = read_file(file, &text, &len, ret_diag);
    struct slice rest = {text, len};
    *ret_beyond = 0;
    while (r == 0 && (r = next(file, &rest, &piece, ret_diag)) > 0) {
        r = 0;
        if (!is_of(&piece.read, kind, key))
            continue;
        if (!is_over(&piece.read, now_s))
            *ret_beyond += !add(to, &piece);
        else if (piece.read.is.before > to->ended)
            to->ended = piece.read.is.before;
    }
    return r;
}

int endorsements_load(const char *file, enum endorsement_kind kind, const struct noise_public *key,
                      int64_t now_s, struct endorsements *ret_endorsements, struct diag *ret_diag)
{
    size_t beyond;
    ret_endorsements->list = (struct slice_list){ret_endorsements->items, 0};
    ret_endorsements->ended = 0;
    int r = add_from(file, kind, key, now_s, ret_endorsements, &beyond, ret_diag);
    if (r == 0 && beyond)
        r = diag_set(ret_diag, -E2BIG, "%s: more than %d endorsements of one key", file,
                     LIM_ENDORSEMENTS);
    if (r < 0)
        ret_endorsements->list.n = 0;
    return r;
}

int endorsements_load_more(const char *file, enum endorsement_kind kind,
                           const struct noise_public *key, int64_t now_s,
                           struct endorsements *endorsements, struct diag *ret_diag)
{
    size_t before = endorsements->list.n, beyond;
    int r = add_from(file, kind, key, now_s, endorsements, &beyond, ret_diag);
    if (r < 0)
        endorsements->list.n = before;
    return r;
}

static size_t find_end(const struct endorsement_end *ends, size_t n, const struct ssh_key *by)
{
    size_t i = 0;
    while (i < n && !ssh_key_equal(&ends[i].by, by))
        i++;
    return i;
}

size_t endorsements_ends(const struct endorsements *endorsements,
                         struct endorsement_end ret_ends[static LIM_ENDORSEMENTS])
{
    size_t n = 0;
    for (size_t i = 0; i < endorsements->list.n; i++) {
        struct endorsed read;
        const char *reason;
        if (endorsement_open(endorsements->items[i], &read, &reason) < 0)
            continue;
        size_t k = find_end(ret_ends, n, &read.sig.key);
        if (k < n && ret_ends[k].at >= read.is.before)
            continue;
        int64_t tenth = (read.is.before - read.is.after) / 10;
        ret_ends[k] =
            (struct endorsement_end){.by = read.sig.key,
                                     .soon = read.is.before - (tenth < WEEK ? tenth : WEEK),
                                     .at = read.is.before};
        n += k == n;
    }
    return n;
}

void endorsements_format_time(int64_t at, char out[static ENDORSEMENTS_TIME])
{
    time_t seconds = (time_t)at;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) ||
        strftime(out, ENDORSEMENTS_TIME, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        snprintf(out, ENDORSEMENTS_TIME, "%lld", (long long)at);
}

void endorsements_copy(struct endorsements *to, const struct endorsements *from)
{
    memcpy(to->bytes, from->bytes, sizeof(to->bytes));
    for (size_t i = 0; i < from->list.n; i++)
        to->items[i] = (struct slice){(char *)to->bytes[i], from->items[i].len};
    to->list = (struct slice_list){to->items, from->list.n};
    to->ended = from->ended;
}

/* Everything in the file that the new one leaves in place. */
static int keep_others(const char *file, struct slice rest, const struct endorsed *added,
                       int64_t now_s, FILE *out, struct diag *ret_diag)
{
    struct piece piece;
    int r, kept = 0;
    while ((r = next(file, &rest, &piece, ret_diag)) > 0) {
        if (!is_of(&piece.read, added->is.kind, &added->is.key) || is_over(&piece.read, now_s) ||
            ssh_key_equal(&piece.read.sig.key, &added->sig.key))
            continue;
        fwrite(piece.text.ptr, 1, piece.text.len, out);
        kept++;
    }
    if (r == 0 && kept >= LIM_ENDORSEMENTS)
        return diag_set(ret_diag, -E2BIG,
                        "%s: there are %d endorsements by other keys already, and no room for "
                        "more; take one out",
                        file, kept);
    return r;
}

int endorsements_add(const char *file, struct slice text, int64_t now_s, mode_t mode,
                     struct diag *ret_diag)
{
    CLEANUP_FREE char *old = NULL, *new = NULL;
    struct piece added;
    struct slice rest = text;
    size_t old_len = 0, new_len = 0;
    CLEANUP_FD int lock = file_lock_folder(file, ret_diag);
    if (lock < 0)
        return lock;
    int r = next(NULL, &rest, &added, ret_diag);
    if (r <= 0)
        return r < 0 ? r : diag_set(ret_diag, -EBADMSG, "the endorsement is empty");
    r = read_file(file, &old, &old_len, ret_diag);
    FILE *out = r < 0 ? NULL : open_memstream(&new, &new_len);
    if (!out)
        return r < 0 ? r : diag_errno(ret_diag, -ENOMEM, file);
    r = keep_others(file, (struct slice){old, old_len}, &added.read, now_s, out, ret_diag);
    fwrite(added.text.ptr, 1, added.text.len, out);
    if (fclose(out) != 0 && r == 0)
        r = diag_errno(ret_diag, -ENOMEM, file);
    return r < 0 ? r : file_replace(file, (struct slice){new, new_len}, mode, ret_diag);
}
