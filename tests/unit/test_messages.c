/* SPDX-License-Identifier: MIT */
#include "protocol/messages.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

static uint8_t buffer[LIM_PLAINTEXT];

/* A SEND that is right; tests spoil it. */
static struct msg good_send(void)
{
    static const struct msg_selector to[] = {{.user = {"bob", 3}}};
    static const char uid[16] = "0123456789abcde";

    return (struct msg){.type = MSG_SEND,
                        .id = 7,
                        .u.send = {.uid = {uid, 16}, .to = {to, 1}, .text = SLICE("hello")}};
}

/* Encodes what the writer would refuse, by hand: the map's body follows [type, id, map of n]. */
static int decode_raw(uint8_t type, uint8_t id, uint8_t keys, const char *body, size_t len,
                      struct msg *msg, struct msg_fault *fault)
{
    uint8_t raw[512] = {0x93, type, id, (uint8_t)(0x80 | keys)};
    struct wire_doc doc;

    memcpy(raw + 4, body, len);
    int result = msg_decode(msg, &doc, raw, 4 + len, fault);
    if (result == 0)
        wire_release(&doc);
    return result;
}

#define RAW(type, id, keys, body) decode_raw(type, id, keys, body, sizeof(body) - 1, &msg, &fault)

static void send_survives_the_wire(void)
{
    struct msg_selector to[] = {{.user = SLICE("bob")}, {.all = true}, {.session = SLICE(":0")}};
    struct msg_selector not [] = {{.me = true}};
    struct slice answers[] = {SLICE("Yes"), SLICE("No")};
    struct msg in = good_send(), out;
    struct wire_doc doc;
    struct msg_fault fault;

    in.u.send.to = (struct msg_selector_list){to, 3};
    in.u.send.not = (struct msg_selector_list){not, 1};
    in.u.send.answers = (struct slice_list){answers, 2};
    in.u.send.wait = true;
    in.u.send.time_ms = 30000;
    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT_EQUAL_FATAL(msg_decode(&out, &doc, buffer, (size_t)len, &fault), 0);
    CU_ASSERT_EQUAL(out.type, MSG_SEND);
    CU_ASSERT_EQUAL(out.id, 7);
    CU_ASSERT_EQUAL(out.u.send.to.n, 3);
    CU_ASSERT(slice_eq(out.u.send.to.items[0].user, SLICE("bob")));
    CU_ASSERT(out.u.send.to.items[1].all);
    CU_ASSERT(out.u.send.not .items[0].me);
    CU_ASSERT(slice_eq(out.u.send.answers.items[1], SLICE("No")));
    CU_ASSERT(out.u.send.wait && !out.u.send.each);
    CU_ASSERT_EQUAL(out.u.send.time_ms, 30000);
    CU_ASSERT_EQUAL(out.u.send.lost_ms, 0);
    CU_ASSERT_PTR_NULL(out.u.send.title.ptr);
    wire_release(&doc);
}

static void nested_maps_and_counts_survive(void)
{
    struct msg in = {.type = MSG_RESULT,
                     .id = 1,
                     .u.result = {.st = SLICE("partial"), .n = {.timed_out = 2}, .q = 9}};
    struct msg out;
    struct wire_doc doc;
    struct msg_fault fault;

    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT(memmem(buffer, (size_t)len, "timed-out", 9) != NULL);
    CU_ASSERT_EQUAL_FATAL(msg_decode(&out, &doc, buffer, (size_t)len, &fault), 0);
    CU_ASSERT_EQUAL(out.u.result.n.timed_out, 2);
    CU_ASSERT_EQUAL(out.u.result.n.failed, 0);
    wire_release(&doc);
}

static void what_is_no_message_is_fatal(void)
{
    static const char *const bad[] = {"\xc0",
                                      "\x92\x01\x00",
                                      "\x94\x01\x00\x80\x80",
                                      "\x93\xa1x\x00\x80",
                                      "\x93\xff\x00\x80",
                                      "\x93\x01\xff\x80",
                                      "\x93\x01\x00\x90",
                                      "\x80"};
    struct msg msg;
    struct wire_doc doc;
    struct msg_fault fault;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t len = i == 1 ? 3 : i == 0 ? 1 : i == 2 ? 5 : i == 3 ? 5 : i == 7 ? 1 : 4;
        memset(&fault, 0, sizeof(fault));
        CU_ASSERT_EQUAL(msg_decode(&msg, &doc, (const uint8_t *)bad[i], len, &fault), -EBADMSG);
        CU_ASSERT(fault.fatal);
        CU_ASSERT_STRING_EQUAL(fault.code, "bad-message");
    }
}

