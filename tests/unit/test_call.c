/* SPDX-License-Identifier: MIT */
/* A call and a server of the test's own, on one loop, over real sockets of loopback and the file
 * system. The server is a script: what it does with the n-th connection. */
#include "client/call.h"
#include "common/listener.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum act {
    ANSWER,
    DROP_UNSEEN,
    DROP_AFTER_SEND,
    DROP_AFTER_MISS,
    DROP_AFTER_EVENT,
    DROP_AT_SECOND,
    BUSY_AT_SECOND,
    FAIL_FIRST,
    GO_AWAY,
    GO_BUSY,
    TURN_AWAY,
    GO_REVOKED,
    PUT_OFF, /* SEND and ATTACH alike */
    FAULT,   /* the same */
    FAIL,
    REFUSE,
    SILENCE,
    NO_WELCOME
};

/* How many times slower than usual the machine is: MSG_TEST_SLOW, for valgrind. */
static unsigned slow = 1;
static uv_loop_t loop;
static struct listener *listener;
static const enum act *script;
static unsigned connections, closed_listeners;
static struct stream *streams[8];
static enum act acts[8];
static struct noise_keypair client_keys, server_keys;

/* what the server heard */
static unsigned sends, attaches, cancels, asked_after;
/* what the call told */
static struct call *call;
static struct call_result result; /* of the last */
static unsigned done, n_asks;
static enum call_outcome outcomes[CALL_ASKS];
static unsigned events, lost;
static enum call_judgement judgement;
static const char uid[16] = "call-test-uid-1";

/* ---- the server ------------------------------------------------------------------------------ */

static int index_of(const struct stream *stream)
{
    for (int i = 0; i < 8; i++)
        if (streams[i] == stream)
            return i;
    return 0;
}

static void welcome(struct stream *stream)
{
    struct msg msg = {.type = MSG_WELCOME,
                      .u.welcome = {.v = 1,
                                    .inst = {uid, 16},
                                    .name = SLICE("h2"),
                                    .you = SLICE("alice"),
                                    .lim = {1, 1, 1, 1}}};
    CU_ASSERT_EQUAL(stream_send(stream, &msg), 0);
}

static void say_event(struct stream *stream, uint32_t id, uint32_t q)
{
    struct msg_event event = {.q = q, .d = 1, .st = SLICE("accepted"), .at = 1};
    struct msg msg = {.type = MSG_EVENT, .id = id, .u.events.ev = {&event, 1}};

    CU_ASSERT_EQUAL(stream_send(stream, &msg), 0);
}

static void say_miss(struct stream *stream, uint32_t id)
{
    struct msg_miss miss = {.to = 0, .code = SLICE("no-target")};
    struct msg msg = {.type = MSG_EVENT, .id = id, .u.events.miss = {&miss, 1}};

    CU_ASSERT_EQUAL(stream_send(stream, &msg), 0);
}

static void say_result(struct stream *stream, uint32_t id)
{
    struct msg msg = {
        .type = MSG_RESULT,
        .id = id,
        .u.result = {.st = SLICE("ok"), .n = {.acknowledged = 1}, .q = 3},
    };
    CU_ASSERT_EQUAL(stream_send(stream, &msg), 0);
}

static void say_error(struct stream *stream, uint32_t id, const char *code, uint64_t retry_ms)
{
    struct msg msg = {
        .type = MSG_ERROR, .id = id, .u.error = {.code = slice_of(code), .retry_ms = retry_ms}};

    CU_ASSERT_EQUAL(stream_send(stream, &msg), 0);
}

static void go_away(struct stream *stream, const char *code, uint64_t retry_ms)
{
    struct msg msg = {.type = MSG_GOAWAY,
                      .u.goaway = {.code = slice_of(code), .retry_ms = retry_ms}};

    stream_send(stream, &msg);
    stream_close(stream);
}

/* The first is taken; with the second the connection ends, without a word or with one. */
static void end_at_second(struct stream *stream, const struct msg *msg, bool busy)
{
    if (msg->id == 1)
        say_event(stream, msg->id, 1);
    else if (msg->id == 2 && busy)
        go_away(stream, "busy", 300);
    else if (msg->id == 2)
        stream_close(stream);
}

