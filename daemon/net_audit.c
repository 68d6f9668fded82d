/* SPDX-License-Identifier: MIT */
#include "daemon/net_audit.h"

#include "common/keys.h"
#include "common/mem.h"
#include "common/text.h"

#include <ctype.h>
#include <time.h>

#define TARGETS    1024 /* bytes of MSG_TARGETS */
#define UID_DIGITS 26   /* 16 bytes in digits of 5 bits */

/* ---- who ------------------------------------------------------------------------------------- */

static void put_endorsement(struct record *record, const struct trust_claim *claim)
{
    char signer[ANY_KEY_TEXT_LEN + 1];

    any_key_format(&claim->signer, signer);
    record_format(record, RECORD_SIGNER, "%s", signer);
    record_format(record, RECORD_SERIAL, "%llu", (unsigned long long)claim->serial);
}

static void put_key(struct record *record, const struct noise_public *key)
{
    char text[KEY_TEXT_LEN + 1];

    key_format(key, text);
    record_format(record, RECORD_PRINCIPAL, "%s", text);
    record_format(record, RECORD_KEY, "%s", text);
}

/* Whose rights a key has, where they are a local user's. */
static void put_account(struct record *record, const struct account *account)
{
    uint32_t uid;

    if (!account || account->principal.kind != PRINCIPAL_UNIX)
        return;
    memcpy(&uid, account->principal.id, sizeof(uid));
    record_format(record, RECORD_ACCOUNT, "unix:%u", uid);
}

static void put_who(struct record *record, const struct conn *conn)
{
    if (conn->is_unix)
        record_format(record, RECORD_PRINCIPAL, "unix:%u", conn->uid);
    else if (conn->principal.kind == PRINCIPAL_KEY)
        put_key(record, &conn->key);
    if (!conn->is_unix)
        put_account(record, conn->account);
    record_put(record, RECORD_NAME, slice_of(conn->name));
    if (!conn->is_unix)
        record_put(record, RECORD_ADDRESS, slice_of(conn->host));
    if (conn->claim.endorsed)
        put_endorsement(record, &conn->claim);
}

/* ---- what ------------------------------------------------------------------------------------ */

/* As msg's "Message id" begins. */
static void put_uid(struct record *record, struct slice uid)
{
    static const char DIGITS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char text[UID_DIGITS + 1] = "";
    unsigned bits = 0, count = 0;
    size_t at = 0;

    for (size_t i = 0; i < UID_DIGITS; i++) {
        if (count < 5) {
            bits = bits << 8 | (at < uid.len ? (unsigned char)uid.ptr[at] : 0u);
            at++;
            count += 8;
        }
        count -= 5;
        text[i] = DIGITS[bits >> count & 31];
    }
    record_format(record, RECORD_UID, "%s", text);
}

static struct slice selector_name(const struct msg_selector *selector, const char **ret_kind)
{
    static const char *const kinds[] = {
        [SEL_NONE] = "?", [SEL_USER] = "user:", [SEL_SESSION] = "session:",
        [SEL_ID] = "id:", [SEL_NAME] = "name:", [SEL_ALL] = "all",
        [SEL_ME] = "me"};
    const struct slice of[] = {[SEL_USER] = selector->user,
                               [SEL_SESSION] = selector->session,
                               [SEL_ID] = selector->id,
                               [SEL_NAME] = selector->name};
    enum selector_kind kind = msg_selector_kind(selector);

    *ret_kind = kinds[kind];
    return kind < ARRAY_SIZE(of) ? of[kind] : (struct slice){NULL, 0};
}

/* "name:bob", one word whatever the name holds. */
static size_t write_selector(const struct msg_selector *selector, char *out, size_t capacity)
{
    const char *kind;
    struct slice name = selector_name(selector, &kind);
    size_t len = (size_t)snprintf(out, capacity, "%s", kind);

    return len + record_word(name, out + len, capacity - len);
}

#define SELECTOR TEXT_ESCAPED(4 * LIM_NAME)

/* Appends as many as fit; how many did not. */
static size_t write_list(const struct msg_selector_list *list, const char *before, char *out,
                         size_t *len)
{
    for (size_t i = 0; i < list->n; i++) {
        char word[16 + SELECTOR];
        size_t more = write_selector(&list->items[i], word, sizeof(word));
        if (*len + 2 + more >= TARGETS - 24)
            return list->n - i;
        *len += (size_t)sprintf(out + *len, "%s%s%s", *len > 0 ? " " : "", before, word);
    }
    return 0;
}

static void put_targets(struct record *record, const struct msg_selector_list *to,
                        const struct msg_selector_list *except)
{
    char text[TARGETS] = "";
    size_t len = 0, more = write_list(to, "", text, &len);

    more += write_list(except, "!", text, &len);
    if (more > 0)
        sprintf(text + len, " +%zu", more);
    record_format(record, RECORD_TARGETS, "%s", text);
}

