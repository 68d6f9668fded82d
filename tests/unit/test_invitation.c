/* SPDX-License-Identifier: MIT */
/* Tickets: their bytes, their rights, their files; and the record of who used them. */
#include "common/enrolled.h"
#include "common/file.h"
#include "common/keys.h"
#include "common/ticket_file.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#define ID    "0123456789abcdef"
#define ID_2  "fedcba9876543210"
#define KEY   "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HEAD  "msg-invitation-v1\nid: " ID "\nuntil: 1767355200\nkey: " KEY "\n"
#define WHOLE HEAD "line: to=bob who alice\n"

static const uint8_t id[ENROL_ID] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const uint8_t id_2[ENROL_ID] = {0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
static struct noise_public key_a, key_b;

/* ---- a ticket's bytes ------------------------------------------------------------------------ */

static void test_a_ticket(void)
{
    char text[INVITATION_TICKET];
    struct ticket ticket;

    CU_ASSERT_EQUAL_FATAL(ticket_parse(SLICE(WHOLE), &ticket, NULL), 0);
    CU_ASSERT_EQUAL(memcmp(ticket.id, id, ENROL_ID), 0);
    CU_ASSERT_EQUAL(ticket.until, 1767355200);
    CU_ASSERT_EQUAL(ticket.key.bytes[0], 2);
    CU_ASSERT_STRING_EQUAL(ticket.name, "alice");
    CU_ASSERT_STRING_EQUAL(ticket.line, "to=bob who alice");
    CU_ASSERT(slice_eq(ticket_rights(&ticket), SLICE("to=bob who")));
    size_t len = ticket_format(&ticket, text);
    CU_ASSERT(slice_eq((struct slice){text, len}, SLICE(WHOLE)));
}

static void refused(const char *text, const char *what)
{
    struct ticket ticket = {.until = 7};
    struct diag diag = {""};

    CU_ASSERT_EQUAL(ticket_parse(slice_of(text), &ticket, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, what));
    CU_ASSERT_EQUAL(ticket.until, 7);
}

static void test_tickets_that_are_none(void)
{
    refused("", "first line");
    refused("msg-invitation-v2\n", "first line");
    refused("msg-invitation-v1", "first line");
    refused("msg-invitation-v1 \n", "first line");
    refused("msg-invitation-v1\nid: 0123456789ABCDEF\n", "second line");
    refused("msg-invitation-v1\nid: 0123456789abcde\n", "second line");
    refused("msg-invitation-v1\nid: " ID "0\n", "second line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: \n", "third line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: 01\n", "third line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: -1\n", "third line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: 4294967296\n", "third line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: 4294967295\nkey: x\n", "fourth line");
    refused("msg-invitation-v1\nid: " ID "\nuntil: 1\nkey: " KEY "A\n", "fourth line");
    refused(HEAD, "fifth line");
    refused(HEAD "line: alice", "fifth line");
    refused(HEAD "line: alice\n\n", "fifth line");
    refused(HEAD "line: alice\nmore\n", "fifth line");
    refused(HEAD "line: \n", "");
    refused(HEAD "line: alice \n", "blank");
    refused(HEAD "line: all\n", "no name");
    refused(HEAD "line: nothing=1 alice\n", "unknown option");
    refused(HEAD "line: \x01 alice\n", "control character");
}

static void test_the_line(void)
{
    static char text[LIM_TRUST_LINE + 2];
    struct ticket ticket = {.name = "kept"};
    struct diag diag = {""};
    size_t longest = LIM_TRUST_LINE - INVITATION_NAME - KEY_TEXT_LEN - 2;

    CU_ASSERT_EQUAL(ticket_set_line(&ticket, SLICE("alice"), &diag), 0);
    CU_ASSERT_EQUAL(ticket_rights(&ticket).len, 0);
    CU_ASSERT_EQUAL(ticket_set_line(&ticket, SLICE("alice\n" KEY_A " bob"), &diag), -EBADMSG);
    CU_ASSERT_EQUAL(ticket_set_line(&ticket, SLICE("to=%a/b alice"), &diag), -EBADMSG);
    CU_ASSERT_EQUAL(ticket_set_line(&ticket, SLICE("alice\0 all bob"), &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(ticket.name, "alice");
    for (size_t len = longest; len <= longest + 1; len++) {
        memcpy(text, "to=", 3);
        memset(text + 3, 'b', len);
        for (size_t i = 60; i < len; i += 60)
            text[i] = ',';
        memcpy(text + len - 6, "b bill", 6);
        CU_ASSERT_EQUAL(ticket_set_line(&ticket, (struct slice){text, len}, &diag),
                        len == longest ? 0 : -EBADMSG);
    }
    CU_ASSERT_STRING_EQUAL(ticket.name, "bill");
}

static bool admits(const char *line, const char *address, int64_t now_s)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct ticket ticket;

    inet_pton(AF_INET, address, &from.sin_addr);
    CU_ASSERT_EQUAL_FATAL(ticket_set_line(&ticket, slice_of(line), NULL), 0);
    return ticket_admits(&ticket, (struct sockaddr *)&from, now_s);
}

static void test_whom_it_admits(void)
{
    CU_ASSERT(admits("alice", "192.0.2.1", 1));
    CU_ASSERT(admits("from=192.0.2.0/24 alice", "192.0.2.1", 1));
    CU_ASSERT_FALSE(admits("from=192.0.2.0/24 alice", "198.51.100.1", 1));
    CU_ASSERT(admits("expires=2027-02-28 alice", "192.0.2.1", 1803859199));
    CU_ASSERT_FALSE(admits("expires=2027-02-28 alice", "192.0.2.1", 1803859200));
}

/* ---- a ticket's file ------------------------------------------------------------------------- */

static void test_a_file(void)
{
    struct ticket ticket, read;
    struct diag diag;
    struct stat st;

    folder_make();
    CU_ASSERT_EQUAL(ticket_parse(SLICE(WHOLE), &ticket, NULL), 0);
    CU_ASSERT_EQUAL(ticket_load(folder, ID, &read, &diag), -ENOENT);
    CU_ASSERT_EQUAL_FATAL(ticket_store(folder, &ticket, &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder(ID)), WHOLE);
    CU_ASSERT(stat(in_folder(ID), &st) == 0 && (st.st_mode & 07777) == 0640);
    CU_ASSERT_EQUAL(ticket_load(folder, ID, &read, &diag), 0);
    CU_ASSERT_EQUAL(memcmp(&read.key, &ticket.key, sizeof(read.key)), 0);
    CU_ASSERT_EQUAL(rename(in_folder(ID), in_folder(ID_2)), 0);
    CU_ASSERT_EQUAL(ticket_load(folder, ID_2, &read, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(ticket_remove(folder, id, &diag), -ENOENT);
    CU_ASSERT_EQUAL(ticket_remove(folder, id_2, &diag), 0);
    folder_remove();
}

static void test_a_file_that_others_can_read(void)
{
    static const mode_t modes[] = {0644, 0641, 0660, 0642};
    struct ticket read;
    struct diag diag;

    folder_make();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        put_file(in_folder(ID), WHOLE, modes[i]);
        CU_ASSERT_EQUAL(ticket_load(folder, ID, &read, &diag), -EPERM);
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "chmod 640"));
    }
    put_file(in_folder(ID), WHOLE, 0600);
    CU_ASSERT_EQUAL(ticket_load(folder, ID, &read, &diag), 0);
    folder_remove();
}

/* ---- who used them --------------------------------------------------------------------------- */

static void test_the_record(void)
{
    static const char text[] = "# comment\n\n" ID " " KEY_A " to=bob alice\n" ID_2 "\n";
    const uint8_t nobodys[ENROL_ID] = {0};
    struct enrolled enrolled;

    CU_ASSERT_EQUAL_FATAL(enrolled_parse("f", SLICE(text), &enrolled, NULL), 0);
    CU_ASSERT(enrolled_used(&enrolled, id));
    CU_ASSERT(enrolled_used(&enrolled, id_2));
    CU_ASSERT_FALSE(enrolled_used(&enrolled, nobodys));
    CU_ASSERT_EQUAL(enrolled.keys.count, 1);
    CU_ASSERT_EQUAL(enrolled.keys.keys[0].line, 3);
    CU_ASSERT_STRING_EQUAL(enrolled.keys.keys[0].name, "alice");
    CU_ASSERT(authorized_key_reaches(&enrolled.keys.keys[0], SLICE("bob"), false));
    enrolled_free(&enrolled);
}

static void broken(const char *text, const char *what)
{
    struct enrolled enrolled;
    struct diag diag = {""};

    CU_ASSERT_EQUAL(enrolled_parse("f", slice_of(text), &enrolled, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, what));
}

static void test_records_that_are_none(void)
{
    broken(KEY_A " alice\n", "f:1: the line does not begin with 16 hex digits");
    broken("\n" ID " nonsense alice\n", "f:2: ");
    broken(ID " " KEY_A "\n", "f:1: no name");
    broken(ID " " KEY_A " a\n" ID " " KEY_B " b\n", "f:2: this invitation was used above");
    broken(ID "\n" ID_2 "\n\n" ID_2 "\n" ID "\n", "f:4: this invitation was used above");
    broken(ID_2 "\n" ID "\n\n" ID_2 "\n" ID "\n", "f:4: this invitation was used above");
    broken(ID " " KEY_A " a\n" ID_2 " " KEY_A " b\n", "f:2: the key is also in line 1");
    broken(ID " " KEY_A " a\n\x01\n", "f:2: ");
}

/* The processor time of reading so many ids, in clock()'s units. */
static clock_t time_of(unsigned count)
{
    static char text[80000 * (INVITATION_NAME + 1) + 1];
    struct enrolled enrolled;
    size_t len = 0;

    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%016x\n", i * 2654435761u);
    clock_t before = clock();
    CU_ASSERT_EQUAL_FATAL(enrolled_parse("f", (struct slice){text, len}, &enrolled, NULL), 0);
    clock_t passed = clock() - before;
    CU_ASSERT_EQUAL(enrolled.count, count);
    enrolled_free(&enrolled);
    return passed;
}

/* Four times as many take about four times as long, not sixteen times. */
static void test_a_long_record(void)
{
    CU_ASSERT(time_of(80000) < 9 * time_of(20000) + CLOCKS_PER_SEC / 50);
}

static void test_adding(void)
{
    char file[PATH_MAX];
    struct diag diag = {""};
    struct stat st;

    folder_make();
    snprintf(file, sizeof(file), "%s", in_folder("enrolled"));
    CU_ASSERT_EQUAL_FATAL(enrolled_add(file, id, &key_a, "to=bob alice", &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(file), ID " " KEY_A " to=bob alice\n");
    CU_ASSERT(stat(file, &st) == 0 && (st.st_mode & 07777) == 0600);
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_b, "bob", &diag), -EEXIST);
    CU_ASSERT_EQUAL(enrolled_add(file, id_2, &key_a, "bob", &diag), -EBADMSG);
    CU_ASSERT_EQUAL(enrolled_add(file, id_2, &key_b, "nonsense", &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(file),
                           ID " " KEY_A " to=bob alice\n" ID_2 " " KEY_B " nonsense\n");
    folder_remove();
}

/* Whatever a crash leaves behind, a reader sees the old record or the new one. */
static void test_adding_after_a_crash(void)
{
    char file[PATH_MAX];
    struct diag diag = {""};

    folder_make();
    snprintf(file, sizeof(file), "%s", in_folder("enrolled"));
    put_file(in_folder("enrolled.aBcDeF"), ID " " KEY_A " to=b", 0600); /* an unfinished one */
    put_file(file, ID_2 " " KEY_B " bob", 0600);                        /* and no LF at the end */
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_a, "alice", &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(file), ID_2 " " KEY_B " bob\n" ID " " KEY_A " alice\n");
    folder_remove();
}