static void on_send(struct stream *stream, const struct msg *msg)
{
    sends++;
    switch (acts[index_of(stream)]) {
    case DROP_AFTER_SEND:
        stream_drop(stream);
        break;
    case DROP_AFTER_MISS:
        say_miss(stream, msg->id);
        stream_close(stream);
        break;
    case DROP_AFTER_EVENT:
        say_event(stream, msg->id, 1);
        say_event(stream, msg->id, 2);
        stream_close(stream);
        break;
    case GO_AWAY:
        say_event(stream, msg->id, 1);
        go_away(stream, "shutting-down", 0);
        break;
    case GO_BUSY:
        say_event(stream, msg->id, 1);
        go_away(stream, "busy", 300);
        break;
    case GO_REVOKED:
        say_event(stream, msg->id, 1);
        go_away(stream, "revoked", 0);
        break;
    case DROP_AT_SECOND:
        end_at_second(stream, msg, false);
        break;
    case BUSY_AT_SECOND:
        end_at_second(stream, msg, true);
        break;
    case FAIL:
        say_error(stream, msg->id, "no-target", 0);
        break;
    case FAIL_FIRST: /* as the last thing that it says */
        if (msg->id > 1)
            say_result(stream, msg->id);
        if (msg->id == n_asks)
            say_error(stream, 1, "no-target", 0);
        break;
    case PUT_OFF:
        say_error(stream, msg->id, "busy", 300);
        break;
    case FAULT:
        say_error(stream, msg->id, "internal", 0);
        break;
    case SILENCE:
        break;
    case ANSWER:
    case DROP_UNSEEN:
    case REFUSE:
    case TURN_AWAY:
    case NO_WELCOME:
        say_event(stream, msg->id, 1);
        say_result(stream, msg->id);
    }
}

static void on_attach(struct stream *stream, const struct msg *msg)
{
    enum act act = acts[index_of(stream)];

    attaches++;
    asked_after = (unsigned)msg->u.attach.after;
    if (act == FAIL)
        say_error(stream, msg->id, "unknown-uid", 0);
    else if (act == PUT_OFF)
        say_error(stream, msg->id, "busy", 300);
    else if (act == FAULT)
        say_error(stream, msg->id, "internal", 0);
    else
        say_result(stream, msg->id);
}

static void server_message(void *owner, struct stream *stream, const struct msg *msg)
{
    (void)owner;
    if (acts[index_of(stream)] == NO_WELCOME)
        return;
    switch (msg->type) {
    case MSG_HELLO:
        welcome(stream);
        break;
    case MSG_SEND:
        on_send(stream, msg);
        break;
    case MSG_ATTACH:
        on_attach(stream, msg);
        break;
    case MSG_CANCEL:
        cancels++;
        say_result(stream, msg->id - n_asks); /* of the SEND */
        break;
    default:
        say_result(stream, msg->id);
    }
}

static void server_key(void *owner, struct stream *stream, const struct noise_public *key)
{
    (void)owner;
    CU_ASSERT(memcmp(key, &client_keys.public, sizeof(*key)) == 0);
    stream_verdict(stream, NULL);
    if (acts[index_of(stream)] == TURN_AWAY) {
        stream_send(stream, &(struct msg){.type = MSG_GOAWAY,
                                          .u.goaway = {.code = SLICE("busy"), .retry_ms = 300}});
        stream_close(stream);
    } else if (acts[index_of(stream)] != NO_WELCOME) {
        welcome(stream);
    }
}

static void server_gone(void *owner, struct stream *stream, const struct stream_end *end)
{
    (void)owner;
    (void)end;
    streams[index_of(stream)] = NULL;
}

static const struct stream_owner server_owner = {
    .key = server_key, .message = server_message, .gone = server_gone};

