/* SPDX-License-Identifier: MIT */
/* Each line of lines.def byte for byte, the tables of verdicts, and the exit statuses. */
#include "client/print.h"
#include "client/server.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct line_fields FIELDS = {
    .session = SLICE("pts/1"),
    .user = SLICE("bob"),
    .host = SLICE("h2"),
    .time = SLICE("30"),
    .answer = SLICE("Yes"),
    .by = SLICE(":0"),
    .target = SLICE("bob"),
    .me = SLICE("alice"),
    .key = SLICE("x25519:AAAA"),
    .file = SLICE("/home/alice/.config/msg/identity"),
    .address = SLICE("192.0.2.7 port 6743"),
    .others = SLICE("; OTHERS"),
    .message = SLICE("MESSAGE"),
    .code = SLICE("CODE"),
    .id = SLICE("7QK3ZP"),
    .at = SLICE("14:05"),
    .program = SLICE("msg"),
};

static const struct {
    enum line line;
    enum line_stream stream;
    const char *text;
} GOLDEN[] = {
    {LINE_SENDING, LINE_OUT, "Sending message to session pts/1, display time 30"},
    {LINE_ASYNC_SENT, LINE_OUT, "Async message sent to session pts/1"},
    {LINE_ANSWERED, LINE_OUT, "Message to session pts/1 responded to by user"},
    {LINE_ANSWERED_WITH, LINE_OUT, "Message to session pts/1 responded to by user: Yes"},
    {LINE_TIMEOUT, LINE_OUT, "Timeout on message to session pts/1 before user response"},
    {LINE_DISMISSED, LINE_OUT, "Message to session pts/1 dismissed by user"},
    {LINE_ANSWERED_ELSEWHERE, LINE_OUT,
     "Message to session pts/1 withdrawn, answered in session :0"},
    {LINE_WITHDRAWN, LINE_OUT, "Message to session pts/1 withdrawn"},
    {LINE_SESSION_ENDED, LINE_OUT, "Session pts/1 ended before user response"},
    {LINE_SESSION_DISABLED, LINE_OUT, "Session pts/1 (bob) has messages disabled"},
    {LINE_USER_SKIPPED, LINE_OUT, "User bob has messages disabled"},
    {LINE_LEFT_OUT, LINE_OUT, "Session pts/1 left out, bob is reached on :0"},
    {LINE_NO_SCREEN, LINE_OUT, "Session pts/1 (bob) left out, it has no screen or terminal"},
    {LINE_LOCKED, LINE_OUT, "Session pts/1 is locked"},
    {LINE_DO_NOT_DISTURB, LINE_OUT, "Session pts/1 is set to do not disturb"},
    {LINE_ON_DESKTOP, LINE_OUT, "Session pts/1 is reached on its desktop"},
    {LINE_ON_DESKTOP_BY, LINE_OUT, "Session pts/1 is reached on its desktop, by :0"},
    {LINE_IN_TMUX, LINE_OUT, "Session pts/1 is reached in tmux"},
    {LINE_ON_TERMINAL, LINE_OUT, "Session pts/1 is reached on its terminal"},
    {LINE_ANSWER, LINE_TOLD, "Yes"},
    {LINE_ANSWER_OF, LINE_TOLD, "bob\tYes"},
    {LINE_STATE, LINE_OUT, "Session pts/1 is in the state MESSAGE"},
    {LINE_MESSAGE_ID, LINE_NOTE, "Message id 7QK3ZP"},
    {LINE_CLASH, LINE_NOTE, "bob is taken for MESSAGE:bob; there is also CODE:bob"},
    {LINE_SERVER_NOTE, LINE_NOTE, "h2 notes: MESSAGE"},
    {LINE_NO_TARGET, LINE_ERR, "bob does not exist or is disconnected"},
    {LINE_NO_TARGET_AT, LINE_ERR,
     "bob@h2 does not exist or is disconnected; for another host: msg bob /SERVER:h2"},
    {LINE_NOBODY, LINE_ERR, "Nobody is logged in on h2"},
    {LINE_NOBODY_ELSE, LINE_ERR, "Nobody else is logged in on h2"},
    {LINE_USER_NO_SCREEN, LINE_ERR, "bob is logged in on h2 but has no screen or terminal there"},
    {LINE_USER_DISABLED, LINE_ERR, "User bob has messages disabled"},
    {LINE_EVERYBODY_DISABLED, LINE_ERR, "Everybody who is logged in on h2 has messages disabled"},
    {LINE_ALL_LEFT_OUT, LINE_ERR, "bob has no session on h2 but those left out"},
    {LINE_OWN_TERMINAL, LINE_ERR, "pts/1 is this terminal; answer from a second one"},
    {LINE_SEND_ERROR, LINE_ERR, "Error sending message to session pts/1 : MESSAGE"},
    {LINE_TARGET_ERROR, LINE_ERR, "Error sending message to bob : MESSAGE"},
    {LINE_FORBIDDEN, LINE_ERR,
     "Error 5 getting session names: alice may not message bob on h2; its administrator can run: "
     "msgctl authorize x25519:AAAA alice"},
    {LINE_FORBIDDEN_ALL, LINE_ERR,
     "Error 5 getting session names: alice may not message all sessions on h2; its administrator "
     "can run: msgctl authorize --all x25519:AAAA alice"},
    {LINE_FORBIDDEN_HERE, LINE_ERR,
     "Error 5 getting session names: alice may not message bob on this host"},
    {LINE_FORBIDDEN_ALL_HERE, LINE_ERR,
     "Error 5 getting session names: alice may not message all sessions on this host; root may, "
     "and the group that msgd.conf names"},
    {LINE_FORBIDDEN_WHO, LINE_ERR,
     "Error 5 getting session names: alice may not ask who is logged in on h2; its administrator "
     "can run: msgctl authorize --who x25519:AAAA alice"},
    {LINE_FORBIDDEN_WHO_HERE, LINE_ERR,
     "Error 5 getting session names: alice may not ask who is logged in on this host"},
    {LINE_UNAUTHORIZED, LINE_ERR,
     "Error 5 getting session names: h2 does not know your key x25519:AAAA "
     "(/home/alice/.config/msg/identity); its administrator can run: msgctl authorize x25519:AAAA "
     "alice; you, if you can ssh there: msgctl pair h2"},
    {LINE_ENDORSEMENT_ENDED, LINE_ERR,
     "Error 5 getting session names: h2 does not know your key x25519:AAAA "
     "(/home/alice/.config/msg/identity): what endorsed it ended on 14:05. Have it signed anew, by "
     "who signed it, or by your ssh key: msgctl key endorse"},
    {LINE_UNAUTHORIZED_HERE, LINE_ERR,
     "Error 5 getting session names: msgd does not serve alice: MESSAGE"},
    {LINE_REVOKED, LINE_ERR,
     "Error 5 getting session names: your key x25519:AAAA (/home/alice/.config/msg/identity) is "
     "revoked on h2; if its administrator lets you have another: mv "
     "/home/alice/.config/msg/identity /home/alice/.config/msg/identity.revoked && msgctl key "
     "make"},
    {LINE_EXPIRED, LINE_ERR,
     "Error 5 getting session names: your key x25519:AAAA (/home/alice/.config/msg/identity) has "
     "expired on h2; its administrator can run: msgctl authorize x25519:AAAA alice"},
    {LINE_BUSY, LINE_ERR, "Error sending message: h2 is busy; try again in 30"},
    {LINE_RATE_LIMITED, LINE_ERR,
     "Error sending message: too many messages to h2; try again in 30"},
    {LINE_SHUTTING_DOWN, LINE_ERR, "Error sending message: msgd on h2 is being stopped"},
    {LINE_NO_PRESENTER, LINE_ERR,
     "Error sending message: msgd on h2 has lost msgd-present, which shows messages"},
    {LINE_SERVER_ERROR, LINE_ERR, "Error sending message: h2 answers CODE: MESSAGE"},
    {LINE_UNREACHABLE, LINE_ERR,
     "Error 1722 getting session names: cannot reach msgd on h2 (192.0.2.7 port 6743: "
     "MESSAGE; OTHERS); where it fails, step by step: msgctl doctor h2"},
    {LINE_NO_ADDRESS, LINE_ERR,
     "Error 1722 getting session names: cannot reach msgd on h2 (MESSAGE); where it "
     "fails, step by step: msgctl doctor h2"},
    {LINE_NO_ANSWER, LINE_ERR,
     "Error 1722 getting session names: cannot reach msgd on h2 (192.0.2.7 port 6743: no answer in "
     "30, a firewall may drop it; OTHERS); where it fails, step by step: msgctl doctor h2"},
    {LINE_NOT_RUNNING, LINE_ERR,
     "Error 1722 getting session names: msgd is not running on this host (192.0.2.7 port 6743: "
     "MESSAGE); start it: systemctl start msgd.socket"},
    {LINE_NOT_RUNNING_THERE, LINE_ERR,
     "Error 1722 getting session names: msgd is not running on this host (192.0.2.7 port 6743: "
     "MESSAGE)"},
    {LINE_NO_ANSWER_HERE, LINE_ERR,
     "Error 1722 getting session names: msgd does not answer on this host (192.0.2.7 port 6743: no "
     "answer in 30)"},
    {LINE_REFUSED_VERSION, LINE_ERR,
     "Error 1722 getting session names: msgd on h2 (192.0.2.7 port 6743) speaks another version of "
     "the protocol (MESSAGE); bring both up to date"},
    {LINE_REFUSED_SUITE, LINE_ERR,
     "Error 1722 getting session names: msgd on h2 (192.0.2.7 port 6743) refuses this kind of "
     "connection"},
    {LINE_REFUSED_CODE, LINE_ERR,
     "Error 1722 getting session names: msgd on h2 (192.0.2.7 port 6743) refuses with the code "
     "MESSAGE"},
    {LINE_REFUSED_BUSY, LINE_ERR,
     "Error 1722 getting session names: msgd on h2 (192.0.2.7 port 6743) is busy; try again in 30"},
    {LINE_NOT_MSGD, LINE_ERR,
     "Error 1722 getting session names: what answers on h2 (192.0.2.7 port 6743) is not msgd: "
     "MESSAGE"},
    {LINE_NOT_INVITER, LINE_ERR,
     "h2 does not prove that it made this invitation: somebody may stand in between. Nothing was "
     "trusted, and you are not enrolled. Compare its key with its administrator: msgctl key show "
     "--host"},
    {LINE_INVITE_OTHER_HOST, LINE_ERR,
     "h2 (192.0.2.7 port 6743) shows another key than the invitation has: it is another host, or "
     "somebody stands in between. Nothing was sent, and the invitation is as good as before"},
    {LINE_INVITE_INVALID, LINE_ERR,
     "h2 does not take this invitation: it was used already or withdrawn. Its administrator can "
     "see which: msgctl invite --list; if it is open still, it does not hold for your address, or "
     "somebody stands in between. A new one is made by: msgctl invite alice"},
    {LINE_INVITE_LATE, LINE_ERR,
     "h2 does not take this invitation: it could be used until 14:05. Its administrator can make a "
     "new one: msgctl invite alice"},
    {LINE_INVITE_NOT_OFFERED, LINE_ERR,
     "h2 takes no invitation from your key x25519:AAAA; its administrator can run: msgctl "
     "authorize "
     "x25519:AAAA alice"},
    {LINE_INVITE_NOT_NEEDED, LINE_ERR,
     "h2 knows your key already, as bob; the invitation was not used. To trust its key: msgctl "
     "trust "
     "h2 x25519:AAAA"},
    {LINE_BAD_SERVER, LINE_ERR,
     "Error 5 getting session names: the server at 192.0.2.7 port 6743 runs as bob, not as root or "
     "_msgd: it is not believed"},
    {LINE_BAD_SERVER_NAMESPACE, LINE_ERR,
     "Error 5 getting session names: the server at 192.0.2.7 port 6743 is of another user "
     "namespace: it is not believed"},
    {LINE_KEY_UNKNOWN, LINE_ERR,
     "Error 5 getting session names: the key of h2 is not known: x25519:AAAA; if it is the right "
     "one, which its administrator sees by msgctl key show --host: msgctl trust h2 x25519:AAAA; if "
     "you can ssh there, without him: msgctl pair h2"},
    {LINE_KEY_DECLINED, LINE_ERR,
     "Error 5 getting session names: the key of h2 was not accepted: x25519:AAAA"},
    {LINE_KEY_CHANGED, LINE_ERR,
     "Error 5 getting session names: THE KEY OF h2 HAS CHANGED: x25519:AAAA is not the one in "
     "/home/alice/.config/msg/identity; somebody may be listening in. Nothing was sent. If its "
     "administrator says that it is the new one: msgctl untrust h2; msgctl trust h2 x25519:AAAA"},
    {LINE_KEY_CHANGED_FOR_ALL, LINE_ERR,
     "Error 5 getting session names: THE KEY OF h2 HAS CHANGED: x25519:AAAA is not the one in "
     "/home/alice/.config/msg/identity, which is for all users here; somebody may be listening in. "
     "Nothing was sent. If its administrator says that it is the new one: msgctl trust h2 "
     "x25519:AAAA"},
    {LINE_KEY_OUT, LINE_ERR,
     "Error 5 getting session names: the key of h2 is revoked: x25519:AAAA "
     "(/home/alice/.config/msg/identity); nothing was sent. Its administrator can tell you the new "
     "one: msgctl key show --host; then: msgctl trust h2 KEY"},
    {LINE_KEY_FILE_BAD, LINE_ERR,
     "Error 5 getting session names: no key of h2 can be trusted: MESSAGE"},
    {LINE_UNKNOWN, LINE_ERR,
     "Error sending message: the connection to h2 was lost (192.0.2.7 port 6743); whether it was "
     "shown is not known"},
    {LINE_UNKNOWN_LIFE, LINE_ERR,
     "Error sending message: msgd on h2 was started anew; what became of the message is not known"},
    {LINE_UNKNOWN_REFUSED, LINE_ERR,
     "Error sending message: h2 answers CODE; what became of the message is not known; ask later: "
     "msgctl status"},
    {LINE_MOVED, LINE_ERR,
     "Error sending message: another connection follows this message; what became of it is not "
     "known here"},
    {LINE_INVALID, LINE_ERR, "Invalid parameter(s)"},
    {LINE_COMPLAINT, LINE_ERR, "msg: MESSAGE"},
    {LINE_FILE_COMPLAINT, LINE_ERR, "msg: /home/alice/.config/msg/identity: MESSAGE"},
    {LINE_FILE_LINE_COMPLAINT, LINE_ERR, "msg: /home/alice/.config/msg/identity:7QK3ZP: MESSAGE"},
    {LINE_PROMPT, LINE_ERR, "Message to bob; end it with Ctrl-D, or with a dot alone on a line:"},
    {LINE_REMARK, LINE_ERR, "msg: note: MESSAGE"},
    {LINE_UNRESOLVED, LINE_NOTE, "h2 does not say who is there; the message is sent all the same"},
    {LINE_WAITING, LINE_ERR, "Waiting for MESSAGE, no time limit; Ctrl-C withdraws"},
    {LINE_RECONNECTING, LINE_NOTE, "The connection to h2 was lost; connecting again"},
    {LINE_ACK_DONE, LINE_OUT, "Message 7QK3ZP acknowledged"},
    {LINE_ACK_NONE, LINE_ERR, "No message waits for you"},
    {LINE_ACK_NO_NUMBER, LINE_ERR, "You have no message 7QK3ZP"},
    {LINE_ACK_ENDED, LINE_ERR, "The message from :0 (14:05) ended at 30"},
    {LINE_ACK_SEVERAL, LINE_ERR, "Several messages wait for you; say which: msg /ack 7QK3ZP"},
    {LINE_ACK_OTHERS, LINE_ERR,
     "This terminal is bob's, and you are alice: sudo -u bob msg /ack7QK3ZP"},
    {LINE_ACK_BAD_ANSWER, LINE_ERR, "Yes is none of the answers to message 7QK3ZP: MESSAGE"},
    {LINE_ACK_NEEDS_ANSWER, LINE_ERR, "Message 7QK3ZP asks for one of these answers: MESSAGE"},
    {LINE_ACK_NO_ANSWERS, LINE_ERR,
     "Message 7QK3ZP offers no answers; acknowledge it with: msg /ack 7QK3ZP"},
    {LINE_LIST_WAITS, LINE_TOLD, "7QK3ZP  14:05  :0: MESSAGE"},
    {LINE_LIST_ENDED, LINE_TOLD, "7QK3ZP  14:05  :0: MESSAGE  [CODE]"},
    {LINE_LIST_HEAD, LINE_TOLD, "Message 7QK3ZP from :0 to pts/1, 14:05"},
    {LINE_LIST_ANSWERS, LINE_TOLD, "Answers: MESSAGE"},
    {LINE_LIST_STILL, LINE_TOLD, "To confirm that you have read this, type: msg /ack 7QK3ZP"},
    {LINE_LIST_STATE, LINE_TOLD, "[CODE]"},
    {LINE_LIST_EMPTY, LINE_ERR, "No messages"},
};