static void put_granted(struct record *record, struct slice key)
{
    char text[KEY_TEXT_LEN + 1];
    struct noise_public public;

    if (key.len != sizeof(public.bytes))
        return;
    memcpy(public.bytes, key.ptr, sizeof(public.bytes));
    key_format(&public, text);
    record_format(record, RECORD_GRANTED, "%s", text);
}

/* "send": messages.def has it in capitals. */
static void put_kind(struct record *record, const char *name)
{
    char kind[16] = "";

    for (size_t i = 0; name[i] && i < sizeof(kind) - 1; i++)
        kind[i] = (char)tolower((unsigned char)name[i]);
    record_format(record, RECORD_REQUEST, "%s", kind);
}

static void put_request(struct record *record, const struct msg *msg)
{
    static const struct msg_selector_list none = {NULL, 0};

    put_kind(record, msg_name(msg->type));
    if (msg->type == MSG_SEND) {
        put_uid(record, msg->u.send.uid);
        put_targets(record, &msg->u.send.to, &msg->u.send.not );
    } else if (msg->type == MSG_WHO) {
        put_targets(record, &msg->u.who.to, &none);
    } else if (msg->type == MSG_CANCEL) {
        put_uid(record, msg->u.cancel.uid);
    } else if (msg->type == MSG_ATTACH) {
        put_uid(record, msg->u.attach.uid);
    } else if (msg->type == MSG_ACK) {
        record_format(record, RECORD_NUMBER, "%llu", (unsigned long long)msg->u.ack.number);
    } else if (msg->type == MSG_GRANT) {
        put_granted(record, msg->u.grant.add.len > 0 ? msg->u.grant.add : msg->u.grant.take);
    }
}