static void incoming(void *owner, struct listener *from)
{
    struct stream_config config = {
        .loop = &loop, .owner = &server_owner, .static_keys = &server_keys};
    unsigned n = connections++;

    (void)owner;
    CU_ASSERT_FATAL(n < 8);
    CU_ASSERT_EQUAL_FATAL(listener_accept(&streams[n], from, &config), 0);
    acts[n] = script[n];
    if (script[n] == DROP_UNSEEN)
        stream_drop(streams[n]);
    else if (script[n] == REFUSE)
        stream_refuse(streams[n], (uint8_t)(3 * slow));
}

static void listener_closed(void *owner, struct listener *from)
{
    (void)owner;
    (void)from;
    closed_listeners++;
}

/* ---- the call -------------------------------------------------------------------------------- */

static enum call_judgement judge(void *owner, const struct noise_public *key,
                                 const struct slice_list *end)
{
    (void)owner;
    CU_ASSERT(end->n == 0);
    CU_ASSERT(memcmp(key, &server_keys.public, sizeof(*key)) == 0);
    return judgement;
}

static void call_message(void *owner, const struct msg *msg)
{
    (void)owner;
    events += msg->type == MSG_EVENT;
}

static void reconnecting(void *owner)
{
    (void)owner;
    lost++;
}

static void call_done(void *owner, const struct call_result *got)
{
    *(enum call_outcome *)owner = got->outcome;
    result = *got;
    if (++done < n_asks)
        return;
    listener_close(listener);
    for (int i = 0; i < 8; i++)
        if (streams[i] != NULL)
            stream_drop(streams[i]);
}

static const struct call_owner call_owner = {
    .judge = judge, .message = call_message, .reconnecting = reconnecting, .done = call_done};

static struct call_config config_for(const struct call_server *server)
{
    return (struct call_config){
        .loop = &loop,
        .server = server,
        .identity = &client_keys,
        .owner = &call_owner,
        .connect_ms = 1000 * slow,
        .give_up_ms = 3000 * slow,
        .lost_ms = 1000 * slow,
    };
}

static struct msg a_send(void)
{
    static const struct msg_selector to = {.all = true};

    return (struct msg){
        .type = MSG_SEND,
        .u.send = {.uid = {uid, 16}, .to = {&to, 1}, .text = SLICE("hello"), .wait = true}};
}

static void reset(const enum act *acts_in_turn)
{
    static const struct listener_owner owner = {.incoming = incoming, .closed = listener_closed};
    struct sockaddr_in address;

    script = acts_in_turn;
    connections = sends = attaches = cancels = asked_after = events = lost = 0;
    memset(streams, 0, sizeof(streams));
    done = 0;
    judgement = CALL_TRUSTED;
    uv_loop_init(&loop);
    uv_ip4_addr("127.0.0.1", 0, &address);
    CU_ASSERT_EQUAL_FATAL(
        listener_open(&listener, &loop, (struct sockaddr *)&address, &owner, NULL), 0);
}

static struct call_server tcp_server(void)
{
    struct call_server server = {.name = "127.0.0.1", .host = "127.0.0.1"};
    struct sockaddr_storage bound;

    CU_ASSERT_EQUAL_FATAL(listener_address(listener, &bound), 0);
    server.port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    return server;
}

