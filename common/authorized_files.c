/* SPDX-License-Identifier: MIT */
#include "common/authorized_files.h"

#include "common/key_folder.h"
#include "common/mem.h"

int authorized_files_init(struct authorized_files *ret_files, const char *path)
{
    char *copy = strdup(path);
    struct authorized_source *sources = calloc(1, sizeof(*sources));

    if (!copy || !sources) {
        free(copy);
        free(sources);
        return -ENOMEM;
    }
    watched_init(&sources->file, copy, FILE_TRUSTED);
    *ret_files = (struct authorized_files){.sources = sources, .count = 1};
    return 0;
}

static void drop(struct authorized_source *source)
{
    watched_clear(&source->file);
    authorized_keys_free(&source->keys);
}

void authorized_files_free(struct authorized_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        drop(&files->sources[i]);
    free(files->sources);
    *files = (struct authorized_files){.sources = NULL};
}

/* ---- which files ----------------------------------------------------------------------------- */

/* Both are sorted. Takes over the paths of files that are new. */
static bool match(struct authorized_files *files, struct key_folder *listed,
                  struct authorized_source *next)
{
    size_t old = 1;
    bool dropped = false;

    for (size_t i = 0; i <= listed->count; i++) {
        const char *path = i < listed->count ? listed->paths[i] : NULL;
        for (; old < files->count && (!path || strcmp(files->sources[old].file.path, path) < 0);
             old++) {
            drop(&files->sources[old]);
            dropped = true;
        }
        if (path && old < files->count && strcmp(files->sources[old].file.path, path) == 0)
            next[i + 1] = files->sources[old++];
        else if (path)
            watched_init(&next[i + 1].file, TAKE(listed->paths[i]), FILE_PLAIN);
    }
    return dropped;
}

/* 0, or negative: then all is as it was. */
static int list_again(struct authorized_files *files, bool *ret_dropped, struct diag *ret_diag)
{
    const char *path = files->sources[0].file.path;
    struct key_folder listed;
    int r = key_folder_list(path, &listed, ret_diag);

    if (r < 0)
        return r;
    struct authorized_source *next = calloc(listed.count + 1, sizeof(*next));
    if (next) {
        next[0] = files->sources[0];
        *ret_dropped = match(files, &listed, next);
        free(files->sources);
        files->sources = next;
        files->count = listed.count + 1;
    }
    key_folder_free(&listed);
    return next ? 0 : diag_errno(ret_diag, -ENOMEM, path);
}

/* ---- what they hold -------------------------------------------------------------------------- */

static int parse(const char *path, struct slice text, void *ret_table, struct diag *ret_diag)
{
    return authorized_keys_parse(path, text, ret_table, ret_diag);
}

static bool look(struct authorized_source *source)
{
    struct authorized_keys fresh;

    if (watched_look(&source->file, parse, &fresh) != WATCHED_NEW)
        return false;
    authorized_keys_free(&source->keys);
    source->keys = fresh;
    return true;
}

/* A line and the file it stands in. */
struct entry {
    const struct authorized_key *line;
    const struct authorized_source *source;
};

static int compare(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = any_key_compare(&left->line->key, &right->line->key);

    return order != 0 ? order : (left->source > right->source) - (left->source < right->source);
}

static struct entry *sort_all(const struct authorized_files *files, size_t *ret_count)
{
    size_t count = 0, at = 0;

    for (size_t i = 0; i < files->count; i++)
        count += files->sources[i].keys.count;
    struct entry *all = calloc(count + 1, sizeof(*all));
    if (!all)
        return NULL;
    for (size_t i = 0; i < files->count; i++)
        for (size_t k = 0; k < files->sources[i].keys.count; k++)
            all[at++] = (struct entry){&files->sources[i].keys.keys[k], &files->sources[i]};
    if (count > 1)
        qsort(all, count, sizeof(*all), compare);
    *ret_count = count;
    return all;
}

static int find_twice(const struct authorized_files *files, struct diag *ret_diag)
{
    size_t count = 0;
    CLEANUP_FREE struct entry *all = sort_all(files, &count);

    if (!all)
        return diag_errno(ret_diag, -ENOMEM, files->sources[0].file.path);
    for (size_t i = 1; i < count; i++) {
        if (any_key_compare(&all[i - 1].line->key, &all[i].line->key) == 0)
            return diag_set(ret_diag, -EEXIST,
                            "%.400s:%zu: the key is also in %.400s:%zu, which counts",
                            all[i].source->file.path, all[i].line->line,
                            all[i - 1].source->file.path, all[i - 1].line->line);
    }
    return 0;
}

bool authorized_files_refresh(struct authorized_files *files)
{
    struct diag diag;
    bool changed = false;
    int r = list_again(files, &changed, &diag);

    problem_set(&files->listing, r, &diag);
    for (size_t i = 0; i < (r < 0 ? 1 : files->count); i++)
        changed |= look(&files->sources[i]);
    if (changed || files->twice.state == -ENOMEM)
        problem_set(&files->twice, find_twice(files, &diag), &diag);
    return changed;
}

const struct authorized_key *authorized_files_find(const struct authorized_files *files,
                                                   const struct any_key *key)
{
    const struct authorized_key *line = NULL;

    for (size_t i = 0; i < files->count && !line; i++)
        line = authorized_keys_find(&files->sources[i].keys, key);
    return line;
}

struct problem *authorized_files_problem(struct authorized_files *files, size_t index)
{
    if (index == 0)
        return &files->listing;
    if (index == 1)
        return &files->twice;
    return index - 2 < files->count ? &files->sources[index - 2].file.problem : NULL;
}