static void put_text(struct record *record, const struct call *call)
{
    if (!call->server->config.audit_text || call->msg->type != MSG_SEND)
        return;
    record_put(record, RECORD_TITLE, call->msg->u.send.title);
    record_put(record, RECORD_TEXT, call->msg->u.send.text);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* For people: "alice (network, 192.0.2.7): send to name:bob: ok". */
static struct slice message(const struct record *record, char *out, size_t capacity)
{
    struct slice name = record_get(record, RECORD_NAME), to = record_get(record, RECORD_TARGETS);
    struct slice address = record_get(record, RECORD_ADDRESS);
    char who[TEXT_ESCAPED(255)];

    text_escape(name, TEXT_ONE_LINE, who, sizeof(who));
    int len = snprintf(out, capacity, "%s (%s%.*s): %.*s%s%.*s: %.*s", who,
                       address.len ? "network, " : "this host", LOG_SLICE(address),
                       LOG_SLICE(record_get(record, RECORD_REQUEST)), to.len ? " to " : "",
                       LOG_SLICE(to), LOG_SLICE(record_get(record, RECORD_OUTCOME)));
    return (struct slice){out, len < (int)capacity ? (size_t)len : capacity - 1};
}

static void write_record(struct server *server, struct record *record, const char *id, int level)
{
    char left_out[16], priority[2] = {(char)('0' + level), '\0'};

    snprintf(left_out, sizeof(left_out), "%u", record->left_out);
    record_put(record, RECORD_MESSAGE_ID, slice_of(id));
    record_put(record, RECORD_PRIORITY, slice_of(priority));
    record_put(record, RECORD_IDENTIFIER, SLICE("msgd"));
    if (record->left_out > 0)
        record_put(record, RECORD_LEFT_OUT, slice_of(left_out));
    journal_write(&server->journal, record, level);
}

static void write_request(struct server *server, struct record *record, int level)
{
    char text[TARGETS + TEXT_ESCAPED(255) + 256];

    record_put(record, RECORD_MESSAGE, message(record, text, sizeof(text)));
    write_record(server, record, AUDIT_REQUEST_ID, level);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* It has a rate of its own, and nobody is to hide it behind other requests. */
static bool is_grant(const struct call *call, const char *outcome)
{
    return call->msg->type == MSG_GRANT && strcmp(outcome, "rate-limited") != 0;
}

static void write_answer(const struct call *call, const char *outcome, const char *at, int level)
{
    struct record record;

    if (!is_grant(call, outcome) &&
        account_record(call->conn->account, server_now().ms * 1000) > 0) {
        call->server->unrecorded++;
        return;
    }
    record_begin(&record);
    put_request(&record, call->msg);
    record_put(&record, RECORD_OUTCOME, slice_of(outcome));
    put_who(&record, call->conn);
    record_put(&record, RECORD_FIELD, slice_of(at));
    put_text(&record, call);
    write_request(call->server, &record, level);
}

void audit_answered(const struct call *call, const char *outcome)
{
    write_answer(call, outcome, NULL, LOG_INFO);
}

void audit_refused(const struct call *call, const char *code, const char *at)
{
    write_answer(call, code, at, LOG_NOTICE);
}

static void put_misses(struct record *record, const struct call *call,
                       const struct book_request *request)
{
    const struct msg_selector_list *to = &call->msg->u.send.to;
    size_t told = 0;

    for (size_t i = 0; i < request->n_misses; i++) {
        const struct msg_miss *miss = &request->misses[i];
        char word[16 + SELECTOR];
        if (miss->sess.len > 0 || miss->to >= to->n)
            continue; /* a note on somebody who is reached */
        if (told++ >= LIM_RECORD_MISSES) {
            record->left_out++;
            continue;
        }
        write_selector(&to->items[miss->to], word, sizeof(word));
        record_format(record, RECORD_MISS, "%s %.*s", word, LOG_SLICE(miss->code));
    }
}

static void put_time(struct record *record, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    record_format(record, RECORD_AT, "%s", text);
}

void audit_accepted(const struct call *call, struct book_request *request)
{
    struct record record;

    record_begin(&record);
    put_request(&record, call->msg);
    put_who(&record, call->conn);
    put_time(&record, request->message->at);
    put_misses(&record, call, request);
    put_text(&record, call);
    request->record = record_keep(&record);
}

static void put_deliveries(struct record *record, const struct book_request *request)
{
    uint32_t n = request->life.n, told = n < LIM_RECORD_DELIVERIES ? n : LIM_RECORD_DELIVERIES;

    record_format(record, RECORD_COUNT, "%u", n);
    for (uint32_t i = 0; i < told; i++) {
        const struct delivery *delivery = &request->life.deliveries[i];
        const char *why = delivery_why_name(delivery->why);
        char user[SELECTOR], sess[SELECTOR];
        record_word(slice_of(request->to[i].user), user, sizeof(user));
        record_word(slice_of(request->to[i].sess), sess, sizeof(sess));
        record_format(record, RECORD_DELIVERY, "%s %s %s%s%s", user, sess,
                      delivery_state_name(delivery->state), *why ? " " : "", why);
    }
    record->left_out += n - told;
}

void audit_ended(struct server *server, struct book_request *request)
{
    struct record record;
    struct record_kept *kept = request->record;

    if (!kept) { /* there was no memory for it */
        server->unrecorded++;
        return;
    }
    record_load(kept, &record);
    record_put(&record, RECORD_OUTCOME, slice_of(request_result(&request->life)));
    put_deliveries(&record, request);
    write_request(server, &record, LOG_INFO);
    request->record = NULL;
    free(kept);
}

/* ---- connections ----------------------------------------------------------------------------- */

void audit_enrolled(const struct conn *conn, const char *invitation)
{
    struct record record;

    record_begin(&record);
    record_put(&record, RECORD_REQUEST, SLICE("enrol"));
    record_put(&record, RECORD_OUTCOME, SLICE("ok"));
    put_who(&record, conn);
    record_put(&record, RECORD_INVITATION, slice_of(invitation));
    write_request(conn->server, &record, LOG_NOTICE);
}

void audit_turned_away(const struct conn *conn, const char *step, const char *reason, bool held)
{
    struct server *server = conn->server;
    struct record record;

    if (!journal_is_open(&server->journal)) {
        if (!log_enabled(LOG_DEBUG)) /* which has told it */
            log_notice("refused %s, %s: %s%s", conn->host, step, reason,
                       held ? " (and others, not told)" : "");
        return;
    }
    record_begin(&record);
    record_put(&record, RECORD_REQUEST, SLICE("connect"));
    record_put(&record, RECORD_OUTCOME, SLICE("refused"));
    put_who(&record, conn);
    record_put(&record, RECORD_STEP, slice_of(step));
    record_put(&record, RECORD_REASON, slice_of(reason));
    record_format(&record, RECORD_MESSAGE, "refused %s, %s: %s%s", conn->host, step, reason,
                  held ? " (and others, not told)" : "");
    write_record(server, &record, AUDIT_REFUSAL_ID, LOG_NOTICE);
}

void audit_tell_missing(struct server *server)
{
    if (server->unrecorded > 0)
        log_notice("%llu requests left no record: there were more than %d a minute of one sender, "
                   "or no memory",
                   (unsigned long long)server->unrecorded, LIM_RECORDS_A_MINUTE);
    if (server->journal.lost > 0)
        log_warning("%llu records are missing: the journal had no room for them",
                    (unsigned long long)server->journal.lost);
    server->unrecorded = 0;
    server->journal.lost = 0;
}
