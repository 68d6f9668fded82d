/* SPDX-License-Identifier: MIT */
/*
 * A notification on the user's desktop: the server is found, its signals asked for, then Notify.
 * All goes to the server's unique name, and only its own signals are heard. What they mean is
 * popup_notice.c's to say.
 */
#include "common/mem.h"
#include "common/text.h"
#include "daemon/popup_bus.h"
#include "daemon/popup_notice.h"
#include "daemon/popup_server.h"
#include "daemon/popup_text.h"
#include "daemon/present_words.h"

#define BUS        "org.freedesktop.DBus"
#define BUS_PATH   "/org/freedesktop/DBus"
#define ASK_MS     3000                 /* for all questions, then another way is tried */
#define NOTIFY_MS  5000                 /* for the notification itself */
#define ENDLESS_MS (24 * 3600 * 1000LL) /* who says so long means: until it is seen */

enum urgency { URGENCY_NORMAL = 1, URGENCY_CRITICAL = 2 };

struct desktop {
    struct popup *popup; /* borrowed */
    sd_bus *bus;
    sd_event_source *deadline;
    struct notice notice;
    struct server_search search;
    bool asked;    /* Notify was sent */
    bool answered; /* and answered */
    bool taken_down;
};

/* ---- what it means --------------------------------------------------------------------------- */

static void say(struct desktop *desktop, const struct notice_event *event)
{
    const struct server *server = &desktop->search.found;
    const struct slice none = {0};
    unsigned answer = 0;
    if (desktop->taken_down)
        return;
    switch (notice_step(&desktop->notice, event, &answer)) {
    case NOTICE_NOTHING:
        break;
    case NOTICE_SHOWN:
        popup_shown(desktop->popup, server->quiet ? SHOWN_DO_NOT_DISTURB : 0, server->by);
        break;
    case NOTICE_CANNOT:
        popup_cannot(desktop->popup);
        break;
    case NOTICE_TOO_MANY:
        popup_ended(desktop->popup, ENDED_FAILED, "too-many", none);
        break;
    case NOTICE_ACKNOWLEDGED:
        popup_ended(desktop->popup, ENDED_ACKNOWLEDGED, "",
                    present_answers_at(popup_message(desktop->popup)->texts.answers, answer));
        break;
    case NOTICE_DISMISSED:
        popup_ended(desktop->popup, ENDED_DISMISSED, "closed-by-user", none);
        break;
    case NOTICE_TIMED_OUT:
        popup_ended(desktop->popup, ENDED_TIMED_OUT, "no-answer", none);
        break;
    case NOTICE_LOST:
        popup_ended(desktop->popup, ENDED_FAILED, "helper-lost", none);
        break;
    }
}

static void set_deadline(struct desktop *desktop, uint64_t ms)
{
    sd_event_source_set_time_relative(desktop->deadline, ms * 1000);
    sd_event_source_set_enabled(desktop->deadline, ms > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct desktop *desktop = userdata;
    (void)source;
    (void)usec;
    say(desktop, &(struct notice_event){.said = desktop->asked ? NOTICE_SILENT : NOTICE_GONE});
    return 0;
}

/* The server has ended, or the bus has: as hostile as any other word of theirs. */
static int on_owner_changed(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const char *name, *before, *after;
    (void)error;
    if (sd_bus_message_read(reply, "sss", &name, &before, &after) >= 0 && after[0] == '\0')
        say(userdata, &(struct notice_event){.said = NOTICE_GONE});
    return 0;
}

static int on_disconnected(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)reply;
    (void)error;
    say(userdata, &(struct notice_event){.said = NOTICE_GONE});
    return 0;
}

static int on_action(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    struct notice_event event = {.said = NOTICE_ACTION};
    (void)error;
    if (sd_bus_message_read(signal, "us", &event.id, &event.text) >= 0)
        say(userdata, &event);
    return 0;
}

