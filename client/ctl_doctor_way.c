/* SPDX-License-Identifier: MIT */
/* msgctl doctor: from a host's name to a port that listens. */
#include "client/ctl_doctor.h"
#include "client/ctl_tcp.h"
#include "client/server.h"
#include "common/mem.h"

#include <netdb.h>
#include <poll.h>
#include <time.h>

#define ADDRESSES 16 /* of a name that are tried */

void doctor_NAME(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct run *run = patient->run;
    const char *error = NULL, *alias = msg_conf_alias(&patient->conf, patient->host);

    if (ctl_name_server(&patient->conf, patient->host, &run->server, &error)) {
        run_set_host(run);
        check_ok(finding, "%s port %u%s%s", run->server.host, (unsigned)run->server.port,
                 alias ? ", an alias of " : "", alias ? run->paths.msg_conf : "");
        return;
    }
    check_fail(finding, "%s: %s", patient->host, error);
    check_mend(finding, "msgctl doctor %.*s", (int)strspn(patient->host, SERVER_CHARACTERS),
               patient->host);
}

/* ---- the name's addresses -------------------------------------------------------------------- */

struct look_up {
    bool over;
    int error;
    struct addrinfo *found;
};

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct look_up *look_up = request->data;

    look_up->over = true;
    look_up->error = status;
    look_up->found = found;
}

static void on_late(uv_timer_t *timer)
{
    struct look_up *look_up = timer->data;

    look_up->over = true;
    look_up->error = UV_ETIMEDOUT;
}

/*
 * As a call does (client/dial.c). Where it took too long, the request stays behind: it is static.
 */
static int resolve(const struct run *run, struct addrinfo **ret_found)
{
    static uv_getaddrinfo_t request;
    static uv_timer_t timer;
    static struct look_up look_up;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned)run->server.port);
    if (getaddrinfo(run->server.host, port, &numeric, ret_found) == 0)
        return 0;
    request.data = timer.data = &look_up;
    int r = uv_getaddrinfo(run->loop, &request, on_found, run->server.host, port, &hints);
    if (r < 0)
        return r;
    uv_timer_init(run->loop, &timer);
    uv_update_time(run->loop);
    uv_timer_start(&timer, on_late, LIM_HANDSHAKE, 0);
    while (!look_up.over)
        uv_run(run->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    if (look_up.error == 0)
        *ret_found = look_up.found;
    return look_up.error;
}

static void add(char *out, size_t capacity, const char *between, const char *text)
{
    size_t len = strlen(out);

    snprintf(out + len, capacity - len, "%s%s", len > 0 ? between : "", text);
}

void doctor_ADDRESS(void *context, struct finding *finding)
{
    struct patient *patient = context;
    char address[64] = "?";
    int r = resolve(patient->run, &patient->resolved);

    if (r < 0) {
        check_fail(finding, "%s: %s; if you know its address, or another name of it, try that",
                   patient->run->server.host,
                   r == UV_ETIMEDOUT ? "nobody answers who knows names" : print_cause(r));
        check_mend(finding, "getent hosts %s", patient->run->server.host);
        return;
    }
    for (const struct addrinfo *a = patient->resolved; a; a = a->ai_next) {
        uv_ip_name(a->ai_addr, address, sizeof(address));
        add(finding->found, sizeof(finding->found), ", ", address);
    }
}

/* ---- whether something listens --------------------------------------------------------------- */

/* One address, in the order in which a call tries them. */
struct
try {
    char address[64];
    int error; /* 0: it connected; -ETIMEDOUT: no answer */
};

static void end_try(struct try *try, struct pollfd *poll_fd, int error)
{
    try->error = error;
    close(TAKE_FD(poll_fd->fd)); /* poll() leaves -1 alone */
}

static void begin_try(struct try *try, struct pollfd *poll_fd, const struct addrinfo *address)
{
    uv_ip_name(address->ai_addr, try->address, sizeof(try->address));
    poll_fd->events = POLLOUT;
    poll_fd->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool done =
        poll_fd->fd >= 0 && connect(poll_fd->fd, address->ai_addr, address->ai_addrlen) == 0;

    try->error = done ? 0 : mem_errno();
    if (try->error != -EINPROGRESS)
        end_try(try, poll_fd, try->error);
}

