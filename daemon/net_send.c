/* SPDX-License-Identifier: MIT */
/* SEND, step by step: known already? fit? allowed? whom? is there room? Then it is shown. */
#include "common/text.h"
#include "daemon/net_audit.h"
#include "daemon/net_fold.h"
#include "daemon/net_follow.h"
#include "daemon/net_notes.h"
#include "daemon/net_requests.h"

#include <errno.h>
#include <stdlib.h>

struct sending {
    const struct call *call;
    const struct msg_send *send;
    struct book_key key;
    struct seen_key seen;
    uint8_t body[BOOK_HASH];
};

/* What a SEND is answered with in place of events; code NULL: nothing is wrong. */
struct refusal {
    const char *code;
    char at[LIM_NAME + 1];
    uint64_t retry_ms;
};

static const struct refusal fine = {0};

static struct refusal refusal_at(const char *code, const char *field, size_t index)
{
    struct refusal refusal = {.code = code};

    snprintf(refusal.at, sizeof(refusal.at), "%s.%zu", field, index);
    return refusal;
}

/* ---- known already --------------------------------------------------------------------------- */

static struct sending sending_of(const struct call *call)
{
    struct sending s = {.call = call, .send = &call->msg->u.send};

    s.key = call_key(call, s.send->uid);
    s.seen = seen_key_of(&s.key.principal, s.key.uid);
    return s;
}

bool send_is_known(const struct call *call)
{
    struct sending s = sending_of(call);

    return book_find(&call->server->book, &s.key) || seen_has(call->server->seen, &s.seen);
}

/* True if it was sent before: the same bytes are answered as they were. */
static bool answer_again(const struct sending *s)
{
    const struct call *call = s->call;
    struct book_request *request = book_find(&call->server->book, &s->key);

    if (!request && !seen_has(call->server->seen, &s->seen))
        return false;
    if (!request)
        call_error(call, "outcome-unknown", NULL, 0);
    else if (memcmp(request->body, s->body, sizeof(s->body)) != 0)
        call_error(call, "conflict", NULL, 0);
    else if (follow_request(call->conn, call->msg->id, request, 0, true) < 0)
        call_error(call, "internal", NULL, 0);
    else {
        audit_answered(call, "again");
        server_step(call->server, request, &(struct request_event){.kind = EVENT_HELD});
    }
    return true;
}

/* ---- fit ------------------------------------------------------------------------------------- */

static struct refusal check_answers(const struct msg_send *send)
{
    if (send->answers.n > 0 && !send->wait)
        return refusal_at("bad-message", "answers", 0);
    for (size_t i = 0; i < send->answers.n; i++) {
        if (text_check_line(send->answers.items[i], NULL) < 0)
            return refusal_at("bad-text", "answers", i);
        for (size_t k = 0; k < i; k++) {
            if (fold_eq(send->answers.items[i], send->answers.items[k]))
                return refusal_at("bad-message", "answers", i);
        }
    }
    return fine;
}

static struct refusal check_text(const struct sending *s)
{
    const struct msg_send *send = s->send;

    if (text_check(send->text, NULL) < 0)
        return (struct refusal){.code = "bad-text", .at = "text"};
    if (send->title.len > 0 && text_check_line(send->title, NULL) < 0)
        return (struct refusal){.code = "bad-text", .at = "title"};
    return check_answers(send);
}

static struct refusal check_server(const struct sending *s)
{
    const struct call *call = s->call;
    struct server *server = call->server;

    if (!presenter_ready(server->presenter))
        return (struct refusal){.code = "no-presenter", .retry_ms = RETRY_BUSY_MS};
    int64_t wait = account_message(call->conn->account, call->rate, server_now().ms * 1000);
    if (wait > 0)
        return (struct refusal){.code = "rate-limited", .retry_ms = (uint64_t)(wait + 999) / 1000};
    return fine;
}

/* ---- whom ------------------------------------------------------------------------------------ */

/* Nobody may be behind all this; then the misses say why. */
static struct refusal find_targets(const struct sending *s, struct resolved *ret_found)
{
    struct resolve_query query = {
        .sessions = &s->call->server->sessions,
        .rights = &s->call->rights,
        .to = s->send->to,
        .except = s->send->not,
    };
    size_t bad = 0;
    int r = resolve(&query, ret_found, &bad);

