/* SPDX-License-Identifier: MIT */
#include "daemon/present_popup.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_helper.h"
#include "daemon/present_shelf.h"

struct popup {
    struct shelf_item item; /* first: the shelf gives it back */
    struct popups *all;
    struct helper *helper; /* NULL: queued, or ended */
    bool shown;
    uint64_t until_ms;
    gid_t gid;
    void (*tell_shown)(void *userdata, const struct heard *heard);
    void (*tell_over)(void *userdata, const struct heard *heard, bool was_shown);
    void *userdata;
    struct boundary_message place, present; /* its text lies behind */
    struct slice answers;                   /* in that text */
    char text[];
};

struct popups {
    sd_event *event;     /* borrowed */
    const char *program; /* borrowed */
    struct shelf shelf;
    sd_event_source *next; /* there may be room for a queued one */
};

/* ---- the end --------------------------------------------------------------------------------- */

void popup_take_down(struct popup *popup)
{
    if (!popup)
        return;
    helper_stop(popup->helper);
    shelf_remove(&popup->all->shelf, &popup->item);
    sd_event_source_set_enabled(popup->all->next, SD_EVENT_ONESHOT);
    free(popup);
}

/* Whoever is told may do anything: the popup is gone before. The answer is still to be read. */
static void over(struct popup *popup, struct heard heard)
{
    char answer[LIM_ANSWER];
    void (*tell)(void *userdata, const struct heard *heard, bool was_shown) = popup->tell_over;
    void *userdata = popup->userdata;
    bool was_shown = popup->shown;
    if (heard.answer.len > 0) {
        memcpy(answer, heard.answer.ptr, heard.answer.len);
        heard.answer.ptr = answer;
    }
    popup_take_down(popup);
    tell(userdata, &heard, was_shown);
}

static void fail(struct popup *popup, const char *why)
{
    over(popup, (struct heard){.how = ENDED_FAILED, .why = why});
}

/* ---- its helper ------------------------------------------------------------------------------ */

static void on_heard(void *userdata, const void *datagram, size_t len)
{
    struct popup *popup = userdata;
    struct heard heard;
    if (len == 0 || heard_read(datagram, len, popup->answers, &heard) < 0 ||
        (heard.shown && popup->shown)) {
        fail(popup, "helper-lost");
    } else if (heard.shown) {
        popup->shown = true;
        popup->tell_shown(popup->userdata, &heard);
    } else {
        over(popup, heard);
    }
}

static int start(struct popup *popup)
{
    uint64_t now = clock_ms(CLOCK_BOOTTIME);
    const struct helper_job job = {
        .program = popup->all->program,
        .uid = popup->item.uid,
        .gid = popup->gid,
        .place = &popup->place,
        .present = &popup->present,
        .heard = on_heard,
        .userdata = popup,
    };
    popup->present.u.present.life_ms = popup->until_ms > now ? popup->until_ms - now : 1;
    return helper_start(popup->all->event, &job, &popup->helper);
}

static int on_next(sd_event_source *source, void *userdata)
{
    struct popups *popups = userdata;
    struct shelf_item *item = shelf_next(&popups->shelf);
    if (!item)
        return 0;
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT); /* there may be room for another */
    if (start((struct popup *)item) < 0)
        fail((struct popup *)item, "helper-lost");
    return 0;
}

/* ---- a new one ------------------------------------------------------------------------------- */

static void say_where(struct popup *popup, const struct session_where *where)
{
    struct boundary_popup *place = &popup->place.u.popup;
    bool tmux = where->reach == REACH_TMUX;
    popup->place.verb = BOUNDARY_POPUP;
    place->reach = where->reach;
    place->flags = where->locked ? SHOWN_LOCKED : 0;
    snprintf(place->user, sizeof(place->user), "%s", where->user);
    if (tmux)
        snprintf(place->terminal, sizeof(place->terminal), "%s", where->target.line);
    popup->item.screen = tmux ? where->target.rdev : 0;
    popup->item.alone = tmux && popup->item.wait; /* the status line is seen beside a popup */
}

static struct popup *popup_new(struct popups *popups, const struct popup_order *order)
{
    const struct boundary_present *present = &order->message->u.present;
    struct popup *popup = calloc(1, sizeof(*popup) + order->message->text_len);
    if (!popup)
        return NULL;
    popup->all = popups;
    popup->until_ms = clock_ms(CLOCK_BOOTTIME) + present->life_ms;
    popup->gid = order->where->target.gid;
    popup->tell_shown = order->shown;
    popup->tell_over = order->over;
    popup->userdata = order->userdata;
    popup->item.uid = order->where->target.uid;
    popup->item.account = present->account;
    popup->item.wait = (present->flags & PRESENT_WAIT) != 0;
    popup->present = *order->message;
    memcpy(popup->text, order->message->text, order->message->text_len);
    popup->present.text = popup->text;
    popup->answers = order->texts->answers;
    popup->answers.ptr = popup->text + (order->texts->answers.ptr - order->message->text);
    say_where(popup, order->where);
    return popup;
}

/*
 * Those that nobody waits for are over without a word of theirs: the newer one takes their place.
 */
static int put_on_shelf(struct popups *popups, struct popup *popup)
{
    struct shelf_item *other;
    enum shelf_place place;
    while ((place = shelf_put(&popups->shelf, &popup->item, &other)) == SHELF_GIVE_WAY)
        fail((struct popup *)other, "too-many");
    return place == SHELF_TOO_MANY ? -EBUSY : 0;
}

int popups_show(struct popups *popups, const struct popup_order *order, struct popup **ret_popup)
{
    struct popup *popup = popup_new(popups, order);
    if (!popup)
        return -ENOMEM;
    int r = put_on_shelf(popups, popup);
    if (r < 0) {
        free(popup);
        return r;
    }
    r = popup->item.up ? start(popup) : 0;
    if (r < 0) {
        popup_take_down(popup);
        return r == -EAGAIN ? -EBUSY : r;
    }
    *ret_popup = popup;
    return 0;
}

int popups_new(sd_event *event, const char *program, struct popups **ret_popups)
{
    CLEANUP_FREE struct popups *popups = calloc(1, sizeof(*popups));
    if (!popups)
        return -ENOMEM;
    popups->event = event;
    popups->program = program;
    shelf_init(&popups->shelf);
    int r = sd_event_add_defer(event, &popups->next, on_next, popups);
    if (r < 0)
        return r;
    sd_event_source_set_enabled(popups->next, SD_EVENT_OFF);
    *ret_popups = TAKE(popups);
    return 0;
}

/* Whoever ordered one has taken it down by now. */
void popups_free(struct popups *popups)
{
    if (!popups)
        return;
    sd_event_source_disable_unref(popups->next);
    helper_stop_all();
    free(popups);
}
