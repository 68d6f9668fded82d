/* SPDX-License-Identifier: MIT */
/*
 * A file that is looked at again and again and read when it has changed; and a fault that stands
 * against a file, which is to be told once. A file that is not there is empty. One that could not
 * be read for a reason that may be gone a second later (no descriptor, no memory) is read again
 * then, changed or not. Tells nobody: trust.h's callers do.
 */
#ifndef MSG_COMMON_WATCHED_H
#define MSG_COMMON_WATCHED_H

#include "common/diag.h"
#include "common/file.h"

struct problem {
    int state; /* 0, or the negative errno that diag tells of */
    bool told;
    struct diag diag;
};

/*
 * What holds now; it is told anew if it is another one than stood there. diag only with state < 0.
 */
void problem_set(struct problem *problem, int state, const struct diag *diag);
/* Its words, or NULL if there is none; *ret_new: for the first time. */
const char *problem_tell(struct problem *problem, bool *ret_new);

struct watched {
    char *path; /* owned */
    enum file_trust trust;
    bool looked;
    bool again;     /* to be read, changed or not */
    struct stat st; /* zero where the file is not there */
    struct problem problem;
};

/* Takes over the path, which watched_clear() frees. */
void watched_init(struct watched *file, char *path, enum file_trust trust);
void watched_clear(struct watched *file);

/* Text into a table; the path only heads the error. 0, or negative with the reason. */
typedef int watched_parser(const char *path, struct slice text, void *ret_table,
                           struct diag *ret_diag);

enum watched_news {
    WATCHED_SAME,
    WATCHED_NEW,    /* *ret_table was filled */
    WATCHED_BROKEN, /* it was not: the file's problem says why */
};
enum watched_news watched_look(struct watched *file, watched_parser *parse, void *ret_table);

#endif
