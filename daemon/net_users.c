/* SPDX-License-Identifier: MIT */
#include "daemon/net_users.h"

#include "common/text.h"
#include "daemon/net_hash.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <utlist.h>

#define KEEP_MS  (5 * 60 * 1000)
#define MAX_KEPT 4096

struct user_query {
    struct user *user;
    user_answer_fn *answer;
    void *context;
    struct user_query *next, *prev;
};

struct user {
    uint32_t uid;
    struct users *users;
    bool known;
    uint64_t until; /* uv_now; then it is asked again */
    char name[USER_LABEL];
    struct user_query *queries;
    uv_timer_t patience;
    struct lookup *lookup;
    UT_hash_handle hh;
};

/* Lives in the thread pool until the name service has answered, however late. */
struct lookup {
    uv_work_t work;
    uint32_t uid;
    char name[USER_LABEL];
    struct user *user; /* NULL: nobody waits any more */
    struct users *users;
};

struct users {
    uv_loop_t *loop;
    struct user *table;
    unsigned lookups;
    bool freed;
};

int users_new(struct users **ret_users, uv_loop_t *loop)
{
    struct users *users = calloc(1, sizeof(*users));

    if (!users)
        return -ENOMEM;
    users->loop = loop;
    *ret_users = users;
    return 0;
}

bool users_busy(const struct users *users)
{
    return users->lookups > 0;
}

/* ---- in a thread ----------------------------------------------------------------------------- */

static void look_up(uv_work_t *work)
{
    struct lookup *lookup = work->data;
    struct passwd entry, *found = NULL;
    char buffer[16384];

    if (getpwuid_r(lookup->uid, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return;
    struct slice name = slice_of(found->pw_name);
    if (name.len <= LIM_NAME && text_check_line(name, NULL) == 0)
        memcpy(lookup->name, name.ptr, name.len + 1);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static void free_user(uv_handle_t *handle)
{
    free(handle->data);
}

static void forget(struct users *users, struct user *user)
{
    HASH_DEL(users->table, user);
    if (user->lookup)
        user->lookup->user = NULL;
    uv_close((uv_handle_t *)&user->patience, free_user);
}

static void answer_all(struct user *user, const char *name)
{
    struct user_query *query;

    snprintf(user->name, sizeof(user->name), "%s", name);
    if (name[0] == '\0')
        snprintf(user->name, sizeof(user->name), "uid %u", user->uid);
    user->known = true;
    user->until = uv_now(user->users->loop) + KEEP_MS;
    uv_timer_stop(&user->patience);
    while ((query = user->queries)) { /* an answer may make others forget */
        DL_DELETE(user->queries, query);
        query->answer(query->context, user->name);
        free(query);
    }
}

static void on_patience_end(uv_timer_t *timer)
{
    answer_all(timer->data, "");
}

static void on_looked_up(uv_work_t *work, int status)
{
    struct lookup *lookup = work->data;
    struct users *users = lookup->users;

    (void)status;
    users->lookups--;
    if (lookup->user) {
        lookup->user->lookup = NULL;
        answer_all(lookup->user, lookup->name); /* late is good for the next one who asks */
    }
    free(lookup);
    if (users->freed && users->lookups == 0)
        free(users);
}

static int start_lookup(struct user *user)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup)
        return -ENOMEM;
    lookup->work.data = lookup;
    lookup->uid = user->uid;
    lookup->user = user;
    lookup->users = user->users;
    int r = uv_queue_work(user->users->loop, &lookup->work, look_up, on_looked_up);
    if (r < 0) {
        free(lookup);
        return r;
    }
    user->lookup = lookup;
    user->users->lookups++;
    uv_timer_start(&user->patience, on_patience_end, LIM_LOOKUP, 0);
    return 0;
}

static void drop_kept(struct users *users)
{
    struct user *user, *next;

    HASH_ITER(hh, users->table, user, next)
    {
        if (!user->queries && !user->lookup)
            forget(users, user);
    }
}

static struct user *user_of(struct users *users, uint32_t uid)
{
    struct user *user;

    HASH_FIND(hh, users->table, &uid, sizeof(uid), user);
    if (user)
        return user;
    if (HASH_COUNT(users->table) >= MAX_KEPT)
        drop_kept(users);
    user = calloc(1, sizeof(*user));
    if (!user)
        return NULL;
    user->uid = uid;
    user->users = users;
    HASH_ADD(hh, users->table, uid, sizeof(user->uid), user);
    if (!user->hh.tbl) {
        free(user);
        return NULL;
    }
    uv_timer_init(users->loop, &user->patience);
    user->patience.data = user;
    return user;
}

static void answer_number(uint32_t uid, user_answer_fn *answer, void *context)
{
    char name[USER_LABEL];

    snprintf(name, sizeof(name), "uid %u", uid);
    answer(context, name);
}

struct user_query *users_ask(struct users *users, uint32_t uid, user_answer_fn *answer,
                             void *context)
{
    struct user *user = user_of(users, uid);
    struct user_query *query = NULL;

    if (user && user->known && (user->lookup || uv_now(users->loop) < user->until)) {
        answer(context, user->name);
        return NULL;
    }
    if (user && (user->lookup || start_lookup(user) == 0))
        query = calloc(1, sizeof(*query));
    if (!query) {
        answer_number(uid, answer, context);
        return NULL;
    }
    *query = (struct user_query){.user = user, .answer = answer, .context = context};
    DL_APPEND(user->queries, query);
    return query;
}

void users_forget(struct user_query *query)
{
    DL_DELETE(query->user->queries, query);
    free(query);
}

void users_free(struct users *users)
{
    struct user *user, *next;

    if (!users)
        return;
    HASH_ITER(hh, users->table, user, next)
    forget(users, user);
    users->freed = true;
    if (users->lookups == 0)
        free(users);
}
