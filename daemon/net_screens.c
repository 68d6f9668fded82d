/* SPDX-License-Identifier: MIT */
#include "daemon/net_screens.h"

#include "common/text.h"

#include <errno.h>

/* ---- orders ---------------------------------------------------------------------------------- */

/* What its reader is told of a message that is taken down. */
static enum withdraw_why told(enum delivery_why why)
{
    switch ((int)why) {
    case WHY_BY_SENDER:
    case WHY_SENDER_LOST:
    case WHY_REVOKED:
        return WITHDRAW_SENDER;
    case WHY_ANSWERED_ELSEWHERE:
        return WITHDRAW_ANSWERED;
    case WHY_DAEMON_STOP:
        return WITHDRAW_STOP;
    }
    return WITHDRAW_SILENT;
}

bool screens_order(struct server *server, const struct book_request *request,
                   const struct request_actions *actions)
{
    int r = 0;

    for (size_t i = 0; i < actions->n; i++) {
        const struct request_action *action = &actions->items[i];
        uint64_t name = book_delivery_name(request, action->d);
        if (action->kind == REQUEST_WITHDRAW)
            presenter_withdraw(server->presenter, name, told(action->why));
        else if (r == 0)
            r = presenter_present(server->presenter, name);
    }
    return r == 0;
}

/* ---- sessions -------------------------------------------------------------------------------- */

/*
 * A session's end as the list says it: what the presenter shows there it ends itself, but it knows
 * nothing of what one before it has shown.
 */
static void end_orphans(struct server *server, uint64_t handle)
{
    struct book_request *request, *next;

    HASH_ITER(hh, server->book.table, request, next)
    {
        for (uint32_t d = 1; d <= request->life.n; d++) {
            if (request->to[d - 1].session == handle && request->life.deliveries[d - 1].orphan)
                server_step(
                    server, request,
                    &(struct request_event){.kind = EVENT_SESSION_GONE, .d = d, .why = WHY_HANGUP});
        }
    }
}

static int on_session(void *owner, const struct boundary_session *session)
{
    struct server *server = owner;
    int r = sessions_update(&server->sessions, session);

    if (session->change == SESSION_GONE && server->has_orphans)
        end_orphans(server, session->handle);
    return r;
}

/* Their sessions are looked up in the new list: the same one goes on by its new handle. */
static void adopt_orphans(struct server *server)
{
    struct book_request *request, *next;

    HASH_ITER(hh, server->book.table, request, next)
    {
        for (uint32_t d = 1; d <= request->life.n; d++) {
            struct book_target *to = &request->to[d - 1];
            const struct boundary_session *same;
            if (!request->life.deliveries[d - 1].orphan)
                continue;
            same = sessions_same(&server->sessions, to->uid, to->id, to->sess);
            to->session = same ? same->handle : 0;
        }
    }
    end_orphans(server, 0);
}

static void on_ready(void *owner)
{
    struct server *server = owner;

    log_info("connected with msgd-present, %zu session%s", server->sessions.n,
             server->sessions.n == 1 ? "" : "s");
    if (server->has_orphans)
        adopt_orphans(server);
    if (server->on_ready)
        server->on_ready(server);
}

/* ---- deliveries ------------------------------------------------------------------------------ */

/*
 * What may keep it from being seen: the screen's own word, else what the list says of the session.
 */
static enum delivery_why unseen_why(const struct server *server, const struct book_target *to,
                                    uint32_t flags)
{
    const struct boundary_session *session = sessions_find(&server->sessions, to->session);

    if (flags & SHOWN_LOCKED || (session && session->flags & SESSION_LOCKED))
        return WHY_LOCKED;
    return flags & SHOWN_DO_NOT_DISTURB ? WHY_DO_NOT_DISTURB : WHY_NONE;
}

static void on_shown(void *owner, const struct boundary_shown *shown)
{
    struct server *server = owner;
    struct request_event event = {.kind = EVENT_SHOWN};
    struct book_request *request = book_by_delivery(&server->book, shown->delivery, &event.d);

    if (!request || request->life.deliveries[event.d - 1].state != DELIVERY_ACCEPTED)
        return;
    struct book_target *to = &request->to[event.d - 1];
    text_escape(slice_of(shown->by), TEXT_ONE_LINE, to->by, sizeof(to->by));
    to->shown_reach = shown->reach;
    event.lasting = shown->reach == REACH_TERMINAL;
    event.why = unseen_why(server, to, shown->flags);
    server_step(server, request, &event);
}

static uint8_t label_of(const struct book_request *request, struct slice answer)
{
    for (size_t i = 0; i < request->message->n_answers; i++) {
        if (slice_eq(request->message->answers[i], answer))
            return (uint8_t)(i + 1);
    }
    return 0;
}

