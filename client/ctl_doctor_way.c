/* SPDX-License-Identifier: MIT */
/* msgctl doctor: from a host's name to a port that listens. */
#include "client/ctl_doctor.h"
#include "client/ctl_tcp.h"
#include "client/race.h"
#include "client/server.h"
#include "common/clock.h"
#include "common/mem.h"

#include <netdb.h>
#include <poll.h>

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
    const char *at = strrchr(patient->host, '@'), *bare = at ? at + 1 : patient->host;
    check_mend(finding, "msgctl doctor %.*s", (int)strspn(bare, SERVER_CHARACTERS), bare);
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

/* One address, in the order in which a call attempts them. */
struct attempt {
    char address[64];
    int error; /* 0: it connected; -ETIMEDOUT: no answer */
};

static void end_attempt(struct attempt *attempt, struct pollfd *poll_fd, int error)
{
    attempt->error = error;
    close(TAKE_FD(poll_fd->fd)); /* poll() leaves -1 alone */
}

static void begin_attempt(struct attempt *attempt, struct pollfd *poll_fd,
                          const struct sockaddr *address)
{
    socklen_t size =
        address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

    uv_ip_name(address, attempt->address, sizeof(attempt->address));
    poll_fd->events = POLLOUT;
    poll_fd->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool done = poll_fd->fd >= 0 && connect(poll_fd->fd, address, size) == 0;

    attempt->error = done ? 0 : mem_errno();
    if (attempt->error != -EINPROGRESS)
        end_attempt(attempt, poll_fd, attempt->error);
}

static void take_result(struct attempt *attempt, struct pollfd *poll_fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (poll_fd->fd < 0 || poll_fd->revents == 0)
        return;
    if (getsockopt(poll_fd->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    end_attempt(attempt, poll_fd, -error);
}

/* All at once, so that one that is silent does not hide another; nothing is sent. */
static size_t try_all(const struct addrinfo *found, struct attempt attempts[static LIM_ADDRESSES])
{
    const struct sockaddr *addresses[LIM_ADDRESSES];
    struct pollfd fds[LIM_ADDRESSES];
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + LIM_HANDSHAKE;
    size_t n = race_order(found, addresses), left = 0;

    for (size_t i = 0; i < n; i++) {
        begin_attempt(&attempts[i], &fds[i], addresses[i]);
        left += fds[i].fd >= 0;
    }
    for (uint64_t now; left > 0 && (now = clock_ms(CLOCK_MONOTONIC)) < until;) {
        poll(fds, n, (int)(until - now) + 1);
        left = 0;
        for (size_t i = 0; i < n; i++) {
            take_result(&attempts[i], &fds[i]);
            left += fds[i].fd >= 0;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (fds[i].fd >= 0)
            end_attempt(&attempts[i], &fds[i], -ETIMEDOUT);
    return n;
}

static const char *words_of(int error)
{
    switch (error) {
    case 0:
        return "listens";
    case -ECONNREFUSED:
        return "refuses: nothing listens there";
    case -ETIMEDOUT:
        return "does not answer: it is off, or a firewall drops it";
    case -ENETUNREACH:
        return "cannot be got at: this host has no way there";
    case -EHOSTUNREACH:
    case -EACCES:
    case -EPERM:
        return "is kept from us: a firewall or router says no";
    default:
        return print_cause(error);
    }
}

static void tell(struct finding *finding, const char *between, const struct attempt *attempt)
{
    char text[160];

    snprintf(text, sizeof(text), "%.63s %s", attempt->address, words_of(attempt->error));
    add(finding->found, sizeof(finding->found), between, text);
}

/* The one whose mending is told: the one that a call names first. */
static const struct attempt *most_telling(const struct attempt *attempts, size_t n)
{
    int errors[LIM_ADDRESSES] = {0};

    for (size_t i = 0; i < n; i++)
        errors[i] = attempts[i].error;
    return &attempts[race_most_telling(errors, n)];
}

/* Where none listens. */
static void mend(const struct patient *patient, struct finding *finding,
                 const struct attempt *attempt)
{
    unsigned port = patient->run->server.port;

    if (attempt->error == -ECONNREFUSED && port == CALL_PORT)
        check_mend_there(finding, AS_ROOT, CTL_TCP_ON);
    else if (attempt->error == -ECONNREFUSED)
        check_mend_there(finding, AS_ROOT, "msgd -T | grep listen");
    else if (attempt->error == -ENETUNREACH)
        check_mend(finding, "ip route get %s", attempt->address);
    else
        check_mend_there(finding, AS_ROOT, "nft insert rule inet filter input tcp dport %u accept",
                         port);
}

void doctor_LISTENER(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    struct attempt attempts[LIM_ADDRESSES] = {{.address = ""}};
    size_t n = try_all(patient->resolved, attempts), good = 0;
    unsigned waits = 0;
    char cost[64];

    snprintf(finding->found, sizeof(finding->found), "port %u",
             (unsigned)patient->run->server.port);
    for (size_t i = 0; i < n; i++)
        tell(finding, i == 0 ? ": " : "; ", &attempts[i]);
    for (; good < n && attempts[good].error != 0; good++)
        waits += attempts[good].error == -ETIMEDOUT;
    if (good == n) {
        finding->state = CHECK_FAILS;
        mend(patient, finding, most_telling(attempts, n));
    } else if (waits > 0) {
        snprintf(cost, sizeof(cost), "such silence costs each call %u ms", waits * RACE_DELAY_MS);
        add(finding->found, sizeof(finding->found), "; ", cost);
    }
}