static void run_together(const struct call_server *server, const struct msg *requests, unsigned n)
{
    struct call_config config = config_for(server);
    struct call_ask asks[CALL_ASKS];

    n_asks = n;
    for (unsigned i = 0; i < n; i++)
        asks[i] = (struct call_ask){&requests[i], &outcomes[i]};
    CU_ASSERT_EQUAL_FATAL(call_start(&call, &config, asks, n), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CU_ASSERT_EQUAL(done, n);
    CU_ASSERT_EQUAL(uv_loop_close(&loop), 0); /* nothing leaks */
}

static void run(const struct call_server *server, const struct msg *request)
{
    run_together(server, request, 1);
}

static void tell(const enum act *acts_in_turn)
{
    struct msg send = a_send();

    reset(acts_in_turn);
    struct call_server server = tcp_server();
    run(&server, &send);
}

/* As many SENDs as a call can have, of uids of their own. */
static const struct msg *many_sends(void)
{
    static char uids[CALL_ASKS][16];
    static struct msg many[CALL_ASKS];

    for (unsigned i = 0; i < CALL_ASKS; i++) {
        uids[i][0] = (char)i;
        many[i] = a_send();
        many[i].u.send.uid = (struct slice){uids[i], sizeof(uids[i])};
    }
    return many;
}

static void tell_together(const enum act *acts_in_turn)
{
    reset(acts_in_turn);
    struct call_server server = tcp_server();
    run_together(&server, many_sends(), CALL_ASKS);
}

static void all_from(unsigned first, enum call_outcome outcome)
{
    for (unsigned i = first; i < CALL_ASKS; i++)
        CU_ASSERT_EQUAL(outcomes[i], outcome);
}

#define TELL(...)          tell((const enum act[]){__VA_ARGS__})
#define TELL_TOGETHER(...) tell_together((const enum act[]){__VA_ARGS__})

static void a_send_gets_its_result(void)
{
    TELL(ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_STRING_EQUAL(result.state, "ok");
    CU_ASSERT_EQUAL(result.counts.acknowledged, 1);
    CU_ASSERT_EQUAL(events, 1);
    CU_ASSERT_EQUAL(sends, 1);
}

static void an_error_is_told(void)
{
    TELL(FAIL);
    CU_ASSERT_EQUAL(result.outcome, CALL_ERROR);
    CU_ASSERT_STRING_EQUAL(result.code, "no-target");
}

static void before_the_first_event_the_same_send_is_repeated(void)
{
    TELL(DROP_AFTER_SEND, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(sends, 2);
    CU_ASSERT_EQUAL(attaches, 0);
    CU_ASSERT_EQUAL(lost, 1);
}

/* A miss may stand before ERROR: it says nothing of acceptance. */
static void after_a_miss_alone_the_same_send_is_repeated(void)
{
    TELL(DROP_AFTER_MISS, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(sends, 2);
    CU_ASSERT_EQUAL(attaches, 0);
}

static void after_it_the_call_attaches_where_it_broke_off(void)
{
    TELL(DROP_AFTER_EVENT, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(sends, 1);
    CU_ASSERT_EQUAL(attaches, 1);
    CU_ASSERT_EQUAL(asked_after, 2);
}

static void goaway_is_taken_up_by_attach(void)
{
    TELL(GO_AWAY, DROP_UNSEEN, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(sends, 1);
    CU_ASSERT_EQUAL(attaches, 1);
    CU_ASSERT_EQUAL(connections, 3);
}

static void another_goaway_is_taken_up_when_it_says(void)
{
    uint64_t start = uv_hrtime();

    TELL(GO_BUSY, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(attaches, 1);
    CU_ASSERT(uv_hrtime() - start >= 290 * 1000000ull);
}

/* The message was accepted: that the server tells no more of it does not undo it. */
static void who_is_sent_away_knows_no_outcome(void)
{
    TELL(GO_REVOKED);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(result.code, "revoked");
    CU_ASSERT_EQUAL(connections, 1);
}

static void an_error_does_not_undo_what_was_accepted(void)
{
    TELL(DROP_AFTER_EVENT, FAULT);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(result.code, "internal");
    TELL(DROP_AFTER_EVENT, PUT_OFF, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(attaches, 2);
    CU_ASSERT_EQUAL(sends, 1);
}

static void an_error_does_not_undo_what_may_have_been_read(void)
{
    TELL(DROP_AFTER_SEND, FAULT);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    TELL(DROP_AFTER_SEND, PUT_OFF, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(sends, 3);
    TELL(DROP_AFTER_SEND, FAIL); /* found no target: then it was not shown before, either */
    CU_ASSERT_EQUAL(result.outcome, CALL_ERROR);
    TELL(FAULT);
    CU_ASSERT_EQUAL(result.outcome, CALL_ERROR);
}

static void who_is_busy_is_not_asked_again(void)
{
    TELL(TURN_AWAY);
    CU_ASSERT_EQUAL(result.outcome, CALL_ERROR);
    CU_ASSERT_STRING_EQUAL(result.code, "busy");
}

static void who_is_sent_away_after_a_loss_does_not_know(void)
{
    TELL(DROP_AFTER_SEND, TURN_AWAY);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
}

static void many_requests_share_one_connection(void)
{
    TELL_TOGETHER(ANSWER);
    CU_ASSERT_EQUAL(connections, 1);
    CU_ASSERT_EQUAL(sends, CALL_ASKS);
    CU_ASSERT_EQUAL(events, CALL_ASKS);
    all_from(0, CALL_RESULT);
}

static void one_that_fails_leaves_the_others_alone(void)
{
    TELL_TOGETHER(FAIL_FIRST);
    CU_ASSERT_EQUAL(connections, 1);
    CU_ASSERT_EQUAL(outcomes[0], CALL_ERROR);
    all_from(1, CALL_RESULT);
    CU_ASSERT_STRING_EQUAL(result.code, ""); /* the last one's */
}

static void after_a_loss_each_takes_up_where_it_was(void)
{
    TELL_TOGETHER(DROP_AT_SECOND, ANSWER);
    CU_ASSERT_EQUAL(connections, 2);
    CU_ASSERT_EQUAL(attaches, 1);
    CU_ASSERT_EQUAL(asked_after, 1);
    CU_ASSERT_EQUAL(sends, 2 + CALL_ASKS - 1);
    CU_ASSERT_EQUAL(lost, 1);
    all_from(0, CALL_RESULT);
}

static void goaway_ends_what_was_not_accepted(void)
{
    TELL_TOGETHER(BUSY_AT_SECOND, ANSWER);
    CU_ASSERT_EQUAL(connections, 2);
    CU_ASSERT_EQUAL(attaches, 1);
    CU_ASSERT_EQUAL(sends, 2);
    CU_ASSERT_EQUAL(outcomes[0], CALL_RESULT);
    all_from(1, CALL_ERROR);
    CU_ASSERT_STRING_EQUAL(result.code, "busy");
}

/* One that takes every request and drops it is asked ever more slowly. */
static void a_server_that_drops_every_time_is_not_stormed(void)
{
    TELL(DROP_AFTER_SEND, DROP_AFTER_SEND, DROP_AFTER_SEND, DROP_AFTER_SEND, DROP_AFTER_SEND,
         DROP_AFTER_SEND, DROP_AFTER_SEND, DROP_AFTER_SEND);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT(connections >= 3 && connections <= 6);
}

static void a_server_that_forgot_means_outcome_unknown(void)
{
    TELL(DROP_AFTER_EVENT, FAIL);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
}

static void a_server_that_never_answers_is_given_up(void)
{
    TELL(SILENCE);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_EQUAL(lost, 0);
}

static void a_lost_connection_is_tried_for_lost_ms(void)
{
    TELL(DROP_AFTER_SEND, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN,
         DROP_UNSEEN, DROP_UNSEEN);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_EQUAL(lost, 1);
    CU_ASSERT(connections >= 3);
    TELL(GO_AWAY, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN, DROP_UNSEEN,
         DROP_UNSEEN);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(result.code, ""); /* it is lost; what was said before was of no matter */
}

static void refusal_and_silence_before_anything_was_sent(void)
{
    TELL(REFUSE);
    CU_ASSERT_EQUAL(result.outcome, CALL_REFUSED);
    CU_ASSERT_EQUAL(result.refusal.code, PEER_REFUSE_BUSY);
    CU_ASSERT_EQUAL(result.refusal.wait_s, 3 * slow);
    TELL(DROP_UNSEEN);
    CU_ASSERT(result.outcome == CALL_NOT_MSGD || result.outcome == CALL_UNREACHABLE);
    CU_ASSERT_EQUAL(sends, 0);
}

/* The second time it is only busy, not forgetful; asked again when it says, which is too late. */
static void refused_when_it_comes_back(void)
{
    TELL(DROP_AFTER_EVENT, REFUSE, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
    CU_ASSERT_EQUAL(connections, 2);
}

/* One that stands still may read it yet, so another try follows. */
static void a_server_that_does_not_welcome(void)
{
    TELL(NO_WELCOME, ANSWER);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(lost, 1);
    TELL(NO_WELCOME, NO_WELCOME, NO_WELCOME);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNKNOWN);
}

static void a_question_to_a_server_that_does_not_welcome(void)
{
    struct msg who = {.type = MSG_WHO};

    reset((const enum act[]){NO_WELCOME});
    struct call_server server = tcp_server();
    run(&server, &who);
    CU_ASSERT_EQUAL(result.outcome, CALL_TIMED_OUT);
}

static void nobody_listens(void)
{
    struct msg send = a_send();

    reset((const enum act[]){ANSWER});
    struct call_server server = tcp_server();
    listener_close(listener);
    uv_run(&loop, UV_RUN_DEFAULT);
    static const struct listener_owner owner = {.incoming = incoming, .closed = listener_closed};
    struct sockaddr_in other;
    uv_ip4_addr("127.0.0.2", 0, &other);
    listener_open(&listener, &loop, (struct sockaddr *)&other, &owner, NULL);
    run(&server, &send);
    CU_ASSERT_EQUAL(result.outcome, CALL_UNREACHABLE);
    CU_ASSERT_EQUAL(result.error, UV_ECONNREFUSED);
    CU_ASSERT(strncmp(result.address, "127.0.0.1 port ", 15) == 0);
}

static void a_judgement_ends_it_before_anything_is_told(void)
{
    static const enum call_judgement judgements[] = {CALL_ASK, CALL_UNTRUSTED};
    static const enum call_outcome ends[] = {CALL_KEY_UNKNOWN, CALL_KEY_REFUSED};
    struct msg send = a_send();

    for (int i = 0; i < 2; i++) {
        reset((const enum act[]){ANSWER});
        judgement = judgements[i];
        struct call_server server = tcp_server();
        run(&server, &send);
        CU_ASSERT_EQUAL(result.outcome, ends[i]);
        CU_ASSERT(memcmp(&result.key, &server_keys.public, sizeof(result.key)) == 0);
        CU_ASSERT_EQUAL(sends, 0);
    }
}

/* A signal does so for each request. */
static void withdraw_later(uv_timer_t *timer)
{
    for (unsigned i = 0; i < n_asks; i++)
        call_withdraw(call);
    uv_close((uv_handle_t *)timer, NULL);
}

static void abandon_later(uv_timer_t *timer)
{
    call_abandon(call);
    uv_close((uv_handle_t *)timer, NULL);
}

static void tell_and(uv_timer_cb then, unsigned n)
{
    uv_timer_t timer;

    reset((const enum act[]){SILENCE});
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, then, 200 * slow, 0);
    struct call_server server = tcp_server();
    run_together(&server, many_sends(), n);
}

static void withdrawing_sends_cancel_and_waits_for_the_result(void)
{
    tell_and(withdraw_later, 1);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(cancels, 1);
    tell_and(abandon_later, 1);
    CU_ASSERT_EQUAL(result.outcome, CALL_INTERRUPTED);
    CU_ASSERT_EQUAL(cancels, 0);
}

static void each_of_many_is_cancelled_once(void)
{
    tell_and(withdraw_later, CALL_ASKS);
    all_from(0, CALL_RESULT);
    CU_ASSERT_EQUAL(cancels, CALL_ASKS);
    tell_and(abandon_later, CALL_ASKS);
    all_from(0, CALL_INTERRUPTED);
    CU_ASSERT_EQUAL(cancels, 0);
}

static void a_socket_of_ones_own_is_believed_when_named(void)
{
    static const struct listener_owner owner = {.incoming = incoming, .closed = listener_closed};
    struct call_server server = {.local = true, .own_uid_too = true};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct listener *second;
    struct msg who = {.type = MSG_WHO};

    reset((const enum act[]){ANSWER, ANSWER}); /* the second try to listen knocks too */
    snprintf(server.socket, sizeof(server.socket), "/tmp/msg-test-call-%d", (int)getpid());
    memcpy(address.sun_path, server.socket, sizeof(address.sun_path));
    CU_ASSERT_EQUAL_FATAL(listener_open(&second, &loop, (struct sockaddr *)&address, &owner, NULL),
                          0);
    /* The path is taken now. */
    struct listener *third = NULL;
    CU_ASSERT_EQUAL(listener_open(&third, &loop, (struct sockaddr *)&address, &owner, NULL),
                    -EADDRINUSE);
    listener_close(listener);
    listener = second;
    run(&server, &who);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
    CU_ASSERT_EQUAL(access(server.socket, F_OK), -1);
}

static void time_before_the_call_does_not_count(void)
{
    struct msg send = a_send();

    reset((const enum act[]){ANSWER});
    struct call_server server = tcp_server();
    uv_update_time(&loop);
    usleep(1100000 * slow); /* somebody typed a message; connect_ms is less */
    run(&server, &send);
    CU_ASSERT_EQUAL(result.outcome, CALL_RESULT);
}

static void a_host_that_does_not_exist(void)
{
    struct call_server server = {.name = "x", .host = "no-such-host.invalid", .port = 1};
    struct msg send = a_send();

    reset((const enum act[]){ANSWER});
    run(&server, &send);
    CU_ASSERT(result.outcome == CALL_UNREACHABLE || result.outcome == CALL_TIMED_OUT);
    CU_ASSERT_STRING_EQUAL(result.address, "");
}

static CU_TestInfo tests[] = {
    UNIT_TEST(a_send_gets_its_result),
    UNIT_TEST(an_error_is_told),
    UNIT_TEST(before_the_first_event_the_same_send_is_repeated),
    UNIT_TEST(after_a_miss_alone_the_same_send_is_repeated),
    UNIT_TEST(after_it_the_call_attaches_where_it_broke_off),
    UNIT_TEST(goaway_is_taken_up_by_attach),
    UNIT_TEST(another_goaway_is_taken_up_when_it_says),
    UNIT_TEST(who_is_sent_away_knows_no_outcome),
    UNIT_TEST(an_error_does_not_undo_what_was_accepted),
    UNIT_TEST(an_error_does_not_undo_what_may_have_been_read),
    UNIT_TEST(who_is_busy_is_not_asked_again),
    UNIT_TEST(who_is_sent_away_after_a_loss_does_not_know),
    UNIT_TEST(many_requests_share_one_connection),
    UNIT_TEST(one_that_fails_leaves_the_others_alone),
    UNIT_TEST(after_a_loss_each_takes_up_where_it_was),
    UNIT_TEST(goaway_ends_what_was_not_accepted),
    UNIT_TEST(a_server_that_drops_every_time_is_not_stormed),
    UNIT_TEST(a_server_that_forgot_means_outcome_unknown),
    UNIT_TEST(a_server_that_never_answers_is_given_up),
    UNIT_TEST(a_lost_connection_is_tried_for_lost_ms),
    UNIT_TEST(refusal_and_silence_before_anything_was_sent),
    UNIT_TEST(refused_when_it_comes_back),
    UNIT_TEST(a_server_that_does_not_welcome),
    UNIT_TEST(a_question_to_a_server_that_does_not_welcome),
    UNIT_TEST(nobody_listens),
    UNIT_TEST(a_judgement_ends_it_before_anything_is_told),
    UNIT_TEST(withdrawing_sends_cancel_and_waits_for_the_result),
    UNIT_TEST(each_of_many_is_cancelled_once),
    UNIT_TEST(a_socket_of_ones_own_is_believed_when_named),
    UNIT_TEST(time_before_the_call_does_not_count),
    UNIT_TEST(a_host_that_does_not_exist),
    UNIT_END,
};

int main(void)
{
    if (sodium_init() < 0)
        return 2;
    if (getenv("MSG_TEST_SLOW") != NULL)
        slow = (unsigned)atoi(getenv("MSG_TEST_SLOW"));
    randombytes_buf(&client_keys.secret, sizeof(client_keys.secret));
    randombytes_buf(&server_keys.secret, sizeof(server_keys.secret));
    noise_public_key(&client_keys.secret, &client_keys.public);
    noise_public_key(&server_keys.secret, &server_keys.public);
    return unit_run("call", tests);
}
