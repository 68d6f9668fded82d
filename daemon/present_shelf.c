/* SPDX-License-Identifier: MIT */
#include "daemon/present_shelf.h"

#include "protocol/limits.h"

#include <stddef.h>

/* Which bound keeps an item down, and so whose giving way would help. */
enum lack { LACK_NOTHING, LACK_ACCOUNT, LACK_USER, LACK_SCREEN };

void shelf_init(struct shelf *shelf)
{
    TAILQ_INIT(&shelf->items);
}

static enum lack lack_of(const struct shelf *shelf, const struct shelf_item *item)
{
    unsigned user = 0, account = 0, screen = 0;
    const struct shelf_item *other;
    TAILQ_FOREACH(other, &shelf->items, link)
    {
        if (!other->up || other->uid != item->uid)
            continue;
        user++;
        account += other->account == item->account;
        screen += other->screen == item->screen && other->alone && item->alone;
    }
    if (screen > 0)
        return LACK_SCREEN;
    if (account >= LIM_POPUPS_ACCOUNT)
        return LACK_ACCOUNT;
    return user >= LIM_POPUPS ? LACK_USER : LACK_NOTHING;
}

static bool helps(const struct shelf_item *other, const struct shelf_item *item, enum lack lack)
{
    if (!other->up || other->wait || other->uid != item->uid)
        return false;
    if (lack == LACK_SCREEN)
        return other->alone && other->screen == item->screen;
    return lack == LACK_USER || other->account == item->account;
}

static bool queue_has_room(const struct shelf *shelf, const struct shelf_item *item)
{
    unsigned queued = 0, account = 0;
    const struct shelf_item *other;
    TAILQ_FOREACH(other, &shelf->items, link)
    {
        if (other->up || other->uid != item->uid || other->screen != item->screen)
            continue;
        queued++;
        account += other->account == item->account;
    }
    return queued < LIM_POPUPS_QUEUED && account < LIM_POPUPS_PATIENT;
}

enum shelf_place shelf_put(struct shelf *shelf, struct shelf_item *item,
                           struct shelf_item **ret_other)
{
    enum lack lack = lack_of(shelf, item);
    struct shelf_item *other;
    item->up = lack == LACK_NOTHING;
    if (!item->up) {
        TAILQ_FOREACH(other, &shelf->items, link)
        {
            if (helps(other, item, lack)) {
                *ret_other = other;
                return SHELF_GIVE_WAY;
            }
        }
        if (!item->wait || !queue_has_room(shelf, item))
            return SHELF_TOO_MANY;
    }
    TAILQ_INSERT_TAIL(&shelf->items, item, link);
    return item->up ? SHELF_UP : SHELF_QUEUED;
}

void shelf_remove(struct shelf *shelf, struct shelf_item *item)
{
    TAILQ_REMOVE(&shelf->items, item, link);
}

struct shelf_item *shelf_next(struct shelf *shelf)
{
    struct shelf_item *item;
    TAILQ_FOREACH(item, &shelf->items, link)
    {
        if (!item->up && lack_of(shelf, item) == LACK_NOTHING) {
            item->up = true;
            return item;
        }
    }
    return NULL;
}
