/* SPDX-License-Identifier: MIT */
/* The presenter's end of the boundary; the test is the other. */
#include "daemon/present_link.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/socket.h>

static sd_event *event;
static struct link *the_link;
static int far = -1;
static struct {
    unsigned hellos, messages, closes;
    int error, refuse;
    char program[64], reason[64];
    uint64_t delivery;
} got;

static void on_hello(void *userdata, const char *program)
{
    (void)userdata;
    got.hellos++;
    snprintf(got.program, sizeof(got.program), "%s", program);
}

static int on_message(void *userdata, const struct boundary_message *message,
                      const char **ret_reason)
{
    (void)userdata;
    got.messages++;
    if (message->verb == BOUNDARY_WITHDRAW)
        got.delivery = message->u.withdraw.delivery;
    *ret_reason = "as the test wants it";
    return got.refuse;
}

static void on_closed(void *userdata, int error, const char *reason)
{
    (void)userdata;
    got.closes++;
    got.error = error;
    snprintf(got.reason, sizeof(got.reason), "%s", reason);
    link_free(TAKE(the_link));
}

static void turn(unsigned turns)
{
    while (turns-- > 0)
        sd_event_run(event, 1000);
}

static void send_message(const struct boundary_message *message)
{
    char bytes[LIM_DATAGRAM];
    ssize_t len = boundary_encode(message, bytes, sizeof(bytes));

    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT_EQUAL(boundary_send(far, bytes, (size_t)len), 0);
}

static void send_withdraw(uint64_t delivery)
{
    struct boundary_message message = {.verb = BOUNDARY_WITHDRAW};

    message.u.withdraw.delivery = delivery;
    send_message(&message);
}

static bool receive(struct boundary_message *message)
{
    static char bytes[LIM_DATAGRAM];
    const char *reason;
    ssize_t len = boundary_receive(far, bytes, sizeof(bytes));

    return len > 0 && boundary_decode(message, BOUNDARY_TO_MSGD, bytes, (size_t)len, &reason) == 0;
}