/* PING without t, with a string for t, with t beyond 2^53 - 1, negative. */
static void faults_of_numbers(void)
{
    struct msg msg;
    struct msg_fault fault = {0};

    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 0, ""), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "t");
    CU_ASSERT_STRING_EQUAL(fault.code, "bad-message");
    CU_ASSERT(!fault.fatal);
    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 1, "\xa1t\xa1x"), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "bad-message");
    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 1, "\xa1t\xcf\0\x20\0\0\0\0\0\0"), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "too-large");
    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 1, "\xa1t\xff"), -EBADMSG);
}

static void unknown_keys_are_ignored_but_for_those_with_a_mark(void)
{
    struct msg msg;
    struct msg_fault fault = {0};

    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 2, "\xa1t\x01\xa1z\xc0"), 0);
    CU_ASSERT_EQUAL(RAW(MSG_PING, 0, 2, "\xa1t\x01\xa2!z\xc0"), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "unsupported");
    CU_ASSERT_STRING_EQUAL(fault.at, "!z");
    CU_ASSERT_EQUAL(msg.type, MSG_PING);
}

/* CANCEL's uid: 15 bytes, and a string instead of bytes. */
static void faults_of_bytes(void)
{
    struct msg msg;
    struct msg_fault fault = {0};

    CU_ASSERT_EQUAL(RAW(MSG_CANCEL, 1, 1,
                        "\xa3uid\xc4\x0f"
                        "012345678901234"),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "uid");
    CU_ASSERT_EQUAL(RAW(MSG_CANCEL, 1, 1,
                        "\xa3uid\xb0"
                        "0123456789012345"),
                    -EBADMSG);
    CU_ASSERT_EQUAL(RAW(MSG_CANCEL, 1, 1,
                        "\xa3uid\xc4\x10"
                        "0123456789012345"),
                    0);
}

/* WHO's: none, an empty one, two keys, an unknown key alone; text that is none. */
static void faults_of_selectors(void)
{
    struct msg msg;
    struct msg_fault fault = {0};

    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1,
                        "\xa2to\x92\x81\xa3"
                        "all\xc3\x80"),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "to.1");
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1,
                        "\xa2to\x91\x82\xa3"
                        "all\xc3\xa4user\xa1x"),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "to.0");
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1, "\xa2to\x91\x81\xa4user\xa1x"), 0);
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1, "\xa2to\xc0"), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "to.0");
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1, "\xa2to\x90"), 0); /* optional and empty: absent */
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1, "\xa2to\x91\x81\xa4user\xa2\xc3\x28"), -EBADMSG); /* UTF-8 */
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1,
                        "\xa2to\x91\x81\xa4user\xa2"
                        "a\x1b"),
                    -EBADMSG);
    CU_ASSERT_EQUAL(RAW(MSG_WHO, 1, 1, "\xa2to\x91\x81\xa4user\xa2\xc2\x9b"), -EBADMSG); /* C1 */
}

static int send_with(struct slice name, size_t selectors, size_t text, struct msg_fault *fault)
{
    static struct msg_selector to[LIM_SELECTORS + 1];
    static char words[LIM_TEXT + 1];
    struct msg in = good_send(), out;
    struct wire_doc doc;

    memset(words, 'w', sizeof(words));
    for (size_t i = 0; i < selectors; i++)
        to[i] = (struct msg_selector){.user = name};
    in.u.send.to = (struct msg_selector_list){to, selectors};
    in.u.send.text = (struct slice){words, text};
    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    if (len < 0)
        return (int)len;
    int result = msg_decode(&out, &doc, buffer, (size_t)len, fault);
    if (result == 0)
        wire_release(&doc);
    return result;
}

