/* SPDX-License-Identifier: MIT */
#include "daemon/net_held.h"

#include "daemon/net_conn.h"
#include "daemon/net_requests.h"

#include <stdlib.h>
#include <utlist.h>

#define HEAD 16 /* more than [type, id, needs */

/* A request that waits: a frame's plaintext. */
struct held_request {
    struct held_request *next, *prev;
    uint32_t id;
    size_t len;
    uint8_t bytes[];
};

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
    *at++ = 0xce;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(number >> shift);
    return at;
}

static void hold(struct conn *conn, const struct msg *msg)
{
    struct held_request *held =
        conn->held.n < LIM_OPEN_REQUESTS ? malloc(sizeof(*held) + HEAD + msg->map.len) : NULL;

    if (!held) {
        requests_put_off(conn, msg);
        return;
    }
    uint8_t *at = held->bytes;
    *at++ = 0x93;
    at = put_u32(put_u32(at, msg->type), msg->id);
    if (msg->map.len > 0)
        memcpy(at, msg->map.ptr, msg->map.len);
    held->len = (size_t)(at - held->bytes) + msg->map.len;
    held->id = msg->id;
    DL_APPEND(conn->held.first, held);
    conn->held.n++;
}

/* False: its rights hang on nothing that must be asked. */
static bool ask(struct conn *conn)
{
    struct trust_grant grant;
    const char *code;

    if (!conn_grant(conn, &grant, &code))
        return false;
    if (grant.own)
        own_ask(conn, grant.own);
    else
        return within_ask(conn, grant.line);
    return true;
}

/* What was sent already is followed and taken back whatever became of the rights to send it. */
static bool hangs_on_rights(struct conn *conn, const struct msg *msg)
{
    const struct call call = {.server = conn->server, .conn = conn, .msg = msg};

    return msg->type == MSG_WHO || (msg->type == MSG_SEND && !send_is_known(&call));
}

static bool can_be_served(struct conn *conn, const struct msg *msg)
{
    return !hangs_on_rights(conn, msg) || !ask(conn) || (!conn->query && conn->held.answered);
}

bool held_takes(struct conn *conn, const struct msg *msg)
{
    if (!conn->query && !conn->held.first && can_be_served(conn, msg))
        return false;
    if (conn->query)
        hold(conn, msg);
    else
        requests_put_off(conn, msg);
    return true;
}

static void serve(struct conn *conn, const struct held_request *held)
{
    struct msg_fault fault;
    struct wire_doc doc;
    struct msg msg;

    if (msg_decode(&msg, &doc, held->bytes, held->len, &fault) < 0) { /* no memory */
        conn_error(conn, held->id, "busy", NULL, RETRY_BUSY_MS);
        conn->server->unrecorded++;
        return;
    }
    if (conn->held.answered || !hangs_on_rights(conn, &msg))
        requests_serve(conn, &msg);
    else
        requests_put_off(conn, &msg);
    wire_release(&doc);
}

static struct held_request *take_first(struct conn *conn)
{
    struct held_request *held = conn->held.first;

    DL_DELETE(conn->held.first, held);
    conn->held.n--;
    return held;
}

void held_serve(struct conn *conn)
{
    while (conn->held.first && !conn->closing) {
        struct held_request *held = take_first(conn);
        serve(conn, held);
        free(held);
    }
}

void held_end(struct conn *conn)
{
    while (conn->held.first)
        free(take_first(conn));
}