static void begin(bool greet)
{
    const struct link_handler handler = {on_hello, on_message, on_closed, NULL};
    struct boundary_message hello = {.verb = BOUNDARY_HELLO};
    int fds[2];

    memset(&got, 0, sizeof(got));
    CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
    CU_ASSERT_EQUAL_FATAL(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    far = fds[1];
    CU_ASSERT_EQUAL_FATAL(link_new(event, fds[0], &handler, &the_link), 0);
    CU_ASSERT_FALSE(link_has_room(the_link));
    if (greet) {
        CU_ASSERT_FATAL(receive(&hello));
        boundary_hello(&hello.u.hello, "msgd\x1b 1");
        send_message(&hello);
        turn(2);
        CU_ASSERT(link_has_room(the_link));
    }
}

static void finish(void)
{
    link_free(TAKE(the_link));
    mem_close_fd(&far);
    far = -1;
    sd_event_unref(event);
}

static void hello_is_exchanged(void)
{
    struct boundary_message hello;
    const char *reason;

    begin(false);
    CU_ASSERT_FATAL(receive(&hello));
    CU_ASSERT_EQUAL(hello.verb, BOUNDARY_HELLO);
    CU_ASSERT_EQUAL(boundary_check_hello(&hello.u.hello, &reason), 0);
    CU_ASSERT_EQUAL(got.hellos, 0);
    boundary_hello(&hello.u.hello, "msgd\x1b 1");
    send_message(&hello);
    turn(2);
    CU_ASSERT_EQUAL(got.hellos, 1);
    CU_ASSERT_STRING_EQUAL(got.program, "msgd\\x1B 1"); /* escaped: it is logged */
    send_withdraw(7);
    turn(2);
    CU_ASSERT_EQUAL(got.messages, 1);
    CU_ASSERT_EQUAL(got.delivery, 7);
    finish();
}

static void nothing_comes_before_hello(void)
{
    begin(false);
    send_withdraw(7);
    turn(2);
    CU_ASSERT_EQUAL(got.messages, 0);
    CU_ASSERT_EQUAL(got.closes, 1);
    CU_ASSERT_EQUAL(got.error, -EBADMSG);
    CU_ASSERT_STRING_EQUAL(got.reason, "it does not begin with hello");
    finish();
}

static void what_the_owner_refuses_closes_it(void)
{
    begin(true);
    got.refuse = -EBADMSG;
    send_withdraw(7);
    turn(2);
    CU_ASSERT_EQUAL(got.closes, 1);
    CU_ASSERT_STRING_EQUAL(got.reason, "as the test wants it");
    finish();
}

static void an_end_is_no_error(void)
{
    begin(true);
    send_withdraw(7);
    mem_close_fd(&far);
    far = -1;
    turn(4);
    CU_ASSERT_EQUAL(got.messages, 1); /* what was said before the end still counts */
    CU_ASSERT_EQUAL(got.closes, 1);
    CU_ASSERT_EQUAL(got.error, 0);
    finish();
}

static void what_was_said_before_it_went_counts_though_it_cannot_be_told(void)
{
    struct boundary_message shown = {.verb = BOUNDARY_SHOWN};

    begin(true);
    for (uint64_t i = 1; i <= 10; i++)
        send_withdraw(i);
    mem_close_fd(&far);
    far = -1;
    CU_ASSERT(link_send(the_link, &shown) < 0);
    CU_ASSERT_FALSE(link_has_room(the_link));
    turn(15);
    CU_ASSERT_EQUAL(got.messages, 10);
    CU_ASSERT_EQUAL(got.closes, 1);
    CU_ASSERT_EQUAL(got.error, 0);
    finish();
}

/* Sends until so many are held back; how many that took. */
static unsigned hold_back(unsigned wanted)
{
    struct boundary_message shown = {.verb = BOUNDARY_SHOWN};
    unsigned sent = 0, held = 0;

    while (link_has_room(the_link) || held++ < wanted - LINK_ROOM) {
        shown.u.shown.delivery = ++sent;
        CU_ASSERT_EQUAL_FATAL(link_send(the_link, &shown), 0);
    }
    return sent;
}

static void while_answers_wait_nothing_is_read(void)
{
    struct boundary_message message;
    unsigned sent, received = 0;

    begin(true);
    sent = hold_back(LINK_ROOM);
    CU_ASSERT_FALSE(link_has_room(the_link));
    send_withdraw(7);
    turn(5);
    CU_ASSERT_EQUAL(got.messages, 0);
    for (unsigned i = 0; i < 2000 && received < sent; i++) {
        turn(1);
        while (receive(&message))
            CU_ASSERT_EQUAL(message.u.shown.delivery, ++received);
    }
    CU_ASSERT_EQUAL(received, sent); /* every one, in order */
    turn(3);
    CU_ASSERT_EQUAL(got.messages, 1);
    finish();
}

static void the_queue_has_an_end(void)
{
    struct boundary_message shown = {.verb = BOUNDARY_SHOWN};

    begin(true);
    hold_back(LIM_BOUNDARY_QUEUE);
    CU_ASSERT_EQUAL(link_send(the_link, &shown), -ENOBUFS);
    CU_ASSERT_EQUAL(got.closes, 0); /* told from the loop, not from within */
    turn(3);
    CU_ASSERT_EQUAL(got.closes, 1);
    CU_ASSERT_EQUAL(got.error, -ENOBUFS);
    finish();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(hello_is_exchanged),
        UNIT_TEST(nothing_comes_before_hello),
        UNIT_TEST(what_the_owner_refuses_closes_it),
        UNIT_TEST(an_end_is_no_error),
        UNIT_TEST(what_was_said_before_it_went_counts_though_it_cannot_be_told),
        UNIT_TEST(while_answers_wait_nothing_is_read),
        UNIT_TEST(the_queue_has_an_end),
        UNIT_END,
    };

    return unit_run("present_link", tests);
}
