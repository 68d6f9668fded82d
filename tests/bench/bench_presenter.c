/* SPDX-License-Identifier: MIT */
/*
 * Stands in for msgd-present where msgd alone is measured: one session, and whatever is presented
 * to it is shown and acknowledged at once. Ends with msgd.
 *
 * bench_presenter SOCKET USER UID
 */
#include "daemon/boundary.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SESSION 1

static int fd;
static const char *user;
static uint32_t uid;

static int await_msgd(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    bench_require(strlen(path) < sizeof(address.sun_path), "the socket's path is too long");
    strcpy(address.sun_path, path);
    bench_require(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                      chmod(path, 0666) == 0 && listen(listening, 1) == 0,
                  "cannot listen");
    int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    bench_require(connection >= 0, "accept");
    close(listening);
    return connection;
}

static void say(const struct boundary_message *message)
{
    static char datagram[LIM_DATAGRAM];
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    ssize_t len = boundary_encode(message, datagram, sizeof(datagram));
    int r;

    bench_require(len > 0, "boundary_encode");
    while ((r = boundary_send(fd, datagram, (size_t)len)) == -EAGAIN)
        poll(&writable, 1, -1);
    bench_require(r == 0, "boundary_send");
}

static void say_hello(void)
{
    struct boundary_message message = {.verb = BOUNDARY_HELLO};

    boundary_hello(&message.u.hello, "bench");
    say(&message);
}

static void list_sessions(void)
{
    struct boundary_message session = {
        .verb = BOUNDARY_SESSION,
        .u.session = {.handle = SESSION,
                      .change = SESSION_LISTED,
                      .uid = uid,
                      .reach = REACH_TERMINAL,
                      .name = "bench/1",
                      .id = "1",
                      .place = "bench/1",
                      .type = "tty",
                      .state = "active"},
    };
    struct boundary_message end = {.verb = BOUNDARY_END_OF_LIST, .u.end_of_list.count = 1};

    snprintf(session.u.session.user, sizeof(session.u.session.user), "%s", user);
    say(&session);
    say(&end);
}

static void show(uint64_t delivery)
{
    struct boundary_message shown = {.verb = BOUNDARY_SHOWN,
                                     .u.shown = {.delivery = delivery, .reach = REACH_TERMINAL}};
    struct boundary_message ended = {.verb = BOUNDARY_ENDED,
                                     .u.ended = {.delivery = delivery, .how = ENDED_ACKNOWLEDGED}};

    say(&shown);
    say(&ended);
}

static bool hear(void)
{
    static char datagram[LIM_DATAGRAM];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    struct boundary_message message;
    const char *reason = "";

    poll(&readable, 1, -1);
    ssize_t len = boundary_receive(fd, datagram, sizeof(datagram));
    if (len == -EAGAIN)
        return true;
    if (len <= 0)
        return false;
    bench_require(
        boundary_decode(&message, BOUNDARY_TO_PRESENTER, datagram, (size_t)len, &reason) == 0,
        reason);
    if (message.verb == BOUNDARY_HELLO)
        bench_require(boundary_check_hello(&message.u.hello, &reason) == 0, reason);
    if (message.verb == BOUNDARY_SESSIONS)
        list_sessions();
    if (message.verb == BOUNDARY_PRESENT)
        show(message.u.present.delivery);
    return true;
}

int main(int argc, char **argv)
{
    bench_require(argc == 4, "SOCKET USER UID");
    user = argv[2];
    uid = (uint32_t)strtoul(argv[3], NULL, 10);
    fd = await_msgd(argv[1]);
    say_hello();
    while (hear())
        ;
    return 0;
}
