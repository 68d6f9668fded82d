/* SPDX-License-Identifier: MIT */
#include "client/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct dial {
    const struct call_config *config;
    char *address_text;
    const struct dial_owner *owner; /* NULL: cancelled */
    void *context;
    uv_getaddrinfo_t lookup;
    bool looking_up;
    struct addrinfo *found, *next; /* resolved; the one to try next */
    struct stream *stream;         /* being tried */
};

static void try_next(struct dial *dial);

/* ---- the end --------------------------------------------------------------------------------- */

/* The memory goes when neither the resolver nor a stream knows it any more. */
static void release(struct dial *dial)
{
    if (dial->looking_up || dial->stream != NULL)
        return;
    if (dial->found != NULL)
        uv_freeaddrinfo(dial->found);
    free(dial);
}

static void fail(struct dial *dial, const struct stream_end *end)
{
    const struct dial_owner *owner = dial->owner;
    void *context = dial->context;

    release(dial);
    if (owner != NULL)
        owner->failed(context, end);
}

static void fail_with(struct dial *dial, int error)
{
    struct stream_end end = {.why = PEER_END_LOST, .error = error};

    fail(dial, &end);
}

void dial_cancel(struct dial *dial)
{
    dial->owner = NULL;
    if (dial->looking_up)
        uv_cancel((uv_req_t *)&dial->lookup);
    if (dial->stream != NULL)
        stream_drop(dial->stream);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void on_key(void *context, struct stream *stream, const struct noise_public *key)
{
    struct dial *dial = context;
    const struct dial_owner *owner = dial->owner;
    void *owner_context = dial->context;

    if (owner == NULL)
        return;
    dial->stream = NULL; /* it has a new owner in a moment */
    release(dial);
    owner->reached(owner_context, stream, key);
}

static void on_gone(void *context, struct stream *stream, const struct stream_end *end)
{
    struct dial *dial = context;

    (void)stream;
    dial->stream = NULL;
    if (dial->owner == NULL)
        release(dial);
    else if (dial->next != NULL)
        try_next(dial);
    else
        fail(dial, end);
}

/* Messages come only after the key, when the stream has its new owner. */
static const struct stream_owner stream_owner = {.key = on_key, .gone = on_gone};

static void note_address(struct dial *dial, const struct sockaddr *address)
{
    const struct call_server *server = dial->config->server;
    size_t size = sizeof(((struct call_result *)0)->address);
    char host[64] = "?";

    if (server->local) {
        snprintf(dial->address_text, size, "%s", server->socket);
        return;
    }
    uv_ip_name(address, host, sizeof(host));
    snprintf(dial->address_text, size, "%s port %u", host, (unsigned)server->port);
}

static void connect_to(struct dial *dial, const struct sockaddr *address)
{
    struct stream_config config = {
        .loop = dial->config->loop,
        .owner = &stream_owner,
        .context = dial,
        .static_keys = dial->config->identity,
        .agent = SLICE("msg " PACKAGE_VERSION),
        .end = dial->config->end,
    };

    note_address(dial, address);
    int result = stream_connect(&dial->stream, &config, address);
    if (result == 0)
        return;
    if (dial->next != NULL)
        try_next(dial);
    else
        fail_with(dial, result);
}

static void try_next(struct dial *dial)
{
    struct addrinfo *address = dial->next;

    dial->next = address->ai_next;
    connect_to(dial, address->ai_addr);
}

/* ---- resolving ------------------------------------------------------------------------------- */

static void on_resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct dial *dial = lookup->data;

    dial->looking_up = false;
    dial->found = dial->next = found;
    if (dial->owner == NULL)
        release(dial);
    else if (status < 0)
        fail_with(dial, status);
    else
        try_next(dial);
}

static void resolve(struct dial *dial)
{
    const struct call_server *server = dial->config->server;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned)server->port);
    dial->lookup.data = dial;
    int result =
        uv_getaddrinfo(dial->config->loop, &dial->lookup, on_resolved, server->host, port, &hints);
    dial->looking_up = result == 0;
    if (result < 0)
        fail_with(dial, result);
}

bool dial_start(struct dial **ret_dial, const struct call_config *config, char *address_text,
                const struct dial_owner *owner, void *context)
{
    const struct call_server *server = config->server;
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct dial *dial = calloc(1, sizeof(*dial));

    if (dial == NULL)
        return false;
    *dial = (struct dial){
        .config = config, .address_text = address_text, .owner = owner, .context = context};
    *ret_dial = dial;
    if (server->local) {
        memcpy(local.sun_path, server->socket, sizeof(local.sun_path));
        connect_to(dial, (const struct sockaddr *)&local);
    } else if (uv_ip4_addr(server->host, server->port, &v4) == 0) {
        connect_to(dial, (const struct sockaddr *)&v4);
    } else if (uv_ip6_addr(server->host, server->port, &v6) == 0) {
        connect_to(dial, (const struct sockaddr *)&v6);
    } else {
        resolve(dial);
    }
    return true;
}
