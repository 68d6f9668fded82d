/* SPDX-License-Identifier: MIT */
#include "daemon/net_enrol.h"

#include "common/keys.h"
#include "daemon/net_audit.h"
#include "daemon/net_tickets.h"

#include <errno.h>
#include <time.h>

/* Why it is refused, for the log; NULL: it is not. */
static const char *judge(const struct conn *conn, const struct msg_enrol *enrol,
                         const struct ticket **ret_ticket)
{
    static const char *const reasons[] = {
        [TICKET_UNKNOWN] = "is unknown, or was withdrawn",
        [TICKET_WRONG] = "is not proved: another secret, or somebody in the middle",
        [TICKET_USED] = "was used already",
        [TICKET_LATE] = "is not within its time",
    };
    const struct server *server = conn->server;
    int64_t now_s = (int64_t)time(NULL);
    enum ticket_verdict verdict = tickets_judge(
        server->tickets, trust_enrolled(server->trust), (const uint8_t *)enrol->id.ptr,
        (const uint8_t *)enrol->mac.ptr, stream_handshake_hash(conn->stream), now_s, ret_ticket);

    if (verdict != TICKET_GOOD)
        return reasons[verdict];
    if (!ticket_admits(*ret_ticket, (const struct sockaddr *)&conn->source, now_s))
        return "does not hold for this address, or its rights are over";
    return NULL;
}

/* Nobody's key it was when it was told that it may; the files may have come to know it. */
static const char *known_by_now(const struct conn *conn)
{
    const struct trust *trust = conn->server->trust;
    const struct trust_claim none = {.endorsed = false};

    enum trust_verdict verdict =
        trust_judge(trust, &conn->key, &none, (const struct sockaddr *)&conn->source,
                    (int64_t)time(NULL), NULL);

    if (verdict == TRUST_REVOKED || verdict == TRUST_BROKEN)
        return verdict == TRUST_REVOKED ? "revoked" : "internal";
    return trust_knows(trust, &conn->key) ? "unauthorized" : NULL;
}

/* 0, or why the client is told that it failed. */
static const char *record(struct conn *conn, const struct ticket *ticket)
{
    struct server *server = conn->server;
    struct diag diag;
    int r = enrolled_add(server->config.enrolled, ticket->id, &conn->key, ticket->line, &diag);

    server_check_trust(server, true);
    if (r == 0)
        return NULL;
    log_error("%s is not enrolled: %s", conn->host, diag.text);
    return r == -EEXIST ? "invite-invalid" : "internal";
}

static void note_enrolled(const struct conn *conn, const struct ticket *ticket)
{
    char id[INVITATION_NAME + 1], key[KEY_TEXT_LEN + 1];

    invitation_id_format(ticket->id, id);
    key_format(&conn->key, key);
    log_notice("enrolled %s, %s from %s, by invitation %s", ticket->line, key, conn->host, id);
    audit_enrolled(conn, id);
}

static void answer(struct conn *conn, uint32_t id, const struct ticket *ticket)
{
    uint8_t mac[ENROL_MAC];
    struct slice rights = ticket_rights(ticket);
    struct msg msg = {.type = MSG_ENROLLED,
                      .id = id,
                      .u.enrolled = {.mac = {(const char *)mac, sizeof(mac)},
                                     .you = slice_of(ticket->name),
                                     .perm = rights.len <= 255 ? rights : (struct slice){0}}};

    enrol_mac(&ticket->key, ENROL_SERVER, stream_handshake_hash(conn->stream), mac);
    stream_verdict(conn->stream, NULL);
    stream_send(conn->stream, &msg);
}

void enrol_take(struct conn *conn, const struct msg *msg)
{
    struct server *server = conn->server;
    const struct ticket *ticket = NULL;
    char id[INVITATION_NAME + 1], reason[128];

    server_check_trust(server, false);
    const char *known = known_by_now(conn);
    if (known) {
        stream_verdict(conn->stream, known);
        return;
    }
    tickets_refresh(server->tickets, uv_now(server->loop));
    const char *refused = judge(conn, &msg->u.enrol, &ticket);
    if (refused) {
        invitation_id_format((const uint8_t *)msg->u.enrol.id.ptr, id);
        snprintf(reason, sizeof(reason), "%s %s", id, refused);
        conn_log_refusal(conn, &server->enrolments, "invitation", reason);
        stream_verdict(conn->stream, "invite-invalid");
        return;
    }
    const char *failed = record(conn, ticket);
    if (failed) {
        stream_verdict(conn->stream, failed);
        return;
    }
    snprintf(conn->name, sizeof(conn->name), "%s", ticket->name);
    note_enrolled(conn, ticket);
    answer(conn, msg->id, ticket);
    conn_enter(conn);
}
