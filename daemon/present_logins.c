/* SPDX-License-Identifier: MIT */
#include "daemon/present_logins.h"

#include "common/mem.h"
#include "protocol/limits.h"

#include <stdio.h>

/* They are listed in the same order, again and again: from the one found last. */
struct login *logins_find(struct logins *logins, const char *path)
{
    for (size_t i = 0; i < logins->count; i++) {
        size_t at = (logins->found + 1 + i) % logins->count;
        if (strcmp(logins->items[at]->path, path) == 0) {
            logins->found = at;
            return logins->items[at];
        }
    }
    return NULL;
}

/* No more are kept anywhere. */
static bool is_full(const struct logins *logins, uid_t uid)
{
    size_t own = 0;
    for (size_t i = 0; i < logins->count; i++)
        own += logins->items[i]->uid == uid;
    return logins->count >= LIM_SESSIONS || own >= LIM_USER_SESSIONS;
}

int logins_add(struct logins *logins, const char *path, uid_t uid, struct logind *owner)
{
    if (is_full(logins, uid))
        return 0;
    if (logins->count == logins->capacity) {
        size_t wanted = logins->capacity > 0 ? logins->capacity * 2 : 16;
        struct login **items = reallocarray(logins->items, wanted, sizeof(struct login *));
        if (!items)
            return -ENOMEM;
        logins->items = items;
        logins->capacity = wanted;
    }
    struct login *login = calloc(1, sizeof(*login));
    if (!login)
        return -ENOMEM;
    *login = (struct login){.owner = owner, .uid = uid, .stale = true, .listed = true};
    snprintf(login->path, sizeof(login->path), "%s", path);
    logins->items[logins->count++] = login;
    return 0;
}

bool logins_forget_unlisted(struct logins *logins)
{
    size_t kept = 0, count = logins->count;
    for (size_t i = 0; i < count; i++) {
        if (logins->items[i]->listed || logins->items[i]->call)
            logins->items[kept++] = logins->items[i];
        else
            free(logins->items[i]);
    }
    logins->count = kept;
    return kept < count;
}

void logins_free(struct logins *logins)
{
    for (size_t i = 0; i < logins->count; i++)
        free(logins->items[i]);
    free(logins->items);
    *logins = (struct logins){0};
}
