/* SPDX-License-Identifier: MIT */
#include "daemon/net_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

/* ---- beginning and ending -------------------------------------------------------------------- */

static struct follow *begin(struct conn *conn, uint32_t id)
{
    struct follow *follow = calloc(1, sizeof(*follow));

    if (!follow)
        return NULL;
    follow->conn = conn;
    follow->id = id;
    DL_APPEND(conn->follows, follow);
    stream_set_requests(conn->stream, ++conn->n_follows);
    return follow;
}

static void release(struct follow *follow)
{
    struct conn *conn = follow->conn;

    DL_DELETE(conn->follows, follow);
    conn->n_follows--;
    if (follow->request)
        follow->request->holder = NULL;
    free(follow->who);
    free(follow);
}

static void end(struct follow *follow)
{
    struct conn *conn = follow->conn;

    release(follow);
    stream_set_requests(conn->stream, conn->n_follows);
}

/*
 * It is let go before anything is said: what is said may drain the connection, whose follows are
 * then pumped, and this one would be told the rest and its end.
 */
static void move_away(struct follow *old)
{
    struct conn *conn = old->conn;
    uint32_t id = old->id;

    release(old);
    conn_error(conn, id, "moved", NULL, 0);
    stream_set_requests(conn->stream, conn->n_follows);
}

int follow_request(struct conn *conn, uint32_t id, struct book_request *request, uint32_t after,
                   bool re)
{
    struct follow *follow = begin(conn, id);

    if (!follow)
        return -ENOMEM;
    if (request->holder)
        move_away(request->holder);
    follow->request = request;
    follow->re = re;
    follow->cursor = after < request->life.q ? after : request->life.q;
    follow->misses = after == 0 ? request->n_misses : 0;
    request->holder = follow;
    return 0;
}

int follow_who(struct conn *conn, uint32_t id, struct follow_place *who, size_t n,
               const char *state)
{
    struct follow *follow = begin(conn, id);

    if (!follow) {
        free(who);
        return -ENOMEM;
    }
    follow->who = who;
    follow->n_who = n;
    follow->state = state;
    return 0;
}

int follow_list(struct conn *conn, uint32_t id)
{
    struct follow *follow = begin(conn, id);

    if (!follow)
        return -ENOMEM;
    follow->list = true;
    follow->state = "ok";
    return 0;
}

void follow_lose_all(struct conn *conn)
{
    while (conn->follows) {
        struct book_request *request = conn->follows->request;
        release(conn->follows);
        if (request)
            server_step(conn->server, request, &(struct request_event){.kind = EVENT_LOST});
    }
}

/* ---- events ---------------------------------------------------------------------------------- */

static const char *or_nothing(const char *text)
{
    return text[0] ? text : NULL;
}

static struct msg_event event_of(const struct book_request *request, uint32_t q)
{
    const struct delivery_event *line = request_log_after(&request->life, q);
    const struct book_target *to = &request->to[line->d - 1];
    struct msg_event event = {
        .q = q + 1,
        .d = line->d,
        .st = slice_of(delivery_state_name(line->st)),
        .fin = line->fin,
        .at = line->at,
        .why = slice_of(or_nothing(delivery_why_name(line->why))),
    };

    if (line->by)
        event.by = slice_of(request->to[line->by - 1].sess);
    if (line->st == DELIVERY_DISPLAYED) {
        event.by = slice_of(or_nothing(to->by));
        if (to->shown_reach != to->reach)
            event.kind = slice_of(sessions_reach_name(to->shown_reach));
    }
    if (line->answer && line->answer <= request->message->n_answers)
        event.ans = request->message->answers[line->answer - 1];
    if (line->st == DELIVERY_ACCEPTED) {
        event.user = slice_of(to->user);
        event.sess = slice_of(to->sess);
        event.id = slice_of(to->id);
        event.kind = slice_of(sessions_reach_name(to->reach));
        event.state = slice_of(or_nothing(to->state));
    }
    return event;
}

static void send_events(struct follow *follow)
{
    const struct book_request *request = follow->request;
    struct msg_event events[LIM_EVENTS];
    size_t n = 0;
    struct msg msg = {.type = MSG_EVENT, .id = follow->id, .u.events.re = follow->re};

    if (follow->cursor == 0) {
        msg.u.events.n = request->life.n;
        msg.u.events.time_ms = (uint64_t)request->life.terms.time_ms;
    }
    while (n < LIM_EVENTS && request_log_after(&request->life, follow->cursor))
        events[n++] = event_of(request, follow->cursor++);
    msg.u.events.ev = (struct msg_event_list){events, n};
    stream_send(follow->conn->stream, &msg);
}

/* One EVENT of them, from the first on; how many it holds. */
static size_t send_some_misses(struct conn *conn, uint32_t id, const struct msg_miss *misses,
                               size_t n, bool re)
{
    size_t some = n < LIM_MISSES ? n : LIM_MISSES;
    struct msg msg = {.type = MSG_EVENT, .id = id, .u.events = {.miss = {misses, some}, .re = re}};

    stream_send(conn->stream, &msg);
    return some;
}

