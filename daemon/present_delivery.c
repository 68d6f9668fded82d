/* SPDX-License-Identifier: MIT */
#include "daemon/present_delivery.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_caps.h"

#include <search.h>
#include <stdio.h>
#include <sys/queue.h>

#define LIFE_ACCURACY_US 10000
#define LOST_MS          1000 /* within it a session is seen to be gone that took its popup along */

struct delivery {
    uint64_t id; /* first: what the tree compares */
    struct deliveries *all;
    uint64_t session;
    uid_t uid;
    bool wait;
    bool up;     /* it is on the screen */
    bool orphan; /* msgd is gone: nothing is told */
    bool over;   /* only its report is left */
    bool lost;   /* its popup is: told when its life is over, which ends soon now */
    bool tell_shown, tell_ended, listed;
    struct boundary_shown shown;
    enum ended_how how;
    const char *why;
    char answer[LIM_ANSWER];
    size_t answer_len;
    struct wish *wish; /* its reader's is being asked; then it is shown */
    struct showing *showing;
    sd_event_source *life;
    TAILQ_ENTRY(delivery) link;
    TAILQ_ENTRY(delivery) report;
};
TAILQ_HEAD(delivery_queue, delivery);

struct deliveries {
    sd_event *event; /* borrowed */
    struct showings showings;
    struct wishes *wishes;
    struct caps caps;
    struct delivery_queue all, reports;
    void *tree; /* of those that are not over, by id */
    struct log_limit refused;
    char answer[LIM_ANSWER]; /* of the last report */
};

