/* SPDX-License-Identifier: MIT */
#include "common/watched.h"

#include "common/mem.h"
#include "protocol/limits.h"

#include <fcntl.h>

void problem_set(struct problem *problem, int state, const struct diag *diag)
{
    bool same =
        state == problem->state && (state == 0 || strcmp(diag->text, problem->diag.text) == 0);

    problem->told = problem->told && same;
    problem->state = state;
    if (state < 0)
        problem->diag = *diag;
}

const char *problem_tell(struct problem *problem, bool *ret_new)
{
    *ret_new = problem->state < 0 && !problem->told;
    problem->told = true;
    return problem->state < 0 ? problem->diag.text : NULL;
}

void watched_init(struct watched *file, char *path, enum file_trust trust)
{
    *file = (struct watched){.path = path, .trust = trust};
}

void watched_clear(struct watched *file)
{
    free(file->path);
    file->path = NULL;
}

static bool has_changed(struct watched *file)
{
    int flags = file->trust == FILE_PLAIN ? AT_SYMLINK_NOFOLLOW : 0;
    struct stat st;

    if (fstatat(AT_FDCWD, file->path, &st, flags) < 0)
        memset(&st, 0, sizeof(st));
    bool changed = !file->looked || file->again || !file_same(&st, &file->st);
    file->looked = true;
    file->st = st;
    return changed;
}

/* No fault of the file's, and gone perhaps a second later. */
static bool is_transient(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EINTR ||
           error == -EIO;
}

static int read_table(struct watched *file, watched_parser *parse, void *ret_table,
                      struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(file->path, file->trust, LIM_TRUST_FILE, &text, &len, &file->st, ret_diag);

    return r < 0 && r != -ENOENT
               ? r
               : parse(file->path, (struct slice){text, len}, ret_table, ret_diag);
}

enum watched_news watched_look(struct watched *file, watched_parser *parse, void *ret_table)
{
    struct diag diag;

    if (!has_changed(file))
        return WATCHED_SAME;
    int r = read_table(file, parse, ret_table, &diag);
    file->again = is_transient(r);
    if (!file->again)
        file->problem.told = false; /* what it says is new, be it wrong in the same way */
    problem_set(&file->problem, r, &diag);
    return r < 0 ? WATCHED_BROKEN : WATCHED_NEW;
}