static void on_ended(void *owner, const struct boundary_ended *ended, struct slice answer)
{
    static const enum delivery_state states[] = {
        [ENDED_ACKNOWLEDGED] = DELIVERY_ACKNOWLEDGED,
        [ENDED_DISMISSED] = DELIVERY_DISMISSED,
        [ENDED_TIMED_OUT] = DELIVERY_TIMED_OUT,
        [ENDED_SESSION_GONE] = DELIVERY_SESSION_GONE,
        [ENDED_FAILED] = DELIVERY_FAILED,
    };
    struct server *server = owner;
    struct request_event event = {.kind = EVENT_ENDED,
                                  .state = states[ended->how],
                                  .why = delivery_why_named(slice_of(ended->why))};
    struct book_request *request = book_by_delivery(&server->book, ended->delivery, &event.d);

    if (!request)
        return;
    if (event.state == DELIVERY_ACKNOWLEDGED)
        event.answer = label_of(request, answer);
    server_step(server, request, &event);
}

/* The text of the datagram that is being written. */
static char present_text[PRESENT_SENDER + LIM_TITLE + PRESENT_ANSWERS + LIM_TEXT];

static size_t join_text(const struct held_message *message, uint32_t *ret_answers_len)
{
    char *at = present_text, *answers;

    at = mempcpy(at, message->sender.ptr, message->sender.len);
    at = mempcpy(at, message->title.ptr, message->title.len);
    answers = at;
    for (size_t i = 0; i < message->n_answers; i++) {
        at = mempcpy(at, message->answers[i].ptr, message->answers[i].len);
        *at++ = '\n';
    }
    *ret_answers_len = (uint32_t)(at - answers);
    at = mempcpy(at, message->text.ptr, message->text.len);
    return (size_t)(at - present_text);
}

static bool on_present(void *owner, uint64_t delivery, struct boundary_message *message)
{
    struct server *server = owner;
    uint32_t d;
    struct book_request *request = book_by_delivery(&server->book, delivery, &d);

    if (!request || request->life.deliveries[d - 1].final || !request->life.deliveries[d - 1].up)
        return false;
    const struct book_target *to = &request->to[d - 1];
    const struct held_message *held = request->message;
    int64_t left = request->accepted_ms + request->life.terms.time_ms - server_now().ms;

    message->verb = BOUNDARY_PRESENT;
    message->u.present = (struct boundary_present){
        .delivery = delivery,
        .session = to->session,
        .account = request->account->number,
        .life_ms = left > 0 ? (uint64_t)left : 1,
        .sent_at_ms = held->at,
        .number = to->entry->number,
        .flags = (held->wait ? (uint32_t)PRESENT_WAIT : 0) |
                 (request->override ? (uint32_t)PRESENT_OVERRIDE : 0) |
                 (held->local ? (uint32_t)PRESENT_LOCAL : 0),
        .sender_len = (uint32_t)held->sender.len,
        .title_len = (uint32_t)held->title.len,
        .name_len = (uint32_t)held->name,
    };
    message->text = present_text;
    message->text_len = join_text(held, &message->u.present.answers_len);
    return true;
}

/* ---- its end, its beginning ------------------------------------------------------------------ */

/* By what the next presenter will call it: its id is another one once logind knows of it too. */
static void remember_ids(struct server *server)
{
    struct book_request *request, *next;

    HASH_ITER(hh, server->book.table, request, next)
    {
        for (uint32_t d = 1; d <= request->life.n; d++) {
            struct book_target *to = &request->to[d - 1];
            const struct boundary_session *session =
                to->entry ? sessions_find(&server->sessions, to->session) : NULL;
            if (session)
                memcpy(to->id, session->id, sizeof(to->id));
        }
    }
}

static void on_lost(void *owner, const char *reason)
{
    struct server *server = owner;

    remember_ids(server);
    sessions_clear(&server->sessions);
    if (!server->stopping)
        log_error("msgd-present is lost: %s", reason);
    server->has_orphans = true;
    server_step_all(server, EVENT_PRESENTER_LOST);
    if (server->embedded && !server->stopping)
        server_stop(server, 1);
}

static void on_presenter_stopped(void *owner)
{
    struct server *server = owner;

    server->presenter = NULL;
}

int screens_start(struct server *server, int fd)
{
    static const struct presenter_owner owner = {
        .session = on_session,
        .ready = on_ready,
        .shown = on_shown,
        .ended = on_ended,
        .present = on_present,
        .lost = on_lost,
        .stopped = on_presenter_stopped,
    };

    server->embedded = fd >= 0;
    return presenter_start(&server->presenter, server->loop,
                           fd >= 0 ? NULL : server->config.present, fd, &owner, server);
}