static int by_id(const void *first, const void *second)
{
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
    return (a > b) - (a < b);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* Nothing of it happens any more; caps and id are free again. */
static void stop(struct delivery *delivery, enum withdraw_why why)
{
    if (delivery->over)
        return;
    delivery->over = true;
    delivery->life = sd_event_source_disable_unref(delivery->life);
    wish_forget(TAKE(delivery->wish));
    showing_end(TAKE(delivery->showing), why);
    caps_release(&delivery->all->caps, delivery->uid);
    if (!delivery->orphan)
        tdelete(delivery, &delivery->all->tree, by_id);
}

static void forget(struct delivery *delivery, enum withdraw_why why)
{
    stop(delivery, why);
    if (delivery->listed)
        TAILQ_REMOVE(&delivery->all->reports, delivery, report);
    TAILQ_REMOVE(&delivery->all->all, delivery, link);
    free(delivery);
}

static void tell(struct delivery *delivery)
{
    if (!delivery->listed)
        TAILQ_INSERT_TAIL(&delivery->all->reports, delivery, report);
    delivery->listed = true;
}

static void end(struct delivery *delivery, enum ended_how how, const char *why)
{
    log_debug("delivery %llu: %s", (unsigned long long)delivery->id, why);
    stop(delivery, WITHDRAW_SILENT);
    if (delivery->orphan) {
        forget(delivery, WITHDRAW_SILENT);
        return;
    }
    delivery->how = how;
    delivery->why = why;
    delivery->tell_ended = true;
    tell(delivery);
}

/* On a terminal there is nothing more to happen where nobody waits. */
static void on_up(void *userdata, enum session_reach reach, const struct heard *heard)
{
    struct delivery *delivery = userdata;
    bool lasts = reach != REACH_TERMINAL || delivery->wait;
    delivery->up = true;
    if (delivery->orphan) {
        if (!lasts)
            forget(delivery, WITHDRAW_SILENT);
        return;
    }
    delivery->shown =
        (struct boundary_shown){.delivery = delivery->id, .reach = reach, .flags = heard->flags};
    memcpy(delivery->shown.by, heard->by, sizeof(heard->by));
    delivery->tell_shown = true;
    tell(delivery);
    if (!lasts)
        stop(delivery, WITHDRAW_SILENT);
}

static void fail(struct delivery *delivery, const char *why)
{
    log_info("delivery %llu failed: %s", (unsigned long long)delivery->id, why);
    end(delivery, ENDED_FAILED, why);
}

/* A logout ends bus, notification server and popup before logind says that the session is gone. */
static bool may_be_a_logout(struct delivery *delivery)
{
    uint64_t ends_us, soon_us = (clock_ms(CLOCK_BOOTTIME) + LOST_MS) * 1000;
    if (sd_event_source_get_time(delivery->life, &ends_us) < 0 ||
        (ends_us > soon_us && sd_event_source_set_time(delivery->life, soon_us) < 0))
        return false;
    delivery->lost = true;
    return true;
}

static void on_over(void *userdata, enum ended_how how, const char *why, struct slice answer)
{
    struct delivery *delivery = userdata;
    if (how == ENDED_FAILED && strcmp(why, "helper-lost") == 0 && may_be_a_logout(delivery))
        return;
    delivery->answer_len = answer.len;
    if (answer.len > 0)
        memcpy(delivery->answer, answer.ptr, answer.len);
    if (how == ENDED_FAILED)
        fail(delivery, why);
    else
        end(delivery, how, why);
}

static int on_life(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct delivery *delivery = userdata;
    (void)source;
    (void)usec;
    if (delivery->lost)
        fail(delivery, "helper-lost");
    else
        end(delivery, ENDED_TIMED_OUT, delivery->up ? "no-answer" : "not-shown");
    return 0;
}

/* ---- present --------------------------------------------------------------------------------- */

static const char *why_of(int error)
{
    return error == -EBUSY ? "too-many" : "internal";
}

/* Of a terminal that is written to, whoever opens it finds that out. */
static bool is_off(const struct session_where *where, const struct boundary_message *message)
{
    return where->reach == REACH_TMUX && where->disabled &&
           !(message->u.present.flags & PRESENT_OVERRIDE);
}

/* The session may have gone, or be reached in another way, since its user was asked. */
static void on_wish(void *userdata, bool heard, const struct boundary_message *message,
                    const struct present_texts *texts)
{
    struct delivery *delivery = userdata;
    struct session_where where;
    const struct showing_order order = {&where, message, texts, on_up, on_over, delivery};
    delivery->wish = NULL;
    if (!sessions_where(delivery->all->showings.sessions, delivery->session, &where)) {
        end(delivery, ENDED_SESSION_GONE, "logout");
    } else if (!heard || is_off(&where, message)) {
        end(delivery, ENDED_FAILED, "messages-disabled");
    } else {
        int r = showing_start(&delivery->all->showings, &order, &delivery->showing);
        if (r < 0)
            end(delivery, ENDED_FAILED, why_of(r));
    }
}

static int start(struct delivery *delivery, const struct session_where *where,
                 const struct boundary_message *message, const struct present_texts *texts)
{
    const struct wish_question question = {where, message, texts, on_wish, delivery};
    const struct showing_order order = {where, message, texts, on_up, on_over, delivery};
    uint64_t until_ms = clock_ms(CLOCK_BOOTTIME) + message->u.present.life_ms;
    int r = sd_event_add_time(delivery->all->event, &delivery->life, CLOCK_BOOTTIME,
                              until_ms * 1000, LIFE_ACCURACY_US, on_life, delivery);
    if (r < 0)
        return r;
    if (message->u.present.flags & PRESENT_OVERRIDE)
        return showing_start(&delivery->all->showings, &order, &delivery->showing);
    return wishes_ask(delivery->all->wishes, &question, &delivery->wish);
}

/* Refused at once: a delivery of which only the report is left. */
static void refuse(struct delivery *delivery, enum ended_how how, const char *why)
{
    delivery->over = delivery->tell_ended = true;
    delivery->how = how;
    delivery->why = why;
    tell(delivery);
}

static void log_refused(struct deliveries *deliveries, const char *user, const char *reason)
{
    uint64_t held;
    if (log_limit_pass(&deliveries->refused, user, clock_ms(CLOCK_BOOTTIME), &held))
        log_warning("a message for %s was refused: %s (and %llu such before)", user, reason,
                    (unsigned long long)held);
}

static void show(struct delivery *delivery, const struct boundary_message *message,
                 const struct present_texts *texts)
{
    struct deliveries *deliveries = delivery->all;
    struct session_where where;
    if (!sessions_where(deliveries->showings.sessions, delivery->session, &where)) {
        refuse(delivery, ENDED_SESSION_GONE, "logout");
        return;
    }
    if (is_off(&where, message)) {
        refuse(delivery, ENDED_FAILED, "messages-disabled");
        return;
    }
    delivery->uid = where.target.uid;
    if (caps_take(&deliveries->caps, delivery->uid, clock_ms(CLOCK_BOOTTIME)) < 0) {
        log_refused(deliveries, where.user, "too many");
        refuse(delivery, ENDED_FAILED, "too-many");
        return;
    }
    log_info("present to %s on %s from %.*s: %zu bytes", where.user,
             where.reach == REACH_DESKTOP ? "the desktop" : where.target.line,
             LOG_SLICE(texts->sender), texts->body.len);
    int r = tsearch(delivery, &deliveries->tree, by_id) ? start(delivery, &where, message, texts)
                                                        : -ENOMEM;
    if (r < 0)
        end(delivery, ENDED_FAILED, why_of(r));
}

int deliveries_present(struct deliveries *deliveries, const struct boundary_message *message,
                       const char **ret_reason)
{
    const struct boundary_present *present = &message->u.present;
    struct present_texts texts;
    const char *unfit;
    int r = present_texts_read(message, &texts, &unfit);
    if (r == 0 && tfind(&present->delivery, &deliveries->tree, by_id)) {
        unfit = "a delivery that is there already";
        r = -EBADMSG;
    }
    if (r == -EBADMSG) {
        *ret_reason = unfit;
        return r;
    }
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery) {
        *ret_reason = "no memory";
        return -EBADMSG; /* an answer could not be given either */
    }
    *delivery = (struct delivery){
        .id = present->delivery,
        .all = deliveries,
        .session = present->session,
        .wait = (present->flags & PRESENT_WAIT) != 0,
    };
    TAILQ_INSERT_TAIL(&deliveries->all, delivery, link);
    if (r < 0) {
        log_refused(deliveries, "somebody", unfit);
        refuse(delivery, ENDED_FAILED, "internal");
    } else {
        show(delivery, message, &texts);
    }
    return 0;
}

