/* SPDX-License-Identifier: MIT */
#include "daemon/net_requests.h"

#include "daemon/net_audit.h"
#include "daemon/net_fold.h"
#include "daemon/net_follow.h"

enum transport { ON_UNIX = 1, ON_TCP = 2, ON_BOTH = 3 };

/* What may be asked, where, and whether it opens an id that stays open for a while. */
static const struct row {
    uint32_t type;
    enum transport transport;
    bool follows;
    request_fn *handler;
} rows[] = {
    {MSG_SEND, ON_BOTH, true, request_send},     {MSG_CANCEL, ON_BOTH, false, request_cancel},
    {MSG_ATTACH, ON_BOTH, true, request_attach}, {MSG_WHO, ON_BOTH, true, request_who},
    {MSG_ACK, ON_UNIX, false, request_ack},      {MSG_LIST, ON_UNIX, true, request_list},
    {MSG_GRANT, ON_UNIX, false, request_grant},
};

static const struct row *row_of(const struct conn *conn, uint32_t type)
{
    enum transport transport = conn->is_unix ? ON_UNIX : ON_TCP;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == type && (rows[i].transport & transport))
            return &rows[i];
    }
    return NULL;
}

void requests_take(struct conn *conn, const struct msg *msg)
{
    server_check_trust(conn->server, false);
    if (conn->closing || !conn->open)
        return; /* judged just now, and told */
    if (conn->is_unix || !held_takes(conn, msg))
        requests_serve(conn, msg);
}

void requests_serve(struct conn *conn, const struct msg *msg)
{
    const struct row *row = row_of(conn, msg->type);
    struct call call = {.server = conn->server, .conn = conn, .msg = msg};
    const char *code;

    if (!conn_rights(conn, &call.rights, &call.rate, &code)) {
        call_error(&call, code, NULL, 0);
        conn->closing = true;
        stream_close(conn->stream);
    } else if (!row) {
        call_error(&call, "unsupported", NULL, 0);
    } else if (row->follows && conn->n_follows >= LIM_OPEN_REQUESTS) {
        call_error(&call, "busy", NULL, RETRY_BUSY_MS);
    } else {
        row->handler(&call);
    }
}

void requests_put_off(struct conn *conn, const struct msg *msg)
{
    call_error(&(struct call){.server = conn->server, .conn = conn, .msg = msg}, "busy", NULL,
               RETRY_BUSY_MS);
}

void call_error(const struct call *call, const char *code, const char *at, uint64_t retry_ms)
{
    audit_refused(call, code, at);
    conn_error(call->conn, call->msg->id, code, at, retry_ms);
}

void call_ok(const struct call *call)
{
    audit_answered(call, "ok");
    conn_result(call->conn, call->msg->id, "ok");
}

struct book_key call_key(const struct call *call, struct slice uid)
{
    struct book_key key = {.principal = call->conn->principal};

    memcpy(key.uid, uid.ptr, sizeof(key.uid)); /* the decoder has looked at its size */
    return key;
}

/* ---- the sender's further word --------------------------------------------------------------- */

/* The caller's request of that uid; NULL: he was told why not. */
static struct book_request *find_own(const struct call *call, struct slice uid)
{
    struct book_key key = call_key(call, uid);
    struct seen_key seen = seen_key_of(&key.principal, key.uid);
    struct book_request *request = book_find(&call->server->book, &key);

    if (!request)
        call_error(call, seen_has(call->server->seen, &seen) ? "outcome-unknown" : "unknown-uid",
                   NULL, 0);
    return request;
}

void request_cancel(const struct call *call)
{
    struct book_request *request = find_own(call, call->msg->u.cancel.uid);

    if (!request)
        return;
    server_step(call->server, request, &(struct request_event){.kind = EVENT_CANCEL});
    call_ok(call);
}

void request_attach(const struct call *call)
{
    struct book_request *request = find_own(call, call->msg->u.attach.uid);

    if (!request)
        return;
    if (follow_request(call->conn, call->msg->id, request, (uint32_t)call->msg->u.attach.after,
                       true) < 0)
        call_error(call, "internal", NULL, 0);
    else {
        audit_answered(call, "ok");
        server_step(call->server, request, &(struct request_event){.kind = EVENT_HELD});
    }
}

/* ---- the receiver's side --------------------------------------------------------------------- */

/* Which of the answers it is, from 1; 0: none of them. */
static uint8_t answer_of(const struct held_message *message, struct slice answer)
{
    for (size_t i = 0; i < message->n_answers; i++) {
        if (fold_eq(answer, message->answers[i]))
            return (uint8_t)(i + 1);
    }
    if (answer.len == 1 && answer.ptr[0] >= '1' &&
        (size_t)(answer.ptr[0] - '0') <= message->n_answers)
        return (uint8_t)(answer.ptr[0] - '0');
    return 0;
}

void request_ack(const struct call *call)
{
    const struct msg_ack *ack = &call->msg->u.ack;
    struct reader_entry *entry =
        reader_find(&call->server->book.readers, call->conn->uid, (uint32_t)ack->number);

    if (!entry) {
        call_error(call, "no-target", NULL, 0);
        return;
    }
    uint8_t answer = answer_of(entry->message, ack->answer);
    uint32_t d = book_awaiting(entry, ack->sess);
    if (d == 0) {
        call_error(call, "too-late", NULL, 0);
    } else if (answer == 0 && (ack->answer.len > 0 || entry->message->n_answers > 0)) {
        call_error(call, "bad-message", "answer", 0);
    } else {
        server_step(call->server, entry->request,
                    &(struct request_event){.kind = EVENT_ACKNOWLEDGED, .d = d, .answer = answer});
        call_ok(call);
    }
}

void request_list(const struct call *call)
{
    uint32_t number = (uint32_t)call->msg->u.list.number;
    const struct reader_entry *entry =
        reader_find(&call->server->book.readers, call->conn->uid, number);

    if (number > 0 && !entry) {
        call_error(call, "no-target", NULL, 0);
    } else if (entry) {
        follow_send_message(call->conn, call->msg->id, entry);
        call_ok(call);
    } else if (follow_list(call->conn, call->msg->id) < 0) {
        call_error(call, "internal", NULL, 0);
    } else {
        audit_answered(call, "ok");
        follow_pump_all(call->conn);
    }
}