static void take_result(struct try *try, struct pollfd *poll_fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (poll_fd->fd < 0 || poll_fd->revents == 0)
        return;
    if (getsockopt(poll_fd->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    end_try(try, poll_fd, -error);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* All at once, so that one that is silent does not hide another; nothing is sent. */
static size_t try_all(const struct addrinfo *address, struct try tries[static ADDRESSES])
{
    struct pollfd fds[ADDRESSES];
    int64_t until = now_ms() + LIM_HANDSHAKE;
    size_t n = 0, left = 0;

    for (; address && n < ADDRESSES; address = address->ai_next, n++) {
        begin_try(&tries[n], &fds[n], address);
        left += fds[n].fd >= 0;
    }
    while (left > 0 && now_ms() < until) {
        poll(fds, n, (int)(until - now_ms()) + 1);
        left = 0;
        for (size_t i = 0; i < n; i++) {
            take_result(&tries[i], &fds[i]);
            left += fds[i].fd >= 0;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (fds[i].fd >= 0)
            end_try(&tries[i], &fds[i], -ETIMEDOUT);
    return n;
}

/* In one address's own words. */
static void tell(struct finding *finding, const char *between, const struct try *try)
{
    char text[160];

    snprintf(text, sizeof(text), "%.63s %s", try->address,
             try->error == 0               ? "listens"
             : try->error == -ECONNREFUSED ? "refuses: nothing listens there"
             : try->error == -ETIMEDOUT    ? "does not answer: it is off, or a firewall drops it"
             : try->error == -ENETUNREACH  ? "cannot be got at: this host has no way there"
             : try->error == -EHOSTUNREACH || try->error == -EACCES || try->error == -EPERM
                 ? "is kept from us: a firewall or router says no"
                 : print_cause(try->error));
    add(finding->found, sizeof(finding->found), between, text);
}

/* What mends the first that does not listen. */
static void mend(const struct patient *patient, struct finding *finding, const struct try *try)
{
    unsigned port = patient->run->server.port;

    if (try->error == -ECONNREFUSED && port == CALL_PORT)
        check_mend_there(finding, AS_ROOT, CTL_TCP_ON);
    else if (try->error == -ECONNREFUSED)
        check_mend_there(finding, AS_ROOT, "msgd -T | grep listen");
    else if (try->error == -ENETUNREACH)
        check_mend(finding, "ip route get %s", try->address);
    else
        check_mend_there(finding, AS_ROOT, "nft insert rule inet filter input tcp dport %u accept",
                         port);
}

/* As one types it behind msgctl doctor, where another address is not reached. */
static void mend_by_address(const struct patient *patient, struct finding *finding,
                            const char *address)
{
    unsigned port = patient->run->server.port;
    bool v6 = strchr(address, ':');

    if (port == CALL_PORT)
        check_mend(finding, "msgctl doctor %s", address);
    else
        check_mend(finding, "msgctl doctor %s%s%s:%u", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

void doctor_LISTENER(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    struct try tries[ADDRESSES] = {{.address = ""}};
    size_t n = try_all(patient->resolved, tries), good = 0;
    bool silent = false;

    snprintf(finding->found, sizeof(finding->found), "port %u",
             (unsigned)patient->run->server.port);
    for (size_t i = 0; i < n; i++)
        tell(finding, i == 0 ? ": " : "; ", &tries[i]);
    for (; good < n && tries[good].error != 0; good++)
        silent |= tries[good].error == -ETIMEDOUT;
    if (good == n) {
        finding->state = CHECK_FAILS;
        mend(patient, finding, &tries[0]);
    } else if (silent) { /* a call has 5 s, for one after the other */
        finding->state = CHECK_FAILS;
        add(finding->found, sizeof(finding->found), "; ", "the silent one is tried first");
        mend_by_address(patient, finding, tries[good].address);
    }
}