/* ---- taken down ------------------------------------------------------------------------------ */

void deliveries_withdraw(struct deliveries *deliveries, const struct boundary_withdraw *withdraw)
{
    struct delivery **found =
        (struct delivery **)tfind(&withdraw->delivery, &deliveries->tree, by_id);
    if (!found)
        return;
    forget(*found, (enum withdraw_why)withdraw->why);
}

static struct delivery *next_of(struct delivery *delivery)
{
    return TAILQ_NEXT(delivery, link);
}

void deliveries_session_gone(struct deliveries *deliveries, uint64_t session, const char *why)
{
    for (struct delivery *one = TAILQ_FIRST(&deliveries->all), *next; one; one = next) {
        next = next_of(one);
        if (one->session == session && !one->over)
            end(one, ENDED_SESSION_GONE, why);
    }
}

void deliveries_forget_peer(struct deliveries *deliveries)
{
    for (struct delivery *one = TAILQ_FIRST(&deliveries->all), *next; one; one = next) {
        next = next_of(one);
        if (one->over || one->wait) {
            forget(one, WITHDRAW_STOP);
        } else if (!one->orphan) {
            tdelete(one, &deliveries->tree, by_id);
            one->orphan = true;
        }
    }
}

bool deliveries_next_report(struct deliveries *deliveries, struct boundary_message *ret_message)
{
    struct delivery *delivery = TAILQ_FIRST(&deliveries->reports);
    struct boundary_message message = {0};
    if (!delivery)
        return false;
    if (delivery->tell_shown) {
        delivery->tell_shown = false;
        message.verb = BOUNDARY_SHOWN;
        message.u.shown = delivery->shown;
    } else {
        delivery->tell_ended = false;
        message.verb = BOUNDARY_ENDED;
        message.u.ended = (struct boundary_ended){.delivery = delivery->id, .how = delivery->how};
        snprintf(message.u.ended.why, sizeof(message.u.ended.why), "%s", delivery->why);
        memcpy(deliveries->answer, delivery->answer, delivery->answer_len);
        message.text = deliveries->answer;
        message.text_len = delivery->answer_len;
    }
    if (!delivery->tell_ended) {
        TAILQ_REMOVE(&deliveries->reports, delivery, report);
        delivery->listed = false;
        if (delivery->over)
            forget(delivery, WITHDRAW_SILENT);
    }
    *ret_message = message;
    return true;
}

int deliveries_new(sd_event *event, const struct showings *showings, struct wishes *wishes,
                   struct deliveries **ret_deliveries)
{
    struct deliveries *deliveries = calloc(1, sizeof(*deliveries));
    if (!deliveries)
        return -ENOMEM;
    deliveries->event = event;
    deliveries->showings = *showings;
    deliveries->wishes = wishes;
    deliveries->refused.period_ms = 60000;
    TAILQ_INIT(&deliveries->all);
    TAILQ_INIT(&deliveries->reports);
    *ret_deliveries = deliveries;
    return 0;
}

void deliveries_free(struct deliveries *deliveries)
{
    struct delivery *delivery;
    if (!deliveries)
        return;
    while ((delivery = TAILQ_FIRST(&deliveries->all)))
        forget(delivery, WITHDRAW_SILENT);
    caps_free(&deliveries->caps);
    free(deliveries);
}