static void writer_refuses_what_the_reader_would(void)
{
    char name[LIM_NAME + 1];
    struct msg_fault fault = {0};

    memset(name, 'n', sizeof(name));
    CU_ASSERT_EQUAL(send_with(SLICE("bob"), 1, LIM_TEXT, &fault), 0);
    CU_ASSERT_EQUAL(send_with(SLICE("bob"), 1, LIM_TEXT + 1, &fault), -EINVAL);
    CU_ASSERT_EQUAL(send_with((struct slice){name, LIM_NAME}, 1, 1, &fault), 0);
    CU_ASSERT_EQUAL(send_with((struct slice){name, LIM_NAME + 1}, 1, 1, &fault), -EINVAL);
    CU_ASSERT_EQUAL(send_with(SLICE("bob"), LIM_SELECTORS, 1, &fault), 0);
    CU_ASSERT_EQUAL(send_with(SLICE("bob"), LIM_SELECTORS + 1, 1, &fault), -EINVAL);
    CU_ASSERT_EQUAL(send_with(SLICE("bob"), 0, 1, &fault), -EINVAL);
    CU_ASSERT_EQUAL(send_with(SLICE("b\nb"), 1, 1, &fault), -EINVAL);
    CU_ASSERT_EQUAL(send_with(SLICE(""), 1, 1, &fault), -EINVAL);
    /* 512 of the longest names and the longest text together are more than a frame. */
    CU_ASSERT_EQUAL(send_with((struct slice){name, LIM_NAME}, LIM_SELECTORS, LIM_TEXT, &fault),
                    -EMSGSIZE);
    struct msg unknown = {.type = 4000};
    CU_ASSERT_EQUAL(msg_encode(&unknown, buffer, sizeof(buffer)), -EINVAL);
}

/* The reader's own limits, for peers whose writer is not ours. */
static void reader_refuses_beyond_limits(void)
{
    static uint8_t raw[8 + LIM_ITEMS * 8];
    size_t len = 0;
    struct msg msg;
    struct wire_doc doc;
    struct msg_fault fault = {0};

    memcpy(raw, "\x93\x16\x01\x81\xa2to\xdc\x02\x01", 10);
    for (len = 10; len < 10 + (LIM_SELECTORS + 1) * 6; len += 6)
        memcpy(raw + len,
               "\x81\xa3"
               "all\xc3",
               6);
    CU_ASSERT_EQUAL(msg_decode(&msg, &doc, raw, len, &fault), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "too-many");
    CU_ASSERT_STRING_EQUAL(fault.at, "to.512");

    CU_ASSERT_EQUAL(RAW(MSG_GOAWAY, 0, 1,
                        "\xa4"
                        "code\xd9\x21"
                        "abcdefghabcdefghabcdefghabcdefgha"),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "too-large");
    CU_ASSERT_EQUAL(RAW(MSG_GOAWAY, 0, 1,
                        "\xa4"
                        "code\xd9\x20"
                        "abcdefghabcdefghabcdefghabcdefgh"),
                    0);
}

static void text_is_left_to_its_judge(void)
{
    struct msg in = good_send(), out;
    struct wire_doc doc;
    struct msg_fault fault;

    in.u.send.text = SLICE("bell \a and \xff");
    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT_EQUAL_FATAL(msg_decode(&out, &doc, buffer, (size_t)len, &fault), 0);
    wire_release(&doc);
}

static void unknown_types_are_told_apart(void)
{
    struct msg msg;
    struct msg_fault fault;

    CU_ASSERT_EQUAL(RAW(0x65, 3, 1, "\xa1x\xc0"), 0);
    CU_ASSERT_EQUAL(msg.type, 0x65);
    CU_ASSERT_EQUAL(msg.id, 3);
    CU_ASSERT_EQUAL(msg_sender(0x65), 0);
    CU_ASSERT_EQUAL(msg_sender(MSG_SEND), MSG_FROM_CLIENT);
    CU_ASSERT_EQUAL(msg_sender(MSG_EVENT), MSG_FROM_SERVER);
    CU_ASSERT_EQUAL(msg_sender(MSG_PING), MSG_FROM_BOTH);
    CU_ASSERT_STRING_EQUAL(msg_name(MSG_SEND), "SEND");
    CU_ASSERT_STRING_EQUAL(msg_name(0x65), "unknown");
}

