/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/boundary.h"
#include "tests/unit/unit.h"

static char datagram[LIM_DATAGRAM];

static struct boundary_message present(size_t text_len)
{
    static char text[LIM_DATAGRAM];
    struct boundary_message message = {.verb = BOUNDARY_PRESENT, .text = text};

    memset(text, 'x', sizeof(text));
    message.text_len = text_len;
    message.u.present = (struct boundary_present){
        .delivery = 1, .session = 2, .life_ms = 3, .sender_len = PRESENT_SENDER, .title_len = 1};
    return message;
}

static size_t encoded(const struct boundary_message *message)
{
    ssize_t len = boundary_encode(message, datagram, sizeof(datagram));

    CU_ASSERT_FATAL(len > 0);
    return (size_t)len;
}

/* Decodes a copy of exactly len bytes, so that the sanitizer sees one read too many. */
static const char *refusal(enum boundary_to to, const void *bytes, size_t len)
{
    struct boundary_message before, message;
    const char *reason = NULL;
    void *copy = malloc(len > 0 ? len : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    memset(&before, 0x5a, sizeof(before));
    message = before;
    if (boundary_decode(&message, to, copy, len, &reason) == 0) {
        CU_ASSERT_PTR_NULL(reason);
    } else {
        CU_ASSERT_EQUAL(memcmp(&message, &before, sizeof(message)), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(reason);
    }
    free(copy);
    return reason;
}

static void comes_back_as_sent(void)
{
    struct boundary_message sent = present(300), got;
    const char *reason;
    size_t len = encoded(&sent);

    CU_ASSERT_EQUAL(boundary_decode(&got, BOUNDARY_TO_PRESENTER, datagram, len, &reason), 0);
    CU_ASSERT_EQUAL(got.verb, BOUNDARY_PRESENT);
    CU_ASSERT_EQUAL(memcmp(&got.u.present, &sent.u.present, sizeof(sent.u.present)), 0);
    CU_ASSERT_EQUAL(got.text_len, 300);
    CU_ASSERT_EQUAL(memcmp(got.text, sent.text, 300), 0);
}

static void every_verb_has_its_direction(void)
{
    static const enum boundary_to to[BOUNDARY_VERBS] = {
        [BOUNDARY_HELLO] = BOUNDARY_TO_BOTH,       [BOUNDARY_SESSIONS] = BOUNDARY_TO_PRESENTER,
        [BOUNDARY_PRESENT] = BOUNDARY_TO_SCREEN,   [BOUNDARY_WITHDRAW] = BOUNDARY_TO_PRESENTER,
        [BOUNDARY_SESSION] = BOUNDARY_TO_MSGD,     [BOUNDARY_SHOWN] = BOUNDARY_TO_TELLER,
        [BOUNDARY_END_OF_LIST] = BOUNDARY_TO_MSGD, [BOUNDARY_ENDED] = BOUNDARY_TO_TELLER,
        [BOUNDARY_POPUP] = BOUNDARY_TO_POPUP,
    };

    for (unsigned verb = 0; verb < BOUNDARY_VERBS; verb++) {
        struct boundary_message message = {.verb = (enum boundary_verb)verb};
        size_t len = encoded(&message);

        CU_ASSERT_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len) == NULL,
                        (to[verb] & BOUNDARY_TO_PRESENTER) != 0);
        CU_ASSERT_EQUAL(refusal(BOUNDARY_TO_MSGD, datagram, len) == NULL,
                        (to[verb] & BOUNDARY_TO_MSGD) != 0);
        CU_ASSERT_EQUAL(refusal(BOUNDARY_TO_POPUP, datagram, len) == NULL,
                        (to[verb] & BOUNDARY_TO_POPUP) != 0);
        CU_ASSERT_EQUAL(refusal(BOUNDARY_TO_PARENT, datagram, len) == NULL,
                        (to[verb] & BOUNDARY_TO_PARENT) != 0);
    }
}

static void unknown_verbs_are_refused(void)
{
    static const uint32_t unknown[] = {BOUNDARY_VERBS, BOUNDARY_VERBS + 1, 0x7fffffff, 0xffffffff};
    struct boundary_message message = present(300);
    size_t len = encoded(&message);

    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        memcpy(datagram, &unknown[i], sizeof(unknown[i]));
        CU_ASSERT_STRING_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len), "unknown verb");
    }
}

static void every_length_but_the_exact_one_is_refused(void)
{
    struct boundary_message message = present(300);
    size_t len = encoded(&message);

    for (size_t cut = 0; cut < len; cut++)
        CU_ASSERT_PTR_NOT_NULL(refusal(BOUNDARY_TO_PRESENTER, datagram, cut));
    CU_ASSERT_PTR_NULL(refusal(BOUNDARY_TO_PRESENTER, datagram, len));
    CU_ASSERT_STRING_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len + 1), "inexact length");
}

static void text_ends_at_its_limit(void)
{
    struct boundary_message message = present(33800);
    size_t len = encoded(&message);
    uint32_t beyond = 33801;

    CU_ASSERT_PTR_NULL(refusal(BOUNDARY_TO_PRESENTER, datagram, len));
    memcpy(datagram + sizeof(uint32_t), &beyond, sizeof(beyond));
    CU_ASSERT_STRING_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len + 1), "too much text");
    beyond = UINT32_MAX; /* must not wrap around */
    memcpy(datagram + sizeof(uint32_t), &beyond, sizeof(beyond));
    CU_ASSERT_STRING_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len), "too much text");

    message = present(33801);
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, sizeof(datagram)), -EMSGSIZE);
    message = present(300);
    len = 8 + sizeof(message.u.present) + 300;
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, len), (ssize_t)len);
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, len - 1), -EMSGSIZE);
}

