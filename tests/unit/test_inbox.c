/* SPDX-License-Identifier: MIT */
/* The receiver's side: what /LIST prints, whatever a server says; and answers about a key. */
#include "client/inbox.h"
#include "common/keys.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct inbox inbox;
static char *printed;
static size_t printed_len;

static struct speaker speaker(void)
{
    return (struct speaker){.out = open_memstream(&printed, &printed_len), .err = stderr};
}

static void add(struct msg_message message)
{
    struct msg msg = {.type = MSG_EVENT};

    message.from = SLICE("alice (this host)");
    message.sess = SLICE("pts/3");
    message.at = 5 * 60000;
    msg.u.events.message = message;
    CU_ASSERT_EQUAL(inbox_take(&inbox, &msg), 0);
}

static void printed_is(struct speaker *used, const char *wanted)
{
    fclose(used->out);
    CU_ASSERT_STRING_EQUAL(printed, wanted);
    if (strcmp(printed, wanted) != 0)
        printf("\n  said: %s", printed);
    free(printed);
    inbox_release(&inbox);
}

static void test_list(void)
{
    struct speaker used = speaker();
    const struct inbox_message *one = NULL;

    add((struct msg_message){.number = 7,
                             .st = SLICE("displayed"),
                             .wait = true,
                             .text = SLICE("The server goes down at 18:00.\nSave your work")});
    add((struct msg_message){.number = 123,
                             .st = SLICE("acknowledged"),
                             .ended = 6 * 60000,
                             .title = SLICE("Lunch"),
                             .text = SLICE("now")});
    add((struct msg_message){.number = 124, .st = SLICE("displayed"), .text = SLICE("a\x1b[2J")});
    CU_ASSERT_EQUAL(inbox_waiting(&inbox, &one), 1);
    CU_ASSERT_EQUAL(one->number, 7);
    inbox_print(&inbox, &used);
    printed_is(&used, "*  7  00:05  alice (this host): The server goes down at 18:00.\n"
                      " 123  00:05  alice (this host): Lunch  [acknowledged 00:06]\n"
                      " 124  00:05  alice (this host): a\\x1B[2J  [displayed]\n");
}

static void test_one_in_full(void)
{
    static const struct slice LABELS[] = {SLICE("Yes"), SLICE("No\x1b")};
    struct speaker used = speaker();

    add((struct msg_message){.number = 7,
                             .st = SLICE("displayed"),
                             .wait = true,
                             .title = SLICE("Title"),
                             .text = SLICE("a\tb\n\n| c\x1b\n"),
                             .answers = {LABELS, 2}});
    inbox_print_full(&inbox.messages[0], &used);
    printed_is(&used, "Message 7 from alice (this host) to pts/3, 00:05\n"
                      "| Title\n"
                      "| a\tb\n"
                      "| \n"
                      "| | c\\x1B\n"
                      "| \n"
                      "Answers: 1 Yes, 2 No\\x1B\n"
                      "To confirm that you have read this, type: msg /ack 7\n");
    used = speaker();
    add((struct msg_message){
        .number = 7, .st = SLICE("timed-out"), .ended = 60000, .text = SLICE("x")});
    inbox_print_full(&inbox.messages[0], &used);
    printed_is(&used, "Message 7 from alice (this host) to pts/3, 00:05\n| x\n[timed-out 00:01]\n");
}

static void test_a_list_without_end(void)
{
    for (size_t i = 0; i < INBOX_MAX + 1; i++)
        add((struct msg_message){.number = 7, .st = SLICE("displayed"), .text = SLICE("x")});
    CU_ASSERT_EQUAL(inbox.n, INBOX_MAX);
    inbox_release(&inbox);
}

static void test_times(void)
{
    char out[8];

    CU_ASSERT_STRING_EQUAL(inbox_time(0, out).ptr, "00:00");
    CU_ASSERT_STRING_EQUAL(inbox_time(UINT64_MAX, out).ptr, "--:--");
    CU_ASSERT_STRING_EQUAL(inbox_time(23 * 3600000 + 59 * 60000, out).ptr, "23:59");
}

static void test_answers_about_a_key(void)
{
    struct noise_public key = {{1, 2, 3}}, other = {{9}};
    char text[KEY_TEXT_LEN + 1], typed[80];

    CU_ASSERT_EQUAL(trust_answer("yes\n", &key), TRUST_ANSWER_YES);
    CU_ASSERT_EQUAL(trust_answer(" YES \r\n", &key), TRUST_ANSWER_YES);
    CU_ASSERT_EQUAL(trust_answer("no\n", &key), TRUST_ANSWER_NO);
    CU_ASSERT_EQUAL(trust_answer("y\n", &key), TRUST_ANSWER_AGAIN);
    CU_ASSERT_EQUAL(trust_answer("yes!\n", &key), TRUST_ANSWER_AGAIN);
    CU_ASSERT_EQUAL(trust_answer("\n", &key), TRUST_ANSWER_AGAIN);
    CU_ASSERT_EQUAL(trust_answer("x25519:AAAA\n", &key), TRUST_ANSWER_AGAIN);
    key_format(&key, text);
    snprintf(typed, sizeof(typed), "  %s\n", text);
    CU_ASSERT_EQUAL(trust_answer(typed, &key), TRUST_ANSWER_YES);
    CU_ASSERT_EQUAL(trust_answer(typed, &other), TRUST_ANSWER_OTHER_KEY);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_list),
        UNIT_TEST(test_one_in_full),
        UNIT_TEST(test_a_list_without_end),
        UNIT_TEST(test_times),
        UNIT_TEST(test_answers_about_a_key),
        UNIT_END,
    };

    setenv("TZ", "UTC", 1);
    return unit_run("inbox", tests);
}
