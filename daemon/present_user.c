/* SPDX-License-Identifier: MIT */
#include "daemon/present_user.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_become.h"
#include "protocol/limits.h"

#include <pwd.h>
#include <search.h>

struct known_user {
    char *name;
    struct user_cache *cache;
    struct child *child; /* while it is asked */
    bool answered;       /* status and ids are an answer, perhaps an old one */
    int status;          /* 0 or -ENOENT */
    struct user_ids ids;
    uint64_t until_ms; /* then it is asked again */
    uint64_t seen_ms;  /* the time of the last look-up */
};

struct user_cache {
    sd_event *event; /* borrowed */
    void (*on_answer)(void *userdata);
    void *userdata;
    void *tree; /* of struct known_user, by name: tsearch(3) */
    size_t count;
};

/* ---- in the child ---------------------------------------------------------------------------- */

/* The uid stays, for files that only root may read; what goes beyond a uid goes. */
static void ask(int socket, const void *argument)
{
    struct user_answer answer = {0};
    if (become_powerless() < 0)
        return;
    errno = 0;
    const struct passwd *entry = getpwnam(argument);
    if (entry)
        answer = (struct user_answer){1, entry->pw_uid, entry->pw_gid};
    else if (errno != 0 && errno != ENOENT && errno != ESRCH && errno != EBADF && errno != EPERM)
        return; /* nobody answered: getpwnam(3) lists what means "not found" */
    child_answer(socket, &answer, sizeof(answer));
}

/* ---- in the parent --------------------------------------------------------------------------- */

int user_answer_read(const void *bytes, size_t len, struct user_ids *ret_ids)
{
    struct user_answer answer;
    if (len != sizeof(answer))
        return -EBADMSG;
    memcpy(&answer, bytes, sizeof(answer));
    if (answer.found == 0)
        return -ENOENT;
    /* (uid_t)-1 means "no change" to setresuid */
    if (answer.found != 1 || answer.uid == (uid_t)-1 || answer.gid == (gid_t)-1)
        return -EBADMSG;
    *ret_ids = (struct user_ids){answer.uid, answer.gid};
    return 0;
}

bool user_is_name(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > LIM_NAME || name[0] == '-' || strpbrk(name, " /:"))
        return false;
    return text_check_line((struct slice){name, len}, NULL) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct known_user *)a)->name, ((const struct known_user *)b)->name);
}

static void on_user(void *userdata, int error, const void *bytes, size_t len)
{
    struct known_user *user = userdata;
    struct user_ids ids = {0};
    user->child = NULL;
    int r = error < 0 ? error : user_answer_read(bytes, len, &ids);
    user->until_ms = user->seen_ms + (r == 0 || r == -ENOENT ? USER_KEPT_MS : USER_RETRY_MS);
    if (r == 0 || r == -ENOENT) {
        user->answered = true;
        user->status = r;
        user->ids = ids;
    }
    user->cache->on_answer(user->cache->userdata);
}

static void known_ask(struct known_user *user)
{
    struct child_job job = {.run = ask,
                            .argument = user->name,
                            .owner = CHILD_NAMES,
                            .deadline_ms = LIM_LOOKUP,
                            .done = on_user,
                            .userdata = user};
    /* Too many at once, or no memory: asked again at the next look-up. */
    if (child_start(user->cache->event, &job, &user->child) < 0)
        user->child = NULL;
}

static void known_free(void *pointer)
{
    struct known_user *user = pointer;
    child_cancel(user->child);
    free(user->name);
    free(user);
}

static struct known_user *known_add(struct user_cache *cache, const char *name)
{
    if (cache->count >= USER_CACHE_SIZE) {
        tdestroy(TAKE(cache->tree), known_free);
        cache->count = 0;
    }
    CLEANUP_FREE char *copy = strdup(name);
    CLEANUP_FREE struct known_user *user = calloc(1, sizeof(*user));
    if (!copy || !user)
        return NULL;
    *user = (struct known_user){.name = copy, .cache = cache};
    if (!tsearch(user, &cache->tree, by_name))
        return NULL;
    (void)TAKE(copy);
    cache->count++;
    return TAKE(user);
}

int user_lookup(struct user_cache *cache, const char *name, uint64_t now_ms,
                struct user_ids *ret_ids)
{
    struct known_user key = {.name = strdupa(name)};
    struct known_user **found = (struct known_user **)tfind(&key, &cache->tree, by_name);
    struct known_user *user = found ? *found : known_add(cache, name);
    if (!user)
        return -ENOMEM;
    user->seen_ms = now_ms;
    if (!user->child && now_ms >= user->until_ms)
        known_ask(user);
    if (!user->answered)
        return user->child || now_ms >= user->until_ms ? -EAGAIN : -ENODATA;
    if (user->status == 0)
        *ret_ids = user->ids;
    return user->status;
}

int user_cache_new(sd_event *event, void (*on_answer)(void *userdata), void *userdata,
                   struct user_cache **ret_cache)
{
    struct user_cache *cache = malloc(sizeof(*cache));
    if (!cache)
        return -ENOMEM;
    *cache = (struct user_cache){event, on_answer, userdata, NULL, 0};
    *ret_cache = cache;
    return 0;
}

void user_cache_free(struct user_cache *cache)
{
    if (!cache)
        return;
    tdestroy(cache->tree, known_free);
    free(cache);
}
