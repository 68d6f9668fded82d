/* SPDX-License-Identifier: MIT */
#include "daemon/net_present.h"

#include "common/mem.h"

#include <sys/socket.h>
#include <sys/un.h>

#define RETRY_FIRST 100 /* ms; doubled at each failure */
#define RETRY_LAST  5000
#define AT_ONCE     64 /* datagrams read before the rest of the loop has its turn */

enum link_state { LINK_DOWN, LINK_HELLO, LINK_LISTING, LINK_READY };

struct order {
    uint64_t delivery;
    int withdraw; /* enum withdraw_why, or -1: present */
};

struct presenter {
    uv_poll_t poll;
    uv_timer_t retry;
    unsigned handles; /* open ones; at 0 the memory goes */
    bool polling;
    int events; /* that are polled for */
    bool stopping;
    enum link_state state;
    const struct presenter_owner *owner;
    void *context;
    char *path; /* NULL: a descriptor was given */
    int fd;
    uint64_t wait;
    bool asked;           /* for the list: everything before it was said */
    struct order *orders; /* a ring */
    size_t first, n, capacity;
    char out[LIM_DATAGRAM], in[LIM_DATAGRAM];
};

/* ---- orders that wait ------------------------------------------------------------------------ */

static int make_room(struct presenter *p)
{
    if (p->n < p->capacity)
        return 0;
    size_t capacity = p->capacity ? 2 * p->capacity : 64;
    struct order *orders = calloc(capacity, sizeof(*orders));
    if (!orders)
        return -ENOMEM;
    for (size_t i = 0; i < p->n; i++)
        orders[i] = p->orders[(p->first + i) % p->capacity];
    free(p->orders);
    p->orders = orders;
    p->first = 0;
    p->capacity = capacity;
    return 0;
}

static void watch(struct presenter *p);
static int write_some(struct presenter *p);

/*
 * What the socket takes leaves at once. Its errors are left to the loop: whoever gives orders is
 * not told in the middle of it that everything is lost.
 */
static int push(struct presenter *p, struct order order)
{
    if (p->state != LINK_READY)
        return -ENOTCONN;
    int r = make_room(p);
    if (r < 0)
        return r;
    p->orders[(p->first + p->n++) % p->capacity] = order;
    if (p->n == 1)
        (void)write_some(p);
    watch(p);
    return 0;
}

static void pop(struct presenter *p)
{
    p->first = (p->first + 1) % p->capacity;
    p->n--;
}

int presenter_present(struct presenter *presenter, uint64_t delivery)
{
    return push(presenter, (struct order){delivery, -1});
}

int presenter_withdraw(struct presenter *presenter, uint64_t delivery, enum withdraw_why why)
{
    return push(presenter, (struct order){delivery, (int)why});
}

size_t presenter_waiting(const struct presenter *presenter)
{
    return presenter->n;
}

bool presenter_ready(const struct presenter *presenter)
{
    return presenter->state == LINK_READY;
}

/* ---- the connection's end -------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
    struct presenter *p = handle->data;

    if (--p->handles > 0)
        return;
    p->owner->stopped(p->context);
    free(p->orders);
    free(p->path);
    free(p);
}

/* Only when libuv has let go of the descriptor may its number be used again. */
static void on_poll_closed(uv_handle_t *handle)
{
    struct presenter *p = handle->data;

    mem_close_fd(&p->fd);
    p->fd = -1;
    p->polling = false;
    if (!p->stopping && p->path)
        uv_timer_start(&p->retry, on_retry, p->wait, 0);
    on_closed(handle);
}

static void close_poll(struct presenter *p)
{
    p->state = LINK_DOWN;
    p->n = 0;
    if (p->polling && !uv_is_closing((uv_handle_t *)&p->poll))
        uv_close((uv_handle_t *)&p->poll, on_poll_closed);
}

static void lose(struct presenter *p, const char *reason)
{
    if (p->state == LINK_DOWN)
        return;
    close_poll(p);
    p->owner->lost(p->context, reason);
}

void presenter_stop(struct presenter *presenter)
{
    if (presenter->stopping)
        return;
    presenter->stopping = true;
    close_poll(presenter);
    uv_close((uv_handle_t *)&presenter->retry, on_closed);
}

/* ---- output ---------------------------------------------------------------------------------- */

/* 0: sent, or refused by our own encoder, which cannot be helped; -EAGAIN; the connection's end. */
static int send_message(struct presenter *p, const struct boundary_message *message)
{
    ssize_t len = boundary_encode(message, p->out, sizeof(p->out));

    return len < 0 ? 0 : boundary_send(p->fd, p->out, (size_t)len);
}

static int send_order(struct presenter *p, const struct order *order)
{
    struct boundary_message message = {0};

    if (order->withdraw >= 0) {
        message.verb = BOUNDARY_WITHDRAW;
        message.u.withdraw.delivery = order->delivery;
        message.u.withdraw.why = (uint32_t)order->withdraw;
    } else if (!p->owner->present(p->context, order->delivery, &message)) {
        return 0;
    }
    return send_message(p, &message);
}