static void test_each_line(void)
{
    bool seen[LINES] = {false};
    char text[PRINT_LINE];

    for (size_t i = 0; i < COUNT(GOLDEN); i++) {
        line_format(GOLDEN[i].line, &FIELDS, text);
        CU_ASSERT_STRING_EQUAL(text, GOLDEN[i].text);
        CU_ASSERT_EQUAL(line_stream(GOLDEN[i].line), GOLDEN[i].stream);
        seen[GOLDEN[i].line] = true;
    }
    for (size_t i = 0; i < LINES; i++)
        CU_ASSERT_TRUE(seen[i]);
}

static void test_which_are_shown(void)
{
    CU_ASSERT_FALSE(line_is_shown(LINE_SENDING, false));
    CU_ASSERT_TRUE(line_is_shown(LINE_SENDING, true));
    CU_ASSERT_FALSE(line_is_shown(LINE_MESSAGE_ID, false));
    CU_ASSERT_TRUE(line_is_shown(LINE_MESSAGE_ID, true));
    CU_ASSERT_TRUE(line_is_shown(LINE_NO_TARGET, false));
}

static void test_what_a_server_says_is_escaped(void)
{
    static char big[2 * PRINT_LINE];
    struct line_fields fields = {.session = SLICE("a\x1b[2J\nSending\x9b"), .time = SLICE("30")};
    char text[PRINT_LINE];

    line_format(LINE_SENDING, &fields, text);
    CU_ASSERT_STRING_EQUAL(
        text, "Sending message to session a\\x1B[2J\\x0ASending\\x9B, display time 30");
    memset(big, '\x1b', sizeof(big));
    fields.session = (struct slice){big, sizeof(big)};
    line_format(LINE_SENDING, &fields, text);
    CU_ASSERT_TRUE(strlen(text) < PRINT_LINE);
    CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
}

