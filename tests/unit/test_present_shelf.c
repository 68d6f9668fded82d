/* SPDX-License-Identifier: MIT */
#include "daemon/present_shelf.h"
#include "protocol/limits.h"
#include "tests/unit/unit.h"

#include <string.h>

#define ITEMS 64

/*
 * A case is a story: each letter is a popup that comes, or an event. Small letters: nobody waits
 * for it; capitals: somebody does. The letter is the account. '/' takes the oldest that is up away.
 * What is told is one sign for each: '^' up, 'q' queued, 'x' too many, and '<' before it for each
 * that gave way; for '/' an '^' where a queued one goes up, else '.'.
 */
static const struct {
    const char *story, *told;
} stories[] = {
    {"aaa", "^^^"},
    {"abcde", "^^^^^"},
    {"abcdef", "^^^^^<^"}, /* the sixth: the oldest gives way */
    {"aaaa", "^^^<^"},     /* an account's fourth: its own oldest does */
    {"AAAA", "^^^q"},      /* waited for: none gives way, it queues */
    {"AAAa", "^^^x"},      /* nobody waits for it: it is refused */
    {"aAAA", "^^^<^"},     /* the one nobody waits for gives way to it */
    {"bAAA", "^^^^"},
    {"bAAAA", "^^^^q"}, /* b's would not help a's bound */
    {"ABCDEF", "^^^^^q"},
    {"ABCDEf", "^^^^^x"},
    {"ABCDeF", "^^^^^<^"},
    {"AAAA/", "^^^q^"},
    {"AAAAB/", "^^^q^^"}, /* who queues for his own bound holds up no other */
    {"ABCDEFG//", "^^^^^qq^^"},
    {"ABCDEF/G", "^^^^^q^q"}, /* first come, first up */
    {"a/", "^."},
    {"ABCDEAAAAAAAAAAAA", "^^^^^qqqqqqqqqqxx"},                   /* ten of an account queue */
    {"ABCDEAAAAAAAAAABBBBBBBBBBC", "^^^^^qqqqqqqqqqqqqqqqqqqqx"}, /* twenty on a screen */
};

static struct shelf_item items[ITEMS];
static struct shelf shelf;

static char *put(struct shelf_item *item, char *told)
{
    static const char signs[] = {[SHELF_UP] = '^', [SHELF_QUEUED] = 'q', [SHELF_TOO_MANY] = 'x'};
    struct shelf_item *other;
    enum shelf_place place;

    while ((place = shelf_put(&shelf, item, &other)) == SHELF_GIVE_WAY) {
        CU_ASSERT(other->up && !other->wait);
        shelf_remove(&shelf, other);
        *told++ = '<';
    }
    *told++ = signs[place];
    return told;
}

static char take(void)
{
    struct shelf_item *item;

    TAILQ_FOREACH(item, &shelf.items, link)
    {
        if (item->up)
            break;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(item);
    shelf_remove(&shelf, item);
    item = shelf_next(&shelf);
    CU_ASSERT_PTR_NULL(shelf_next(&shelf));
    return item ? '^' : '.';
}

static void stories_end_as_told(void)
{
    for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
        char told[2 * ITEMS] = "", *end = told;

        shelf_init(&shelf);
        for (size_t k = 0; stories[i].story[k] != '\0'; k++) {
            char c = stories[i].story[k];
            items[k] = (struct shelf_item){
                .uid = 1000, .account = (uint64_t)(c | 0x20), .wait = c >= 'A' && c <= 'Z'};
            if (c == '/')
                *end++ = take();
            else
                end = put(&items[k], end);
        }
        *end = '\0';
        if (strcmp(told, stories[i].told) != 0)
            printf("%s: %s, not %s\n", stories[i].story, told, stories[i].told);
        CU_ASSERT_STRING_EQUAL(told, stories[i].told);
    }
}

static void users_do_not_count_for_each_other(void)
{
    struct shelf_item *other;

    shelf_init(&shelf);
    for (unsigned i = 0; i < 2 * LIM_POPUPS; i++) {
        items[i] = (struct shelf_item){.uid = 1000 + i % 2, .account = i, .wait = true};
        CU_ASSERT(shelf_put(&shelf, &items[i], &other) == SHELF_UP);
    }
    items[20] = (struct shelf_item){.uid = 1000, .account = 20, .wait = true};
    CU_ASSERT(shelf_put(&shelf, &items[20], &other) == SHELF_QUEUED);
    shelf_remove(&shelf, &items[1]);
    CU_ASSERT_PTR_NULL(shelf_next(&shelf));
    shelf_remove(&shelf, &items[0]);
    CU_ASSERT(shelf_next(&shelf) == &items[20]);
}

static void a_tmux_client_has_one_popup(void)
{
    struct shelf_item *other = NULL;

    shelf_init(&shelf);
    for (unsigned i = 0; i < 4; i++)
        items[i] = (struct shelf_item){
            .uid = 1000, .screen = i / 2 + 1, .account = i, .alone = true, .wait = true};
    CU_ASSERT(shelf_put(&shelf, &items[0], &other) == SHELF_UP);
    CU_ASSERT(shelf_put(&shelf, &items[1], &other) == SHELF_QUEUED);
    CU_ASSERT(shelf_put(&shelf, &items[2], &other) == SHELF_UP);
    shelf_remove(&shelf, &items[0]);
    CU_ASSERT(shelf_next(&shelf) == &items[1]);
    shelf_remove(&shelf, &items[2]);
    items[2].wait = false;
    CU_ASSERT(shelf_put(&shelf, &items[2], &other) == SHELF_UP);
    CU_ASSERT(shelf_put(&shelf, &items[3], &other) == SHELF_GIVE_WAY);
    CU_ASSERT(other == &items[2]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(stories_end_as_told),
        UNIT_TEST(users_do_not_count_for_each_other),
        UNIT_TEST(a_tmux_client_has_one_popup),
        UNIT_END,
    };
    return unit_run("present_shelf", tests);
}
