/* SPDX-License-Identifier: MIT */
#include "daemon/present_caps.h"

#include "common/mem.h"
#include "protocol/limits.h"

/* Tokens are counted in thousandths: each millisecond brings LIM_PRESENTS_SECOND of them. */
#define TOKEN 1000

struct caps_user {
    uid_t uid;
    unsigned up;
    uint64_t tokens;
    uint64_t at_ms; /* when they were counted */
};

static void refill(struct caps_user *user, uint64_t now_ms)
{
    const uint64_t full = (uint64_t)LIM_PRESENTED * TOKEN;
    uint64_t passed = now_ms > user->at_ms ? now_ms - user->at_ms : 0;
    user->at_ms = now_ms;
    if (passed >= full / LIM_PRESENTS_SECOND)
        user->tokens = full;
    else
        user->tokens += passed * LIM_PRESENTS_SECOND;
    if (user->tokens > full)
        user->tokens = full;
}

/* Users with nothing up and every token are as good as new. */
static void forget_idle(struct caps *caps, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < caps->count; i++) {
        struct caps_user user = caps->users[i];
        refill(&user, now_ms);
        if (user.up > 0 || user.tokens < (uint64_t)LIM_PRESENTED * TOKEN)
            caps->users[kept++] = user;
    }
    caps->count = kept;
}

static struct caps_user *find(const struct caps *caps, uid_t uid)
{
    for (size_t i = 0; i < caps->count; i++)
        if (caps->users[i].uid == uid)
            return &caps->users[i];
    return NULL;
}

static struct caps_user *add(struct caps *caps, uid_t uid, uint64_t now_ms)
{
    if (caps->count == caps->capacity)
        forget_idle(caps, now_ms);
    if (caps->count == caps->capacity) {
        size_t capacity = caps->capacity > 0 ? caps->capacity * 2 : 16;
        struct caps_user *users = reallocarray(caps->users, capacity, sizeof(*users));
        if (!users)
            return NULL;
        caps->users = users;
        caps->capacity = capacity;
    }
    caps->users[caps->count] = (struct caps_user){uid, 0, (uint64_t)LIM_PRESENTED * TOKEN, now_ms};
    return &caps->users[caps->count++];
}

int caps_take(struct caps *caps, uid_t uid, uint64_t now_ms)
{
    struct caps_user *user = find(caps, uid);
    if (!user)
        user = add(caps, uid, now_ms);
    if (!user)
        return -ENOMEM;
    refill(user, now_ms);
    if (user->up >= LIM_PRESENTED || user->tokens < TOKEN || caps->up >= LIM_OPEN_DELIVERIES)
        return -EBUSY;
    user->tokens -= TOKEN;
    user->up++;
    caps->up++;
    return 0;
}

void caps_release(struct caps *caps, uid_t uid)
{
    struct caps_user *user = find(caps, uid);
    if (user && user->up > 0) {
        user->up--;
        caps->up--;
    }
}

void caps_free(struct caps *caps)
{
    free(caps->users);
    *caps = (struct caps){0};
}
