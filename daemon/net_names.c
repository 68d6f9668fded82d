/* SPDX-License-Identifier: MIT */
#include "daemon/net_names.h"

#include "daemon/net_fold.h"
#include "daemon/net_hash.h"
#include "protocol/limits.h"

#include <errno.h>
#include <stdlib.h>

static struct slice field_of(const struct boundary_session *s, enum name_field field)
{
    bool console = s->flags & SESSION_CONSOLE;
    const char *const fields[NAME_FIELDS] = {
        [NAME_USER] = s->user,
        [NAME_SESSION] = s->name,
        [NAME_DISPLAY] = s->display,
        [NAME_TERMINAL] = s->terminal,
        [NAME_SEAT] = console ? s->seat : "",
        [NAME_CONSOLE] = console ? "console" : "",
        [NAME_ID] = s->id,
    };

    return slice_of(fields[field]);
}

/* Of a longer one its beginning will do: what is equal has equal hashes. */
static unsigned hash_of(struct slice name)
{
    char folded[LIM_NAME];
    size_t len = name.len < sizeof(folded) ? name.len : sizeof(folded);

    for (size_t i = 0; i < len; i++)
        folded[i] = fold(name.ptr[i]);
    return hash_keyed(folded, len);
}

int names_make(const struct net_sessions *sessions, struct names *ret_names)
{
    struct names names = {sessions, calloc(sessions->n + 1, sizeof(*names.hashes))};

    if (!names.hashes)
        return -ENOMEM;
    for (size_t i = 0; i < sessions->n; i++) {
        for (enum name_field field = 0; field < NAME_FIELDS; field++)
            names.hashes[i][field] = hash_of(field_of(&sessions->items[i], field));
    }
    *ret_names = names;
    return 0;
}

void names_release(struct names *names)
{
    free(names->hashes);
    *names = (struct names){.hashes = NULL};
}

struct wanted names_want(struct slice name)
{
    return (struct wanted){.name = name, .hash = hash_of(name)};
}

bool names_equal(const struct names *names, const struct wanted *wanted, size_t session,
                 enum name_field field)
{
    struct slice name = field_of(&names->sessions->items[session], field);

    return wanted->exactly ? slice_eq(wanted->name, name) : fold_eq(wanted->name, name);
}
