/* SPDX-License-Identifier: MIT */
/* msgd's open invitations: the folder is followed, and each ENROL judged. */
#include "daemon/net_tickets.h"

#include "common/log.h"
#include "common/ticket_file.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <string.h>

#define NOW 1767355200

static const uint8_t hash[NOISE_HASH] = {7};
static struct tickets *tickets;
static struct enrolled enrolled;
static uint64_t now_ms;

/* A ticket of this number, kept in the folder. */
static struct ticket keep(uint8_t number, int64_t until)
{
    struct ticket ticket = {.id = {number}, .until = until, .key.bytes = {number}};

    CU_ASSERT_EQUAL_FATAL(ticket_set_line(&ticket, SLICE("alice"), NULL), 0);
    CU_ASSERT_EQUAL_FATAL(ticket_store(folder, &ticket, NULL), 0);
    return ticket;
}

static void start(void)
{
    folder_make();
    CU_ASSERT_EQUAL_FATAL(tickets_new(&tickets, folder), 0);
}

static void end(void)
{
    tickets_free(tickets);
    folder_remove();
}

static enum ticket_verdict judge(const struct ticket *ticket, int64_t now_s)
{
    const struct ticket *found = NULL;
    uint8_t mac[ENROL_MAC];

    tickets_refresh(tickets, now_ms);
    enrol_mac(&ticket->key, ENROL_CLIENT, hash, mac);
    enum ticket_verdict verdict =
        tickets_judge(tickets, &enrolled, ticket->id, mac, hash, now_s, &found);
    CU_ASSERT_EQUAL(verdict == TICKET_GOOD, found != NULL);
    if (found)
        CU_ASSERT_EQUAL(memcmp(found->id, ticket->id, ENROL_ID), 0);
    return verdict;
}

static void test_each_verdict(void)
{
    start();
    struct ticket first = keep(1, NOW), second = keep(2, NOW + 5), other = second;
    CU_ASSERT_EQUAL(judge(&first, NOW), TICKET_GOOD);
    CU_ASSERT_EQUAL(judge(&second, NOW), TICKET_GOOD);
    CU_ASSERT_EQUAL(judge(&first, NOW + 1), TICKET_LATE);
    CU_ASSERT_EQUAL(judge(&first, NOW - INVITATION_LONGEST), TICKET_GOOD);
    CU_ASSERT_EQUAL(judge(&first, NOW - INVITATION_LONGEST - 1), TICKET_LATE);
    other.key = first.key;
    CU_ASSERT_EQUAL(judge(&other, NOW), TICKET_WRONG);
    other.id[0] = 9;
    CU_ASSERT_EQUAL(judge(&other, NOW), TICKET_UNKNOWN);
    struct enrolled_use used = {.id = {1}};
    enrolled = (struct enrolled){.used = &used, .count = 1};
    CU_ASSERT_EQUAL(judge(&first, NOW), TICKET_USED);
    CU_ASSERT_EQUAL(judge(&second, NOW), TICKET_GOOD);
    enrolled = (struct enrolled){.used = NULL};
    end();
}

static void test_the_folder_is_followed(void)
{
    start();
    struct ticket first = keep(1, NOW);
    CU_ASSERT_EQUAL(judge(&first, NOW), TICKET_GOOD);
    CU_ASSERT_EQUAL(ticket_remove(folder, first.id, NULL), 0);
    now_ms += LIM_FILE_RECHECK;
    CU_ASSERT_EQUAL(judge(&first, NOW), TICKET_UNKNOWN);
    end();
    struct ticket gone = {.id = {1}};
    CU_ASSERT_EQUAL_FATAL(tickets_new(&tickets, in_folder("none")), 0);
    CU_ASSERT_EQUAL(judge(&gone, NOW), TICKET_UNKNOWN);
    tickets_free(tickets);
}

static void test_what_cannot_be_believed_is_absent(void)
{
    start();
    struct ticket first = keep(1, NOW), second = keep(2, NOW);
    put_file(in_folder("not-an-id"), "x", 0644);
    put_file(in_folder("00000000000000ff"), "x", 0640);
    CU_ASSERT_EQUAL(chmod(in_folder("0100000000000000"), 0644), 0);
    CU_ASSERT_EQUAL(judge(&first, NOW), TICKET_UNKNOWN);
    CU_ASSERT_EQUAL(judge(&second, NOW), TICKET_GOOD);
    end();
}

static void test_there_are_bounds(void)
{
    static struct ticket all[LIM_INVITATIONS + 1];
    unsigned good = 0;

    start();
    for (int i = 0; i <= LIM_INVITATIONS; i++) {
        all[i] = (struct ticket){.id = {(uint8_t)i, (uint8_t)(i >> 8), 1}, .until = NOW};
        CU_ASSERT_EQUAL(ticket_set_line(&all[i], SLICE("a"), NULL), 0);
        CU_ASSERT_EQUAL(ticket_store(folder, &all[i], NULL), 0);
    }
    for (int i = 0; i <= LIM_INVITATIONS; i++)
        good += judge(&all[i], NOW) == TICKET_GOOD;
    CU_ASSERT_EQUAL(good, LIM_INVITATIONS);
    end();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_each_verdict),
        UNIT_TEST(test_the_folder_is_followed),
        UNIT_TEST(test_what_cannot_be_believed_is_absent),
        UNIT_TEST(test_there_are_bounds),
        UNIT_END,
    };

    log_start("test_tickets", LOG_ERR, LOG_STYLE_PLAIN);
    return sodium_init() < 0 ? 2 : unit_run("tickets", tests);
}