static int on_closed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    struct notice_event event = {.said = NOTICE_CLOSED};
    (void)error;
    if (sd_bus_message_read(signal, "uu", &event.id, &event.reason) >= 0)
        say(userdata, &event);
    return 0;
}

/* ---- Notify ---------------------------------------------------------------------------------- */

static void close_it(struct desktop *desktop);

static int on_notified(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
    struct desktop *desktop = userdata;
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    struct notice_event event = {.said = NOTICE_TAKEN};
    (void)unused;
    desktop->answered = true;
    set_deadline(desktop, 0);
    if (error)
        event = (struct notice_event){.said = NOTICE_REFUSED, .text = error->name};
    else if (sd_bus_message_read(reply, "u", &event.id) < 0)
        event.id = 0;
    if (desktop->taken_down && !error)
        desktop->notice.id = event.id;
    if (desktop->taken_down)
        close_it(desktop);
    else
        say(desktop, &event);
    return 0;
}

/* A click on the body says OK; where there are answers it says nothing, and is not offered. */
static int add_ok(sd_bus_message *call, const struct popup_message *message,
                  const struct server *server)
{
    int r = sd_bus_message_append(call, "ss", NOTICE_DEFAULT, words[WORD_OK]);
    if (r >= 0 && message->wait && !server->default_is_button)
        r = sd_bus_message_append(call, "ss", NOTICE_OK, words[WORD_OK]);
    return r;
}

static int add_answers(sd_bus_message *call, struct slice answers)
{
    char key[16], escaped[TEXT_ESCAPED(LIM_ANSWER)];
    struct slice label;
    int r = 0;
    for (unsigned number = 1; r >= 0 && present_answers_next(&answers, &label); number++) {
        snprintf(key, sizeof(key), NOTICE_ANSWER "%u", number);
        text_escape(label, TEXT_ONE_LINE, escaped, sizeof(escaped));
        r = sd_bus_message_append(call, "ss", key, escaped);
    }
    return r;
}