/* Hello, the question for the list, then orders: whatever is next and the socket takes. */
static int write_some(struct presenter *p)
{
    int r = 0;

    if (p->state == LINK_LISTING && !p->asked) {
        r = send_message(p, &(struct boundary_message){.verb = BOUNDARY_SESSIONS});
        p->asked = r == 0;
    }
    while (r == 0 && p->state == LINK_READY && p->n > 0) {
        struct order order = p->orders[p->first];
        r = send_order(p, &order);
        if (r == 0)
            pop(p);
    }
    return r;
}

/* ---- input ----------------------------------------------------------------------------------- */

static const char *on_hello(struct presenter *p, const struct boundary_hello *hello)
{
    const char *reason = NULL;

    if (p->state != LINK_HELLO)
        return "a second hello";
    if (boundary_check_hello(hello, &reason) < 0)
        return reason;
    p->state = LINK_LISTING;
    return NULL;
}

static const char *on_message(struct presenter *p, const struct boundary_message *message)
{
    if (message->verb == BOUNDARY_HELLO)
        return on_hello(p, &message->u.hello);
    if (p->state == LINK_HELLO)
        return "no hello";
    switch ((int)message->verb) {
    case BOUNDARY_SESSION:
        return p->owner->session(p->context, &message->u.session) < 0 ? "too many sessions" : NULL;
    case BOUNDARY_END_OF_LIST:
        if (p->state != LINK_LISTING)
            return "a list that was not asked for";
        p->state = LINK_READY;
        p->wait = RETRY_FIRST;
        p->owner->ready(p->context);
        return NULL;
    case BOUNDARY_SHOWN:
        p->owner->shown(p->context, &message->u.shown);
        return NULL;
    case BOUNDARY_ENDED:
        p->owner->ended(p->context, &message->u.ended,
                        (struct slice){message->text, message->text_len});
        return NULL;
    }
    return "a verb of ours";
}

/* One datagram; NULL and *ret_more, or why the connection ends. */
static const char *read_one(struct presenter *p, bool *ret_more)
{
    struct boundary_message message;
    const char *reason;
    ssize_t len = boundary_receive(p->fd, p->in, sizeof(p->in));

    *ret_more = len > 0;
    if (len == -EAGAIN)
        return NULL;
    if (len == 0)
        return "it has gone";
    if (len < 0)
        return len == -EBADMSG ? "a datagram that cannot be" : strerror((int)-len);
    if (boundary_decode(&message, BOUNDARY_TO_MSGD, p->in, (size_t)len, &reason) < 0)
        return reason;
    return on_message(p, &message);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct presenter *p = poll->data;
    const char *reason = status < 0 ? strerror(-status) : NULL;
    bool more = events & (UV_READABLE | UV_DISCONNECT);

    for (int i = 0; !reason && more && i < AT_ONCE && p->state != LINK_DOWN; i++)
        reason = read_one(p, &more);
    if (reason)
        lose(p, reason);
    if (p->state == LINK_DOWN)
        return;
    int r = write_some(p);
    if (r < 0 && r != -EAGAIN)
        lose(p, strerror(-r));
    else
        watch(p);
}

static void watch(struct presenter *p)
{
    bool waits = p->n > 0 || (p->state == LINK_LISTING && !p->asked);
    int events = UV_READABLE | UV_DISCONNECT | (waits ? UV_WRITABLE : 0);

    if (p->state == LINK_DOWN || events == p->events)
        return;
    p->events = events;
    uv_poll_start(&p->poll, events, on_poll);
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Ours and root's word is taken; on a given descriptor the credentials name whoever made it. */
static int check_credentials(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return mem_errno();
    return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

static int connect_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return mem_errno();
    int r = check_credentials(fd);
    return r < 0 ? r : TAKE_FD(fd);
}

static int begin(struct presenter *p, int fd)
{
    struct boundary_message hello = {.verb = BOUNDARY_HELLO};
    int r = uv_poll_init(p->retry.loop, &p->poll, fd);

    if (r < 0)
        return r;
    p->fd = fd;
    p->poll.data = p;
    p->polling = true;
    p->events = 0;
    p->handles++;
    p->asked = false;
    p->state = LINK_HELLO;
    boundary_hello(&hello.u.hello, PACKAGE_STRING);
    r = send_message(p, &hello);
    if (r < 0)
        lose(p, strerror(-r));
    else
        watch(p);
    return 0;
}

static void on_retry(uv_timer_t *timer)
{
    struct presenter *p = timer->data;
    int fd = connect_path(p->path);

    p->wait = 2 * p->wait < RETRY_LAST ? 2 * p->wait : RETRY_LAST;
    if (fd >= 0 && begin(p, fd) == 0)
        return;
    mem_close_fd(&fd);
    uv_timer_start(&p->retry, on_retry, p->wait, 0);
}

int presenter_start(struct presenter **ret_presenter, uv_loop_t *loop, const char *path, int fd,
                    const struct presenter_owner *owner, void *context)
{
    struct presenter *p = calloc(1, sizeof(*p));

    if (!p || (path && !(p->path = strdup(path)))) {
        free(p);
        return -ENOMEM;
    }
    p->owner = owner;
    p->context = context;
    p->fd = -1;
    p->wait = RETRY_FIRST;
    p->handles = 1;
    uv_timer_init(loop, &p->retry);
    p->retry.data = p;
    *ret_presenter = p;
    if (path) {
        uv_timer_start(&p->retry, on_retry, 0, 0);
        return 0;
    }
    int r = begin(p, fd);
    if (r < 0)
        presenter_stop(p);
    return r;
}
