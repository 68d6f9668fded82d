/* SPDX-License-Identifier: MIT */
#include "client/dial.h"

#include "client/race.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* One address's turn. */
struct attempt {
    struct dial *dial;
    const struct sockaddr *address;
    struct stream *stream; /* NULL once it is gone, or the owner's */
    int error;             /* -ETIMEDOUT until it has said anything */
};

struct dial {
    const struct call_config *config;
    struct call_result *result;
    const struct dial_owner *owner; /* NULL: over; the memory waits for what still knows it */
    void *context;
    unsigned known; /* to the resolver, to the timer's handle and to streams: so many */
    bool looking_up;
    uv_getaddrinfo_t lookup;
    struct addrinfo *found;
    struct sockaddr_storage given; /* an address in place of a name */
    uv_timer_t delay;              /* until the next address has its turn */
    struct attempt attempts[LIM_ADDRESSES];
    size_t n_addresses, n_tried;
    const struct attempt *winner; /* its transport is there: nobody else has a turn */
};

/* ---- the end --------------------------------------------------------------------------------- */

static void forget(struct dial *dial)
{
    if (--dial->known > 0)
        return;
    if (dial->found != NULL)
        uv_freeaddrinfo(dial->found);
    free(dial);
}

static void on_delay_closed(uv_handle_t *handle)
{
    forget(handle->data);
}

static void drop_all_but(const struct dial *dial, const struct attempt *keep)
{
    for (size_t i = 0; i < dial->n_tried; i++)
        if (&dial->attempts[i] != keep && dial->attempts[i].stream != NULL)
            stream_drop(dial->attempts[i].stream);
}

void dial_cancel(struct dial *dial)
{
    dial->owner = NULL;
    uv_close((uv_handle_t *)&dial->delay, on_delay_closed);
    if (dial->looking_up)
        uv_cancel((uv_req_t *)&dial->lookup);
    drop_all_but(dial, NULL);
}

static void fail(struct dial *dial, const struct stream_end *end)
{
    const struct dial_owner *owner = dial->owner;
    void *context = dial->context;

    dial_cancel(dial);
    owner->failed(context, end);
}

static void fail_with(struct dial *dial, int error)
{
    fail(dial, &(struct stream_end){.why = PEER_END_LOST, .error = error});
}

/* ---- what is told of the addresses ----------------------------------------------------------- */

static void note_address(struct dial *dial, const struct attempt *attempt)
{
    const struct call_server *server = dial->config->server;
    size_t size = sizeof(dial->result->address);
    char host[sizeof(dial->result->others[0].address)] = "?";

    if (server->local) {
        snprintf(dial->result->address, size, "%s", server->socket);
        return;
    }
    uv_ip_name(attempt->address, host, sizeof(host));
    snprintf(dial->result->address, size, "%s port %u", host, (unsigned)server->port);
}

/* One stands for all that failed, and the others beside it; its error. */
static int account_for_all(struct dial *dial)
{
    struct call_result *result = dial->result;
    int errors[LIM_ADDRESSES];

    if (dial->n_tried == 0)
        return UV_EAI_AGAIN; /* nobody has answered who knows names */
    for (size_t i = 0; i < dial->n_tried; i++)
        errors[i] = dial->attempts[i].error;
    size_t most = race_most_telling(errors, dial->n_tried);
    note_address(dial, &dial->attempts[most]);
    for (size_t i = 0; i < dial->n_tried; i++) {
        struct call_other *other = &result->others[result->n_others];
        if (i == most)
            continue;
        uv_ip_name(dial->attempts[i].address, other->address, sizeof(other->address));
        other->error = errors[i];
        result->n_others++;
    }
    return errors[most];
}

void dial_give_up(struct dial *dial)
{
    fail_with(dial, dial->winner != NULL ? UV_ETIMEDOUT : account_for_all(dial));
}

/* ---- the race -------------------------------------------------------------------------------- */

static void try_next(struct dial *dial);

static void on_connected(void *context, struct stream *stream)
{
    const struct attempt *attempt = context;
    struct dial *dial = attempt->dial;

    (void)stream;
    dial->winner = attempt;
    note_address(dial, attempt);
    uv_timer_stop(&dial->delay);
    drop_all_but(dial, attempt);
}

