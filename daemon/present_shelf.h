/* SPDX-License-Identifier: MIT */
/*
 * Which popups may be up at once: at most LIM_POPUPS of a user, LIM_POPUPS_ACCOUNT of them of one
 * account, and one on a tmux client. One that nobody waits for gives way to a newer one, the oldest
 * first; one that is waited for queues where none can give way, within LIM_POPUPS_QUEUED for one
 * screen and LIM_POPUPS_PATIENT of one account. Pure: the items are the caller's, the shelf owns
 * nothing.
 */
#ifndef MSG_DAEMON_PRESENT_SHELF_H
#define MSG_DAEMON_PRESENT_SHELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct shelf_item {
    uid_t uid;
    uint64_t screen; /* equal: the same desktop, the same tmux client */
    uint64_t account;
    bool alone; /* nothing else that is alone may be up on its screen: a tmux popup */
    bool wait;  /* somebody waits for its answer */
    bool up;    /* the shelf's: not queued */
    TAILQ_ENTRY(shelf_item) link;
};

struct shelf {
    TAILQ_HEAD(shelf_items, shelf_item) items; /* in the order they came */
};

enum shelf_place {
    SHELF_UP,       /* it may go up now */
    SHELF_GIVE_WAY, /* it may, once *ret_other is taken off the shelf: then ask again */
    SHELF_QUEUED,   /* later: shelf_next() */
    SHELF_TOO_MANY, /* it is not on the shelf */
};

void shelf_init(struct shelf *shelf);

/* ret_other is written with SHELF_GIVE_WAY alone; the item is then not on the shelf yet. */
enum shelf_place shelf_put(struct shelf *shelf, struct shelf_item *item,
                           struct shelf_item **ret_other);

/* Takes one off: it is over. */
void shelf_remove(struct shelf *shelf, struct shelf_item *item);

/* The oldest of the queued that has room now, and counts as up from here on; or NULL. */
struct shelf_item *shelf_next(struct shelf *shelf);

#endif