static void test_precedence(void)
{
    static const int ORDER[] = {EXIT_SIGNAL + 2, EXIT_USAGE,      EXIT_UNKNOWN, EXIT_UNREACHABLE,
                                EXIT_FAILED,     EXIT_UNANSWERED, EXIT_DONE};

    for (size_t i = 0; i < COUNT(ORDER); i++) {
        for (size_t k = i; k < COUNT(ORDER); k++) {
            CU_ASSERT_EQUAL(exit_worse(ORDER[i], ORDER[k]), ORDER[i]);
            CU_ASSERT_EQUAL(exit_worse(ORDER[k], ORDER[i]), ORDER[i]);
        }
    }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static const struct {
    const char *st, *why, *ans;
    bool fin, wait, displayed;
    enum line line;
    int status;
} EVENTS[] = {
    {"accepted", "", "", false, true, false, LINE_SENDING, 0},
    {"displayed", "", "", true, false, false, LINE_ASYNC_SENT, 0},
    {"displayed", "", "", false, true, false, LINES, 0},
    {"acknowledged", "", "", true, true, true, LINE_ANSWERED, 0},
    {"acknowledged", "", "Yes", true, true, true, LINE_ANSWERED_WITH, 0},
    {"timed-out", "no-answer", "", true, true, true, LINE_TIMEOUT, 3},
    {"timed-out", "not-shown", "", true, true, false, LINE_SEND_ERROR, 1},
    {"timed-out", "not-shown", "", true, false, false, LINE_SEND_ERROR, 1},
    {"dismissed", "closed-by-user", "", true, true, true, LINE_DISMISSED, 3},
    {"withdrawn", "answered-elsewhere", "", true, true, true, LINE_ANSWERED_ELSEWHERE, 0},
    {"withdrawn", "by-sender", "", true, true, true, LINE_WITHDRAWN, 1},
    {"withdrawn", "sender-lost", "", true, true, true, LINE_SEND_ERROR, 1},
    {"withdrawn", "revoked", "", true, true, true, LINE_SEND_ERROR, 1},
    {"withdrawn", "daemon-stop", "", true, true, true, LINE_SEND_ERROR, 1},
    {"withdrawn", "something-new", "", true, true, true, LINE_SEND_ERROR, 1},
    {"session-gone", "logout", "", true, true, true, LINE_SESSION_ENDED, 3},
    {"session-gone", "hangup", "", true, false, false, LINE_SEND_ERROR, 1},
    {"failed", "messages-disabled", "", true, true, false, LINE_SESSION_DISABLED, 1},
    {"failed", "terminal-stopped", "", true, false, false, LINE_SEND_ERROR, 1},
    {"failed", "too-many", "", true, false, false, LINE_SEND_ERROR, 1},
    {"failed", "presenter-lost", "", true, true, true, LINE_SEND_ERROR, 1},
    {"failed", "helper-lost", "", true, true, true, LINE_SEND_ERROR, 1},
    {"failed", "internal", "", true, true, false, LINE_SEND_ERROR, 1},
    {"failed", "", "", true, true, false, LINE_SEND_ERROR, 1},
    {"levitating", "", "", false, true, false, LINES, 0},
    {"levitated", "", "", true, true, false, LINE_SEND_ERROR, 1},
};

static void test_events(void)
{
    for (size_t i = 0; i < COUNT(EVENTS); i++) {
        struct msg_event event = {.st = slice_of(EVENTS[i].st),
                                  .why = slice_of(EVENTS[i].why),
                                  .ans = slice_of(EVENTS[i].ans),
                                  .fin = EVENTS[i].fin};
        struct verdict verdict = verdict_of_event(&event, EVENTS[i].wait, EVENTS[i].displayed);
        CU_ASSERT_EQUAL(verdict.line, EVENTS[i].line);
        CU_ASSERT_EQUAL(verdict.status, EVENTS[i].status);
    }
}

/* Every code of PROTOCOL.md: for one or everybody, for TCP or this host. */
static const struct {
    const char *code;
    enum line one, all, one_here, all_here;
    int status;
} CODES[] = {
    {"no-target", LINE_NO_TARGET, LINE_NOBODY, LINE_NO_TARGET, LINE_NOBODY, 1},
    {"no-screen", LINE_USER_NO_SCREEN, LINE_USER_NO_SCREEN, LINE_USER_NO_SCREEN,
     LINE_USER_NO_SCREEN, 1},
    {"messages-disabled", LINE_USER_DISABLED, LINE_EVERYBODY_DISABLED, LINE_USER_DISABLED,
     LINE_EVERYBODY_DISABLED, 1},
    {"left-out", LINE_ALL_LEFT_OUT, LINE_NOBODY_ELSE, LINE_ALL_LEFT_OUT, LINE_NOBODY_ELSE, 1},
    {"forbidden", LINE_FORBIDDEN, LINE_FORBIDDEN_ALL, LINE_FORBIDDEN_HERE, LINE_FORBIDDEN_ALL_HERE,
     1},
    {"unauthorized", LINE_UNAUTHORIZED, LINE_UNAUTHORIZED, LINE_UNAUTHORIZED_HERE,
     LINE_UNAUTHORIZED_HERE, 4},
    {"revoked", LINE_REVOKED, LINE_REVOKED, LINE_REVOKED, LINE_REVOKED, 4},
    {"expired", LINE_EXPIRED, LINE_EXPIRED, LINE_EXPIRED, LINE_EXPIRED, 4},
    {"busy", LINE_BUSY, LINE_BUSY, LINE_BUSY, LINE_BUSY, 4},
    {"rate-limited", LINE_RATE_LIMITED, LINE_RATE_LIMITED, LINE_RATE_LIMITED, LINE_RATE_LIMITED, 4},
    {"shutting-down", LINE_SHUTTING_DOWN, LINE_SHUTTING_DOWN, LINE_SHUTTING_DOWN,
     LINE_SHUTTING_DOWN, 4},
    {"no-presenter", LINE_NO_PRESENTER, LINE_NO_PRESENTER, LINE_NO_PRESENTER, LINE_NO_PRESENTER, 4},
    {"outcome-unknown", LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE,
     5},
    {"unknown-uid", LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE, LINE_UNKNOWN_LIFE, 5},
    {"moved", LINE_MOVED, LINE_MOVED, LINE_MOVED, LINE_MOVED, 5},
    {"bad-text", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 2},
    {"too-large", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"too-many", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"conflict", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"unsupported", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"bad-message", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"internal", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
    {"invented", LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, LINE_SERVER_ERROR, 1},
};

static void check_code(const char *code, bool all, bool local, enum line line, int status)
{
    struct verdict verdict = verdict_of_code(code, "", all, local);

    CU_ASSERT_EQUAL(verdict.line, line);
    CU_ASSERT_EQUAL(verdict.status, status);
}

static void test_codes(void)
{
    for (size_t i = 0; i < COUNT(CODES); i++) {
        check_code(CODES[i].code, false, false, CODES[i].one, CODES[i].status);
        check_code(CODES[i].code, true, false, CODES[i].all, CODES[i].status);
        check_code(CODES[i].code, false, true, CODES[i].one_here, CODES[i].status);
        check_code(CODES[i].code, true, true, CODES[i].all_here, CODES[i].status);
    }
    CU_ASSERT_EQUAL(verdict_of_code("too-large", "text", false, false).status, EXIT_USAGE);
}

static void check_call(struct call_result result, const struct call_server *server, enum line line,
                       int status)
{
    struct verdict verdict = verdict_of_call(&result, server, false);

    CU_ASSERT_EQUAL(verdict.line, line);
    CU_ASSERT_EQUAL(verdict.status, status);
}

static void test_calls_without_an_answer(void)
{
    struct call_server there = {.name = "h2"}, here, elsewhere;
    struct call_result refused = {
        .outcome = CALL_UNREACHABLE, .error = UV_ECONNREFUSED, .address = "192.0.2.7 port 6743"};

    CU_ASSERT_TRUE(server_local(NULL, "", &here));
    CU_ASSERT_TRUE(server_local("/x", NULL, &elsewhere));
    check_call(refused, &there, LINE_UNREACHABLE, 4);
    check_call(refused, &here, LINE_NOT_RUNNING, 4);
    check_call(refused, &elsewhere, LINE_NOT_RUNNING_THERE, 4);
    refused.address[0] = '\0';
    check_call(refused, &there, LINE_NO_ADDRESS, 4);
    CU_ASSERT_STRING_EQUAL(verdict_of_call(&refused, &there, false).words, "connection refused");
    check_call((struct call_result){.outcome = CALL_RESULT}, &there, LINES, 0);
    check_call((struct call_result){.outcome = CALL_INTERRUPTED}, &there, LINES, 0);
    check_call((struct call_result){.outcome = CALL_ERROR, .code = "busy"}, &there, LINE_BUSY, 4);
    check_call((struct call_result){.outcome = CALL_TIMED_OUT}, &there, LINE_NO_ANSWER, 4);
    check_call((struct call_result){.outcome = CALL_TIMED_OUT}, &here, LINE_NO_ANSWER_HERE, 4);
    check_call((struct call_result){.outcome = CALL_REFUSED, .refusal = {.code = 3}}, &there,
               LINE_REFUSED_BUSY, 4);
    check_call((struct call_result){.outcome = CALL_REFUSED, .refusal = {.code = 1}}, &there,
               LINE_REFUSED_VERSION, 4);
    check_call((struct call_result){.outcome = CALL_REFUSED, .refusal = {.code = 2}}, &there,
               LINE_REFUSED_SUITE, 4);
    check_call((struct call_result){.outcome = CALL_REFUSED, .refusal = {.code = 200}}, &there,
               LINE_REFUSED_CODE, 4);
    check_call((struct call_result){.outcome = CALL_NOT_MSGD}, &there, LINE_NOT_MSGD, 4);
    check_call((struct call_result){.outcome = CALL_KEY_UNKNOWN}, &there, LINE_KEY_UNKNOWN, 4);
    check_call((struct call_result){.outcome = CALL_KEY_REFUSED}, &there, LINE_KEY_CHANGED, 4);
    check_call((struct call_result){.outcome = CALL_NOT_INVITER}, &there, LINE_NOT_INVITER, 4);
    check_call((struct call_result){.outcome = CALL_BAD_SERVER, .uid = 1000}, &here,
               LINE_BAD_SERVER, 4);
    check_call((struct call_result){.outcome = CALL_BAD_SERVER, .uid = 65534}, &here,
               LINE_BAD_SERVER_NAMESPACE, 4);
    check_call((struct call_result){.outcome = CALL_UNKNOWN}, &there, LINE_UNKNOWN, 5);
    check_call((struct call_result){.outcome = CALL_UNKNOWN, .code = "internal"}, &there,
               LINE_UNKNOWN_REFUSED, 5);
    check_call((struct call_result){.outcome = CALL_UNKNOWN, .code = "outcome-unknown"}, &there,
               LINE_UNKNOWN_LIFE, 5);
    check_call((struct call_result){.outcome = CALL_UNKNOWN, .code = "unknown-uid"}, &there,
               LINE_UNKNOWN_LIFE, 5);
}

static void test_other_addresses(void)
{
    struct call_result result = {.outcome = CALL_UNREACHABLE, .error = UV_ECONNREFUSED};
    char out[PRINT_OTHERS];

    CU_ASSERT_EQUAL(print_others(&result, out).len, 0);
    result.others[0] = (struct call_other){"2001:db8::7", UV_ETIMEDOUT};
    result.others[1] = (struct call_other){"192.0.2.8", UV_ECONNREFUSED};
    result.n_others = 2;
    CU_ASSERT_TRUE(
        slice_eq(print_others(&result, out), SLICE("; 2001:db8::7: no answer; 192.0.2.8 too")));
    result.n_others = LIM_ADDRESSES - 1;
    for (size_t i = 0; i < result.n_others; i++) {
        memset(result.others[i].address, 'f', sizeof(result.others[i].address) - 1);
        result.others[i].error = UV_ENETUNREACH;
    }
    size_t len = print_others(&result, out).len;
    CU_ASSERT_EQUAL(len, strlen(out));
    CU_ASSERT_EQUAL(len, result.n_others * strlen("; : network is unreachable") +
                             result.n_others * (INET6_ADDRSTRLEN - 1));
}

static void test_words(void)
{
    static const uint8_t UID[16] = {0x3b, 0xa6, 0x3f, 0xd8};
    char out[24];

    CU_ASSERT_STRING_EQUAL(print_uid((const uint8_t[16]){0}, out).ptr, "000000");
    CU_ASSERT_STRING_EQUAL(print_uid((const uint8_t[16]){255, 255, 255, 255}, out).ptr, "ZZZZZZ");
    CU_ASSERT_STRING_EQUAL(print_uid(UID, out).ptr, "7EK3ZP");
    CU_ASSERT_STRING_EQUAL(print_seconds(0, out).ptr, "1 s");
    CU_ASSERT_STRING_EQUAL(print_seconds(1000, out).ptr, "1 s");
    CU_ASSERT_STRING_EQUAL(print_seconds(1001, out).ptr, "2 s");
    CU_ASSERT_STRING_EQUAL(print_seconds(UINT64_MAX, out).ptr, "18446744073709552 s");
    CU_ASSERT_STRING_EQUAL(print_cause(UV_ENOENT), "no such file");
    CU_ASSERT_STRING_EQUAL(print_cause(UV_ELOOP), "too many symbolic links encountered");
}

static void test_local_server(void)
{
    struct call_server server;
    char path[200];

    memset(path, 'x', sizeof(path));
    path[sizeof(server.socket) - 1] = '\0';
    CU_ASSERT_TRUE(server_local(path, NULL, &server));
    path[sizeof(server.socket) - 1] = 'x';
    path[sizeof(server.socket)] = '\0';
    CU_ASSERT_FALSE(server_local(path, NULL, &server));
    CU_ASSERT_TRUE(server_local(NULL, NULL, &server));
    CU_ASSERT_STRING_EQUAL(server.socket, "/run/msgd/msgd.sock");
    CU_ASSERT_FALSE(server.own_uid_too);
    CU_ASSERT_TRUE(server_local(NULL, "/env", &server));
    CU_ASSERT_STRING_EQUAL(server.socket, "/env");
    CU_ASSERT_TRUE(server.own_uid_too && server.local);
    CU_ASSERT_TRUE(server_local("/opt", "/env", &server));
    CU_ASSERT_STRING_EQUAL(server.socket, "/opt");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_each_line),
        UNIT_TEST(test_which_are_shown),
        UNIT_TEST(test_what_a_server_says_is_escaped),
        UNIT_TEST(test_precedence),
        UNIT_TEST(test_events),
        UNIT_TEST(test_codes),
        UNIT_TEST(test_calls_without_an_answer),
        UNIT_TEST(test_other_addresses),
        UNIT_TEST(test_words),
        UNIT_TEST(test_local_server),
        UNIT_END,
    };

    return unit_run("print", tests);
}
