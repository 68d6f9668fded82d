/* SPDX-License-Identifier: MIT */
#include "daemon/net_users.h"

#include "common/text.h"
#include "daemon/net_hash.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <utlist.h>

#define KEEP_MS  (5 * 60 * 1000)
#define MAX_KEPT 4096
#define GROUPS   64    /* few are in more */
#define MANY     65536 /* as many as the kernel lets a process have */

struct user_query {
    struct user *user;
    user_answer_fn *answer;
    void *context;
    struct user_query *next, *prev;
};

/* Compared as bytes. */
struct question {
    uint32_t uid;
    uint32_t what;
    char group[LIM_NAME + 4];
};

struct user {
    struct question question;
    struct users *users;
    bool known;
    uint64_t until; /* uv_now; then it is asked again */
    struct user_facts facts;
    struct user_query *queries;
    uv_timer_t patience;
    struct lookup *lookup;
    UT_hash_handle hh;
};

/* Lives in the thread pool until the name service has answered, however late. */
struct lookup {
    uv_work_t work;
    struct question question;
    struct user_facts facts;
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

/* False: no memory. Without groups nobody has more rights than with them. */
static bool look_up_groups(const struct passwd *user, struct user_facts *facts)
{
    gid_t *groups = NULL;
    int n = GROUPS, room;

    do {
        room = n;
        void *grown = reallocarray(groups, (size_t)room, sizeof(*groups));
        if (!grown) {
            free(groups);
            return false;
        }
        groups = grown;
    } while (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0 && n > room && n <= MANY);
    facts->groups = groups;
    facts->n_groups = n <= room ? (size_t)n : (size_t)room;
    return true;
}

static void look_up_user(struct lookup *lookup)
{
    struct user_facts *facts = &lookup->facts;
    struct passwd entry, *found = NULL;
    char buffer[16384];

    facts->answered = getpwuid_r(lookup->question.uid, &entry, buffer, sizeof(buffer), &found) == 0;
    struct slice name = found ? slice_of(found->pw_name) : (struct slice){NULL, 0};
    facts->exists = found && name.len <= LIM_NAME && text_check_line(name, NULL) == 0;
    if (facts->exists)
        memcpy(facts->name, name.ptr, name.len + 1);
    if (facts->exists && lookup->question.what == USERS_GROUPS)
        facts->answered = look_up_groups(found, facts);
}

static void look_up(uv_work_t *work)
{
    struct lookup *lookup = work->data;

    if (lookup->question.what == USERS_MEMBERS)
        lookup->facts.answered =
            members_look_up(lookup->question.group, &lookup->facts.members) == 0;
    else
        look_up_user(lookup);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static void drop_facts(struct user_facts *facts)
{
    free(facts->groups);
    members_unshare(facts->members);
}

static void free_user(uv_handle_t *handle)
{
    struct user *user = handle->data;

    drop_facts(&user->facts);
    free(user);
}

static void forget(struct users *users, struct user *user)
{
    HASH_DEL(users->table, user);
    if (user->lookup)
        user->lookup->user = NULL;
    uv_close((uv_handle_t *)&user->patience, free_user);
}

/* Takes over what the facts hold. */
static void answer_all(struct user *user, const struct user_facts *facts)
{
    struct user_query *query;
    bool is_name = user->question.what == USERS_NAME;

    drop_facts(&user->facts);
    user->facts = *facts;
    if (!facts->exists)
        snprintf(user->facts.name, sizeof(user->facts.name), "uid %u", user->question.uid);
    user->known = true;
    user->until = uv_now(user->users->loop) + (is_name ? KEEP_MS : LIM_FILE_RECHECK);
    uv_timer_stop(&user->patience);
    while ((query = user->queries)) { /* an answer may make others forget */
        DL_DELETE(user->queries, query);
        query->answer(query->context, &user->facts);
        free(query);
    }
}

static void on_patience_end(uv_timer_t *timer)
{
    answer_all(timer->data, &(struct user_facts){.answered = false});
}

static void on_looked_up(uv_work_t *work, int status)
{
    struct lookup *lookup = work->data;
    struct users *users = lookup->users;

    (void)status;
    users->lookups--;
    if (lookup->user) {
        lookup->user->lookup = NULL;
        answer_all(lookup->user, &lookup->facts); /* late is good for the next one who asks */
    } else {
        drop_facts(&lookup->facts);
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
    lookup->question = user->question;
    lookup->user = user;
    lookup->users = user->users;
    int r = uv_queue_work(user->users->loop, &lookup->work, look_up, on_looked_up);
    if (r < 0) {
        free(lookup);
        return r;
    }
    user->lookup = lookup;
    user->known &= user->question.what == USERS_NAME; /* old groups are no answer meanwhile */
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

static struct user *user_of(struct users *users, const struct question *question)
{
    struct user *user;

    HASH_FIND(hh, users->table, question, sizeof(*question), user);
    if (user)
        return user;
    if (HASH_COUNT(users->table) >= MAX_KEPT)
        drop_kept(users);
    user = calloc(1, sizeof(*user));
    if (!user)
        return NULL;
    user->question = *question;
    user->users = users;
    HASH_ADD(hh, users->table, question, sizeof(user->question), user);
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
    struct user_facts facts = {.answered = false};

    snprintf(facts.name, sizeof(facts.name), "uid %u", uid);
    answer(context, &facts);
}

static struct user_query *ask(struct users *users, const struct question *question,
                              user_answer_fn *answer, void *context)
{
    struct user *user = user_of(users, question);
    struct user_query *query = NULL;

    if (user && user->known && (user->lookup || uv_now(users->loop) < user->until)) {
        answer(context, &user->facts);
        return NULL;
    }
    if (user && (user->lookup || start_lookup(user) == 0))
        query = calloc(1, sizeof(*query));
    if (!query) {
        answer_number(question->uid, answer, context);
        return NULL;
    }
    *query = (struct user_query){.user = user, .answer = answer, .context = context};
    DL_APPEND(user->queries, query);
    return query;
}

struct user_query *users_ask(struct users *users, uint32_t uid, enum users_what what,
                             user_answer_fn *answer, void *context)
{
    return ask(users, &(struct question){.uid = uid, .what = what}, answer, context);
}

struct user_query *users_ask_group(struct users *users, struct slice group, user_answer_fn *answer,
                                   void *context)
{
    struct question question = {.what = USERS_MEMBERS};

    memcpy(question.group, group.ptr, group.len <= LIM_NAME ? group.len : 0);
    return ask(users, &question, answer, context);
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