static void an_event_tells_of_one_kind_of_thing(void)
{
    struct msg msg, in = {.type = MSG_EVENT, .id = 1};
    struct msg_fault fault = {0};
    struct msg_event event = {.q = 1, .d = 1, .st = SLICE("accepted"), .at = 1};
    struct msg_miss miss = {.to = 1, .code = SLICE("no-target")};

    CU_ASSERT_EQUAL(RAW(MSG_EVENT, 1, 0, ""), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "bad-message");
    CU_ASSERT_EQUAL(RAW(MSG_EVENT, 1, 1, "\xa2re\xc3"), -EBADMSG);
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
    in.u.events.ev = (struct msg_event_list){&event, 1};
    CU_ASSERT(msg_encode(&in, buffer, sizeof(buffer)) > 0);
    in.u.events.miss = (struct msg_miss_list){&miss, 1};
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
}

static void misses_fit_into_a_frame(void)
{
    static struct msg_miss misses[LIM_MISSES + 1];
    static const char name[LIM_NAME + 1] =
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    struct msg msg, in = {.type = MSG_EVENT, .id = UINT32_MAX};
    struct msg_fault fault = {0};
    struct wire_doc doc;

    for (size_t i = 0; i <= LIM_MISSES; i++)
        misses[i] = (struct msg_miss){.to = LIM_SELECTORS,
                                      .code = {name, LIM_CODE},
                                      .user = slice_of(name),
                                      .sess = slice_of(name),
                                      .by = slice_of(name)};
    in.u.events.miss = (struct msg_miss_list){misses, LIM_MISSES + 1};
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
    in.u.events.miss.n = LIM_MISSES;
    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    CU_ASSERT_FATAL(len > LIM_MISSES * 4 * LIM_NAME - LIM_MISSES * LIM_CODE);
    CU_ASSERT_EQUAL_FATAL(msg_decode(&msg, &doc, buffer, (size_t)len, &fault), 0);
    CU_ASSERT_EQUAL(msg.u.events.miss.n, LIM_MISSES);
    CU_ASSERT(slice_eq(msg.u.events.miss.items[LIM_MISSES - 1].by, slice_of(name)));
    wire_release(&doc);
}

/* Every key that somebody can have is told in one frame, with the longest of everything beside. */
static void granted_keys_fit_into_a_frame(void)
{
    static char name[256];
    static const char bytes[33];
    static struct msg_own keys[LIM_OWN_KEYS + 1];
    struct msg in = {.type = MSG_GRANTED,
                     .id = 1,
                     .u.granted = {.did = SLICE("added"),
                                   .user = {name, LIM_NAME},
                                   .most = 4294967295,
                                   .host = {bytes, 32},
                                   .port = 65535}};
    struct msg msg;
    struct msg_fault fault;
    struct wire_doc doc;

    memset(name, 'n', sizeof(name) - 1);
    in.u.granted.perm = slice_of(name);
    for (size_t i = 0; i <= LIM_OWN_KEYS; i++)
        keys[i] = (struct msg_own){.key = {bytes, 32}, .why = {name, LIM_CODE}};
    in.u.granted.keys = (struct msg_own_list){keys, LIM_OWN_KEYS + 1};
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
    in.u.granted.keys.n = LIM_OWN_KEYS;
    ssize_t len = msg_encode(&in, buffer, sizeof(buffer));
    CU_ASSERT_FATAL(len > LIM_OWN_KEYS * (32 + LIM_CODE));
    CU_ASSERT_EQUAL_FATAL(msg_decode(&msg, &doc, buffer, (size_t)len, &fault), 0);
    CU_ASSERT_EQUAL(msg.u.granted.keys.n, LIM_OWN_KEYS);
    CU_ASSERT_EQUAL(msg.u.granted.port, 65535);
    wire_release(&doc);
    in.u.granted.port = 65536;
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
    in.u.granted.port = 0;
    in.u.granted.host.len = 31;
    CU_ASSERT_EQUAL(msg_encode(&in, buffer, sizeof(buffer)), -EINVAL);
}

#define KEY_31                                                                                     \
    "\xc4\x1f"                                                                                     \
    "0123456789abcdef0123456789abcde"
#define KEY_32                                                                                     \
    "\xc4\x20"                                                                                     \
    "0123456789abcdef0123456789abcdef"
#define KEY_33                                                                                     \
    "\xc4\x21"                                                                                     \
    "0123456789abcdef0123456789abcdef0"