void follow_send_misses(struct conn *conn, uint32_t id, const struct msg_miss *misses, size_t n,
                        bool re)
{
    for (size_t said = 0; said < n;)
        said += send_some_misses(conn, id, misses + said, n - said, re);
}

static void send_kept_misses(struct follow *follow)
{
    const struct book_request *request = follow->request;
    const struct msg_miss *next = request->misses + request->n_misses - follow->misses;

    follow->misses -= send_some_misses(follow->conn, follow->id, next, follow->misses, follow->re);
}

static void send_request_result(const struct follow *follow)
{
    const struct request *life = &follow->request->life;
    struct msg msg = {.type = MSG_RESULT,
                      .id = follow->id,
                      .u.result = {.st = slice_of(request_result(life)), .q = life->q}};

    request_counts(life, &msg.u.result.n);
    stream_send(follow->conn->stream, &msg);
}

/* True if there is nothing more to say. */
static bool pump_request(struct follow *follow)
{
    const struct request *life = &follow->request->life;

    if (follow->misses > 0)
        send_kept_misses(follow);
    else if (request_log_after(life, follow->cursor))
        send_events(follow);
    else if (!request_finished(life))
        return true;
    else {
        send_request_result(follow);
        end(follow);
        return true;
    }
    return false;
}

/* ---- who and list ---------------------------------------------------------------------------- */

static struct msg_session session_of(const struct conn *conn, const struct boundary_session *s,
                                     const struct follow_place *who)
{
    const struct net_sessions *sessions = &conn->server->sessions;
    const struct boundary_session *instead = sessions_find(sessions, who->instead);
    bool disabled = s->flags & SESSION_DISABLED && !s->why[0];

    return (struct msg_session){
        .id = slice_of(s->id),
        .name = slice_of(s->name),
        .user = slice_of(s->user),
        .reach = slice_of(sessions_reach_name(s->reach)),
        .why = disabled ? SLICE(MISS_DISABLED) : slice_of(or_nothing(s->why)),
        .from = slice_of(or_nothing(s->from)),
        .state = slice_of(or_nothing(s->state)),
        .type = slice_of(or_nothing(s->type)),
        .idle_s = s->idle_s,
        .locked = s->flags & SESSION_LOCKED,
        .place = who->place,
        .by = slice_of(instead ? instead->name : NULL),
        .me = (conn->is_unix || conn->own.vouched) && s->uid == conn->uid,
    };
}

static void send_sessions(struct follow *follow)
{
    struct msg_session sessions[LIM_EVENTS];
    size_t n = 0;
    struct msg msg = {.type = MSG_EVENT, .id = follow->id};

    for (; n < LIM_EVENTS && follow->at < follow->n_who; follow->at++) {
        const struct follow_place *who = &follow->who[follow->at];
        const struct boundary_session *s =
            sessions_find(&follow->conn->server->sessions, who->handle);
        if (s)
            sessions[n++] = session_of(follow->conn, s, who);
    }
    msg.u.events.who = (struct msg_session_list){sessions, n};
    if (n > 0)
        stream_send(follow->conn->stream, &msg);
}

void follow_send_message(struct conn *conn, uint32_t id, const struct reader_entry *entry)
{
    const struct held_message *message = entry->message;
    struct msg msg = {
        .type = MSG_EVENT,
        .id = id,
        .u.events.message =
            {
                .number = entry->number,
                .sess = slice_of(entry->sess),
                .from = message->sender,
                .at = message->at,
                .title = message->title,
                .text = message->text,
                .answers = {message->answers, message->n_answers},
                .st = slice_of(delivery_state_name(entry->state)),
                .wait = message->wait && entry->open > 0,
                .ended = entry->ended,
            },
    };

    stream_send(conn->stream, &msg);
}

static const struct reader_entry *next_entry(const struct follow *follow)
{
    const struct conn *conn = follow->conn;
    const struct reader_entry *entry = reader_first(&conn->server->book.readers, conn->uid);

    while (entry && entry->number <= follow->cursor)
        entry = entry->next;
    return entry;
}

/* True if there is nothing more to say. */
static bool pump_list(struct follow *follow)
{
    const struct reader_entry *entry = follow->list ? next_entry(follow) : NULL;

    if (entry) {
        follow->cursor = entry->number;
        follow_send_message(follow->conn, follow->id, entry);
        return false;
    }
    if (follow->at < follow->n_who) {
        send_sessions(follow);
        return false;
    }
    conn_result(follow->conn, follow->id, follow->state);
    end(follow);
    return true;
}

void follow_pump(struct follow *follow)
{
    struct conn *conn = follow->conn;
    bool done = conn->closing, corked = stream_cork(conn->stream);

    while (!done && stream_unsent(conn->stream) < LIM_UNSENT)
        done = follow->request ? pump_request(follow) : pump_list(follow);
    if (corked)
        stream_uncork(conn->stream);
}

void follow_pump_all(struct conn *conn)
{
    struct follow *follow, *next;

    DL_FOREACH_SAFE(conn->follows, follow, next)
    follow_pump(follow);
}