static int add_actions(sd_bus_message *call, const struct popup_message *message,
                       const struct server *server)
{
    int r = sd_bus_message_open_container(call, 'a', "s");
    if (r >= 0)
        r = message->texts.answers.len > 0 ? add_answers(call, message->texts.answers)
                                           : add_ok(call, message, server);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static int add_hints_and_time(sd_bus_message *call, const struct popup_message *message)
{
    bool endless = message->life_ms >= ENDLESS_MS;
    uint8_t urgency = message->wait || endless ? URGENCY_CRITICAL : URGENCY_NORMAL;
    int32_t expires = endless ? 0 : (int32_t)message->life_ms;
    return sd_bus_message_append(call, "a{sv}i", 2, "urgency", "y", urgency, "category", "s",
                                 "im.received", expires);
}

static int build_notify(struct desktop *desktop, sd_bus_message *call)
{
    const struct popup_message *message = popup_message(desktop->popup);
    char summary[POPUP_SUMMARY];
    CLEANUP_FREE char *body =
        popup_text(message, desktop->search.found.markup ? POPUP_TEXT_MARKUP : POPUP_TEXT_PLAIN);
    if (!body)
        return -ENOMEM;
    popup_text_summary(message, summary);
    int r = sd_bus_message_append(call, "susss", "msg", 0U, "", summary, body);
    if (r >= 0)
        r = add_actions(call, message, &desktop->search.found);
    if (r >= 0)
        r = add_hints_and_time(call, message);
    return r;
}

static int notify(struct desktop *desktop)
{
    sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(desktop->bus, &call, desktop->search.found.owner,
                                           SERVER_PATH, SERVER_NAME, "Notify");
    if (r >= 0)
        r = build_notify(desktop, call);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(call, false);
    if (r >= 0)
        r = sd_bus_call_async(desktop->bus, NULL, call, on_notified, desktop, 0);
    sd_bus_message_unref(call);
    if (r < 0)
        return r;
    desktop->asked = true;
    set_deadline(desktop, NOTIFY_MS);
    return 0;
}

/* ---- the server ------------------------------------------------------------------------------ */

/* Signals are asked for before anything is: none is missed, and none of another's is heard. */
static int listen_to(struct desktop *desktop)
{
    static const struct {
        const char *member;
        sd_bus_message_handler_t heard;
    } signals[] = {
        {"ActionInvoked", on_action},
        {"NotificationClosed", on_closed},
    };
    char rule[512];
    int r = 0;
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
        r = sd_bus_match_signal_async(desktop->bus, NULL, desktop->search.found.owner, SERVER_PATH,
                                      SERVER_NAME, signals[i].member, signals[i].heard, NULL,
                                      desktop);
    snprintf(rule, sizeof(rule),
             "type='signal',sender='" BUS "',interface='" BUS
             "',member='NameOwnerChanged',arg0='%s'",
             desktop->search.found.owner);
    if (r >= 0)
        r = sd_bus_add_match_async(desktop->bus, NULL, rule, on_owner_changed, NULL, desktop);
    return r;
}

static void on_server(void *userdata, int error)
{
    struct desktop *desktop = userdata;
    const struct server *server = &desktop->search.found;
    if (desktop->taken_down)
        return;
    /* Without actions there is no button, so no acknowledgement: a dialog has one. */
    if (error == 0 && popup_message(desktop->popup)->wait && !server->actions)
        error = -EOPNOTSUPP;
    if (error == 0)
        error = listen_to(desktop);
    if (error >= 0)
        error = notify(desktop);
    if (error < 0)
        say(desktop, &(struct notice_event){.said = NOTICE_GONE});
}

/* ---- the way --------------------------------------------------------------------------------- */

static void desktop_free(void *state)
{
    struct desktop *desktop = state;
    sd_event_source_disable_unref(desktop->deadline);
    popup_bus_close(desktop->bus);
    free(desktop);
}

static int begin(struct desktop *desktop)
{
    sd_event *event = popup_event(desktop->popup);
    int r = sd_event_add_time_relative(event, &desktop->deadline, CLOCK_MONOTONIC, ASK_MS * 1000, 0,
                                       on_deadline, desktop);
    if (r >= 0)
        r = popup_bus_open(event, &desktop->bus);
    if (r >= 0)
        r = sd_bus_match_signal_async(desktop->bus, NULL, NULL, BUS_PATH "/Local", BUS ".Local",
                                      "Disconnected", on_disconnected, NULL, desktop);
    if (r < 0)
        return r;
    desktop->search =
        (struct server_search){.bus = desktop->bus, .done = on_server, .userdata = desktop};
    return server_find(&desktop->search);
}

static int start(struct popup *popup, void **ret_state)
{
    const struct popup_message *message = popup_message(popup);
    struct desktop *desktop = calloc(1, sizeof(*desktop));
    if (!desktop)
        return -ENOMEM;
    desktop->popup = popup;
    desktop->notice.answers = present_answers_count(message->texts.answers);
    desktop->notice.wait = message->wait;
    int r = begin(desktop);
    if (r < 0) {
        desktop_free(desktop);
        return r;
    }
    *ret_state = desktop;
    return 0;
}

static int on_close_answered(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct desktop *desktop = userdata;
    (void)reply;
    (void)error;
    popup_down(desktop->popup);
    return 0;
}

/* One that was never asked for, or refused, is not there. */
static void close_it(struct desktop *desktop)
{
    if (desktop->notice.id == 0 ||
        sd_bus_call_method_async(desktop->bus, NULL, desktop->search.found.owner, SERVER_PATH,
                                 SERVER_NAME, "CloseNotification", on_close_answered, desktop, "u",
                                 desktop->notice.id) < 0)
        popup_down(desktop->popup);
}

/* A notification that was asked for and has no number yet is closed as soon as it has one. */
static void take_down(void *state)
{
    struct desktop *desktop = state;
    desktop->taken_down = true;
    if (!desktop->asked || desktop->answered)
        close_it(desktop);
}

const struct popup_way popup_desktop = {start, take_down, desktop_free};