static void values_end_at_their_limit(void)
{
    struct boundary_message message = present(300);
    size_t len = encoded(&message), at = 8 + offsetof(struct boundary_present, title_len);
    uint32_t value = LIM_TITLE;

    memcpy(datagram + at, &value, sizeof(value));
    CU_ASSERT_PTR_NULL(refusal(BOUNDARY_TO_PRESENTER, datagram, len));
    value++;
    memcpy(datagram + at, &value, sizeof(value));
    CU_ASSERT_STRING_EQUAL(refusal(BOUNDARY_TO_PRESENTER, datagram, len),
                           "a field beyond its limit");

    message.u.present.title_len = LIM_TITLE + 1;
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, sizeof(datagram)), -EINVAL);
    message.verb = BOUNDARY_VERBS;
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, sizeof(datagram)), -EINVAL);
}

static void strings_are_terminated_and_leak_nothing(void)
{
    struct boundary_message message = {.verb = BOUNDARY_SESSION};
    size_t at = 8 + offsetof(struct boundary_session, user), len;

    memset(message.u.session.user, 'u', 64);
    len = encoded(&message);
    CU_ASSERT_PTR_NULL(refusal(BOUNDARY_TO_MSGD, datagram, len));
    datagram[at + 64] = 'u'; /* fills the field */
    CU_ASSERT_PTR_NOT_NULL(refusal(BOUNDARY_TO_MSGD, datagram, len));
    datagram[at + 64] = 0;
    datagram[at + 10] = 0; /* something behind the end */
    CU_ASSERT_PTR_NOT_NULL(refusal(BOUNDARY_TO_MSGD, datagram, len));

    message.u.session.user[3] = 0;
    encoded(&message);
    for (size_t i = 3; i < sizeof(message.u.session.user); i++)
        CU_ASSERT_EQUAL(datagram[at + i], 0);
    memset(message.u.session.user, 'u', sizeof(message.u.session.user));
    CU_ASSERT_EQUAL(boundary_encode(&message, datagram, sizeof(datagram)), -EINVAL);
}

static void hello_compares_version_and_layout(void)
{
    struct boundary_hello hello;
    const char *reason = NULL;

    boundary_hello(&hello, "a program whose name and version are too long for the field");
    CU_ASSERT_EQUAL(strlen(hello.program), sizeof(hello.program) - 1);
    CU_ASSERT_EQUAL(boundary_check_hello(&hello, &reason), 0);
    CU_ASSERT_PTR_NULL(reason);
    hello.layout ^= 1;
    CU_ASSERT_EQUAL(boundary_check_hello(&hello, &reason), -EPROTO);
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(reason, "records"));
    hello.layout ^= 1;
    hello.version++;
    CU_ASSERT_EQUAL(boundary_check_hello(&hello, &reason), -EPROTO);
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(reason, "version"));
}

static void send_descriptor(int fd, int passed)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec iov = {datagram, 8};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    *cmsg = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(cmsg), &passed, sizeof(passed));
    CU_ASSERT_EQUAL(sendmsg(fd, &msg, 0), 8);
}

static void a_socket_gives_whole_datagrams_or_none(void)
{
    static char buffer[LIM_DATAGRAM];
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, sizeof(buffer)), -EAGAIN);
    CU_ASSERT_EQUAL(boundary_send(fds[0], datagram, LIM_DATAGRAM), 0);
    CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, sizeof(buffer)), LIM_DATAGRAM);
    CU_ASSERT_EQUAL(boundary_send(fds[0], datagram, 100), 0);
    CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, 99), -EBADMSG);
    send_descriptor(fds[0], STDOUT_FILENO);

    int next = dup(0); /* the lowest free number: a descriptor taken in would have it */

    close(next);
    CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, sizeof(buffer)), -EBADMSG);
    CU_ASSERT_EQUAL(fcntl(next, F_GETFD), -1);

    size_t queued = 0;

    while (boundary_send(fds[0], datagram, LIM_DATAGRAM) == 0)
        queued++;
    CU_ASSERT_EQUAL(boundary_send(fds[0], datagram, LIM_DATAGRAM), -EAGAIN);
    CU_ASSERT(queued >= 1);
    close(fds[0]);
    while (queued-- > 0)
        CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, sizeof(buffer)), LIM_DATAGRAM);
    CU_ASSERT_EQUAL(boundary_receive(fds[1], buffer, sizeof(buffer)), 0);
    signal(SIGPIPE, SIG_DFL);
    CU_ASSERT_EQUAL(boundary_send(fds[1], datagram, 8), -EPIPE);
    close(fds[1]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(comes_back_as_sent),
        UNIT_TEST(every_verb_has_its_direction),
        UNIT_TEST(unknown_verbs_are_refused),
        UNIT_TEST(every_length_but_the_exact_one_is_refused),
        UNIT_TEST(text_ends_at_its_limit),
        UNIT_TEST(values_end_at_their_limit),
        UNIT_TEST(strings_are_terminated_and_leak_nothing),
        UNIT_TEST(hello_compares_version_and_layout),
        UNIT_TEST(a_socket_gives_whole_datagrams_or_none),
        UNIT_END,
    };

    return unit_run("boundary", tests);
}