static void on_key(void *context, struct stream *stream, const struct noise_public *key)
{
    struct attempt *attempt = context;
    struct dial *dial = attempt->dial;
    const struct dial_owner *owner = dial->owner;
    void *owner_context = dial->context;

    if (owner == NULL)
        return;
    attempt->stream = NULL; /* it has a new owner in a moment */
    dial_cancel(dial);
    forget(dial);
    owner->reached(owner_context, stream, key);
}

static void on_gone(void *context, struct stream *stream, const struct stream_end *end)
{
    struct attempt *attempt = context;
    struct dial *dial = attempt->dial;

    (void)stream;
    attempt->stream = NULL;
    attempt->error = end->error;
    if (dial->owner != NULL && dial->winner == attempt)
        fail(dial, end);
    else if (dial->owner != NULL && dial->winner == NULL)
        try_next(dial);
    forget(dial);
}

/* Messages come only after the key, when the stream has its new owner. */
static const struct stream_owner stream_owner = {
    .connected = on_connected, .key = on_key, .gone = on_gone};

static bool try_one(struct attempt *attempt)
{
    const struct call_config *config = attempt->dial->config;
    const struct stream_config stream = {
        .loop = config->loop,
        .owner = &stream_owner,
        .context = attempt,
        .static_keys = config->identity,
        .agent = SLICE("msg " PACKAGE_VERSION),
        .end = config->end,
    };

    attempt->error = stream_connect(&attempt->stream, &stream, attempt->address);
    if (attempt->error < 0)
        return false;
    attempt->error = -ETIMEDOUT;
    attempt->dial->known++;
    return true;
}

static void on_delay(uv_timer_t *delay)
{
    try_next(delay->data);
}

static bool is_any_open(const struct dial *dial)
{
    for (size_t i = 0; i < dial->n_tried; i++)
        if (dial->attempts[i].stream != NULL)
            return true;
    return false;
}

/* The next address that can be tried at all; where none is left and none is open, that was it. */
static void try_next(struct dial *dial)
{
    bool begun = false;

    while (!begun && dial->n_tried < dial->n_addresses)
        begun = try_one(&dial->attempts[dial->n_tried++]);
    if (begun)
        uv_timer_start(&dial->delay, on_delay, RACE_DELAY_MS, 0);
    else if (!is_any_open(dial))
        fail_with(dial, account_for_all(dial));
}

static void race(struct dial *dial, const struct sockaddr *const *addresses, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dial->attempts[i] = (struct attempt){.dial = dial, .address = addresses[i]};
    dial->n_addresses = n;
    try_next(dial);
}

/* ---- resolving ------------------------------------------------------------------------------- */

static void on_resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct dial *dial = lookup->data;
    const struct sockaddr *order[LIM_ADDRESSES];

    dial->looking_up = false;
    dial->found = found;
    if (dial->owner != NULL && status < 0)
        fail_with(dial, status);
    else if (dial->owner != NULL)
        race(dial, order, race_order(found, order));
    forget(dial);
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
    dial->known += dial->looking_up;
    if (result < 0)
        fail_with(dial, result);
}

/* A socket's path, or an address in digits: there is nothing to look up. */
static bool is_address(const struct call_server *server, struct sockaddr_storage *ret_address)
{
    struct sockaddr_un *local = (struct sockaddr_un *)ret_address;

    if (server->local) {
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, server->socket, sizeof(local->sun_path));
        return true;
    }
    return uv_ip4_addr(server->host, server->port, (struct sockaddr_in *)ret_address) == 0 ||
           uv_ip6_addr(server->host, server->port, (struct sockaddr_in6 *)ret_address) == 0;
}

bool dial_start(struct dial **ret_dial, const struct call_config *config,
                struct call_result *result, const struct dial_owner *owner, void *context)
{
    struct dial *dial = calloc(1, sizeof(*dial));

    if (dial == NULL)
        return false;
    *dial = (struct dial){
        .config = config, .result = result, .owner = owner, .context = context, .known = 1};
    uv_timer_init(config->loop, &dial->delay);
    dial->delay.data = dial;
    result->n_others = 0;
    *ret_dial = dial;
    if (is_address(config->server, &dial->given))
        race(dial, (const struct sockaddr *const[]){(const struct sockaddr *)&dial->given}, 1);
    else
        resolve(dial);
    return true;
}