    if (r == -EINVAL)
        return bad < LIM_SELECTORS ? refusal_at("bad-message", "to", bad)
                                   : refusal_at("bad-message", "not", bad - LIM_SELECTORS);
    if (r < 0)
        return (struct refusal){.code = r == -E2BIG ? "too-many" : "internal"};
    if (ret_found->n > 0 && notes_add(query.sessions, ret_found) == 0)
        return fine;
    if (ret_found->n > 0) {
        resolved_release(ret_found);
        return (struct refusal){.code = "internal"};
    }
    const char *code = resolved_error(ret_found);
    if (ret_found->n_misses > 0)
        follow_send_misses(s->call->conn, s->call->msg->id, ret_found->misses, ret_found->n_misses,
                           false);
    resolved_release(ret_found);
    return (struct refusal){.code = code};
}

/* ---- entered, written down, shown ------------------------------------------------------------ */

static struct request_terms terms_of(const struct sending *s)
{
    const struct msg_send *send = s->send;
    uint64_t longest = s->call->server->config.max_time;
    uint64_t time = send->time_ms > 0 && send->time_ms < longest ? send->time_ms : longest;

    return (struct request_terms){
        .wait = send->wait,
        .each = send->each,
        .time_ms = (int64_t)time,
        .lost_ms = (int64_t)send->lost_ms,
    };
}

static struct refusal enter(const struct sending *s, const struct resolved *found,
                            struct book_request **ret_request)
{
    struct server *server = s->call->server;
    struct moment now = server_now();
    char label[PRESENT_SENDER];
    struct book_new new = {
        .key = s->key,
        .account = s->call->conn->account,
        .claim = s->call->conn->claim,
        .message = {.text = s->send->text,
                    .title = s->send->title,
                    .answers = s->send->answers,
                    .wait = s->send->wait,
                    .at = now.wall},
        .terms = terms_of(s),
        .override = s->call->rights.override,
        .sessions = &server->sessions,
        .resolved = found,
    };

    conn_label(s->call->conn, label, sizeof(label));
    new.message.sender = slice_of(label);
    new.message.name = strlen(s->call->conn->name);
    new.message.local = s->call->conn->is_unix;
    memcpy(new.body, s->body, sizeof(new.body));
    if (book_make_room(&server->book, new.account, found->n, held_size(&new.message)) < 0)
        return (struct refusal){.code = "busy", .retry_ms = RETRY_BUSY_MS};
    int r = seen_add(server->seen, &s->seen, s->body, now.wall);
    if (r < 0) {
        log_error("cannot write down what is shown, so nothing is: %s", strerror(-r));
        return (struct refusal){.code = "internal"};
    }
    if (book_add(&server->book, &new, ret_request) < 0)
        return (struct refusal){.code = "internal"};
    (*ret_request)->accepted_ms = now.ms;
    return fine;
}

static struct refusal show(const struct sending *s)
{
    struct resolved found;
    struct book_request *request;
    const struct call *call = s->call;
    struct refusal refusal = find_targets(s, &found);

    if (refusal.code)
        return refusal;
    refusal = enter(s, &found, &request);
    if (!refusal.code && follow_request(call->conn, call->msg->id, request, 0, false) < 0)
        log_error("no memory to follow a request: it goes on without its sender");
    if (!refusal.code) {
        audit_accepted(call, request);
        server_step(call->server, request, &(struct request_event){.kind = EVENT_START});
    }
    resolved_release(&found);
    return refusal;
}

void request_send(const struct call *call)
{
    struct sending s = sending_of(call);

    crypto_generichash(s.body, sizeof(s.body), (const uint8_t *)call->msg->map.ptr,
                       call->msg->map.len, NULL, 0);
    if (answer_again(&s))
        return;
    struct refusal refusal = check_text(&s);
    if (!refusal.code)
        refusal = check_server(&s);
    if (!refusal.code)
        refusal = show(&s);
    if (refusal.code)
        call_error(call, refusal.code, refusal.at[0] ? refusal.at : NULL, refusal.retry_ms);
}