static void a_grant_adds_or_takes_one_key(void)
{
    struct msg msg;
    struct msg_fault fault = {0};

    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 0, ""), 0);
    CU_ASSERT(!msg.u.grant.add.ptr && !msg.u.grant.take.ptr);
    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 1,
                        "\xa3"
                        "add" KEY_32),
                    0);
    CU_ASSERT_EQUAL(msg.u.grant.add.len, 32);
    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 1, "\xa4take" KEY_32), 0);
    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 1,
                        "\xa3"
                        "add" KEY_31),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "add");
    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 1, "\xa4take" KEY_33), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.at, "take");
    CU_ASSERT_EQUAL(RAW(MSG_GRANT, 1, 2,
                        "\xa3"
                        "add" KEY_32 "\xa4take" KEY_32),
                    -EBADMSG);
    CU_ASSERT_STRING_EQUAL(fault.code, "bad-message");
    CU_ASSERT_FALSE(fault.fatal);
}

static void hellos_are_bare_maps(void)
{
    struct msg_hello2 hello = {.v = 1}, read;
    struct msg_hello3 hello3;
    struct wire_doc doc;

    CU_ASSERT_EQUAL_FATAL(msg_encode_hello2(&hello, buffer, sizeof(buffer)), 4);
    CU_ASSERT_EQUAL(memcmp(buffer, "\x81\xa1v\x01", 4), 0);
    CU_ASSERT_EQUAL_FATAL(msg_decode_hello2(&read, &doc, buffer, 4), 0);
    CU_ASSERT_EQUAL(read.v, 1);
    wire_release(&doc);
    CU_ASSERT_EQUAL(msg_decode_hello3(&hello3, &doc, (const uint8_t *)"\x80", 1), -EBADMSG);
    CU_ASSERT_EQUAL(msg_decode_hello3(&hello3, &doc, (const uint8_t *)"\x90", 1), -EBADMSG);
    CU_ASSERT_EQUAL(msg_decode_hello3(&hello3, &doc, (const uint8_t *)"", 0), -EBADMSG);
}

/*
 * However the numbers before it are written, the body is what is compared when a SEND comes again.
 */
static void the_body_is_found_behind_any_envelope(void)
{
    static const struct slice heads[] = {
        SLICE("\x93\x01\x07"),
        SLICE("\xdc\x00\x03\xcc\x01\xcd\x00\x07"),
        SLICE("\xdd\x00\x00\x00\x03\xce\x00\x00\x00\x01\xcf\x00\x00\x00\x00\x00\x00\x00\x07"),
        SLICE("\x93\xd0\x01\xd3\x00\x00\x00\x00\x00\x00\x00\x07"),
        SLICE("\x93\xd1\x00\x01\xd2\x00\x00\x00\x07"),
    };
    static const struct slice body = SLICE("\x81\xa3pad\xc4\x01x");

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        uint8_t raw[64];
        struct msg msg;
        struct msg_fault fault;
        struct wire_doc doc;
        memcpy(raw, heads[i].ptr, heads[i].len);
        memcpy(raw + heads[i].len, body.ptr, body.len);
        CU_ASSERT_FATAL(msg_decode(&msg, &doc, raw, heads[i].len + body.len, &fault) == 0);
        CU_ASSERT(msg.type == MSG_NOOP && msg.id == 7);
        CU_ASSERT(slice_eq(msg.map, body));
        wire_release(&doc);
    }
}

static CU_TestInfo tests[] = {
    UNIT_TEST(send_survives_the_wire),
    UNIT_TEST(the_body_is_found_behind_any_envelope),
    UNIT_TEST(nested_maps_and_counts_survive),
    UNIT_TEST(what_is_no_message_is_fatal),
    UNIT_TEST(faults_of_numbers),
    UNIT_TEST(unknown_keys_are_ignored_but_for_those_with_a_mark),
    UNIT_TEST(faults_of_bytes),
    UNIT_TEST(faults_of_selectors),
    UNIT_TEST(writer_refuses_what_the_reader_would),
    UNIT_TEST(reader_refuses_beyond_limits),
    UNIT_TEST(text_is_left_to_its_judge),
    UNIT_TEST(unknown_types_are_told_apart),
    UNIT_TEST(an_event_tells_of_one_kind_of_thing),
    UNIT_TEST(misses_fit_into_a_frame),
    UNIT_TEST(granted_keys_fit_into_a_frame),
    UNIT_TEST(a_grant_adds_or_takes_one_key),
    UNIT_TEST(hellos_are_bare_maps),
    UNIT_END,
};

int main(void)
{
    return unit_run("messages", tests);
}