/* Comments are not judged, and not lost. */
static void test_adding_behind_a_comment_of_any_bytes(void)
{
    static const char old[] = "# a\0b\n" ID_2 " " KEY_B " bob\n";
    static const char wanted[] = "# a\0b\n" ID_2 " " KEY_B " bob\n" ID " " KEY_A " alice\n";
    char file[PATH_MAX];
    struct diag diag = {""};
    struct stat st;

    folder_make();
    snprintf(file, sizeof(file), "%s", in_folder("enrolled"));
    CU_ASSERT_EQUAL(file_replace(file, SLICE(old), 0600, &diag), 0);
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_a, "alice", &diag), 0);
    CU_ASSERT(stat(file, &st) == 0 && st.st_size == sizeof(wanted) - 1);
    CU_ASSERT_EQUAL(memcmp(get_file(file), wanted, sizeof(wanted)), 0);
    folder_remove();
}

static void test_adding_to_what_is_broken(void)
{
    char file[PATH_MAX];
    struct diag diag = {""};

    folder_make();
    snprintf(file, sizeof(file), "%s", in_folder("enrolled"));
    put_file(file, "oops\n", 0600);
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_a, "alice", &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(get_file(file), "oops\n");
    put_file(file, "", 0622);
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_a, "alice", &diag), -EPERM);
    CU_ASSERT_EQUAL(unlink(file), 0);
    CU_ASSERT_EQUAL(enrolled_add(in_folder("no/enrolled"), id, &key_a, "alice", &diag), -ENOENT);
    CU_ASSERT_EQUAL(enrolled_add(file, id, &key_a, "to=%a/b alice", &diag), -EBADMSG);
    CU_ASSERT_EQUAL(access(file, F_OK), -1);
    folder_remove();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_a_ticket),
        UNIT_TEST(test_tickets_that_are_none),
        UNIT_TEST(test_the_line),
        UNIT_TEST(test_whom_it_admits),
        UNIT_TEST(test_a_file),
        UNIT_TEST(test_a_file_that_others_can_read),
        UNIT_TEST(test_the_record),
        UNIT_TEST(test_records_that_are_none),
        UNIT_TEST(test_a_long_record),
        UNIT_TEST(test_adding),
        UNIT_TEST(test_adding_after_a_crash),
        UNIT_TEST(test_adding_behind_a_comment_of_any_bytes),
        UNIT_TEST(test_adding_to_what_is_broken),
        UNIT_END,
    };

    if (sodium_init() < 0 || key_parse(SLICE(KEY_A), &key_a) < 0 ||
        key_parse(SLICE(KEY_B), &key_b) < 0)
        return 2;
    return unit_run("invitation", tests);
}
