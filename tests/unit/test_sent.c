/* SPDX-License-Identifier: MIT */
/* The messages that were sent of late: lines, looking one up, and the file. */
#include "client/sent.h"

#include "client/print.h"
#include "common/mem.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <sys/stat.h>

#define UID_A "00112233445566778899aabbccddeeff" /* 00H2 4K... */
#define UID_B "ffeeddccbbaa99887766554433221100"

static int parse(const char *line, struct sent *sent)
{
    return sent_parse(slice_of(line), sent);
}

static void test_lines(void)
{
    struct sent sent = {.at_s = 7};
    char line[SENT_LINE], longest[320];

    CU_ASSERT_EQUAL(parse(UID_A " 1795390970 we [2001:db8::1]:99", &sent), 0);
    CU_ASSERT_EQUAL(sent.uid[1], 0x11);
    CU_ASSERT_EQUAL(sent.at_s, 1795390970);
    CU_ASSERT_TRUE(sent.wait && sent.each);
    CU_ASSERT_EQUAL(sent_format(&sent, line), 0);
    CU_ASSERT_STRING_EQUAL(line, UID_A " 1795390970 we [2001:db8::1]:99");
    CU_ASSERT_EQUAL(parse(UID_B " 0 - h2", &sent), 0);
    CU_ASSERT_FALSE(sent.wait || sent.each);
    CU_ASSERT_EQUAL(parse(UID_B " 0 e h2", &sent), 0);
    CU_ASSERT_TRUE(sent.each && !sent.wait);
    for (size_t len = 255; len <= 256; len++) {
        snprintf(longest, sizeof(longest), UID_B " 0 w %0*d", (int)len, 0);
        CU_ASSERT_EQUAL(parse(longest, &sent), len == 255 ? 0 : -EBADMSG);
    }
    CU_ASSERT_EQUAL(sent_format(&sent, line), 0); /* the longest */
    strcpy(sent.server, "/a b");
    CU_ASSERT_EQUAL(sent_format(&sent, line), -EBADMSG);
}

static void test_what_is_no_line(void)
{
    static const char *const none[] = {
        "",
        "x",
        UID_A,
        UID_A " 1 w",
        UID_A " 1 w h2 more",
        UID_A "0 1 w h2",
        "0112233445566778899aabbccddeeff 1 w h2",
        "0g112233445566778899aabbccddeeff 1 w h2",
        UID_A " -1 w h2",
        UID_A " 9223372036854775808 w h2",
        UID_A " 1 x h2",
        UID_A " 1 ew h2",
    };
    struct sent sent = {.at_s = 7};

    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        CU_ASSERT_EQUAL(parse(none[i], &sent), -EBADMSG);
        CU_ASSERT_EQUAL(sent.at_s, 7);
    }
}

static int search(const char *text, const char *id, struct sent *sent)
{
    return sent_search(slice_of(text), id, sent);
}

static void test_search(void)
{
    static const char two[] = UID_A " 1 w h2\nbroken\n" UID_B " 2 - /a\n";
    struct sent sent;
    char id[8], lower[3] = "";

    CU_ASSERT_EQUAL(search("", "", &sent), -ENOENT);
    CU_ASSERT_EQUAL(search("\n", "", &sent), -ENOENT);
    CU_ASSERT_EQUAL(search(two, "", &sent), 0);
    CU_ASSERT_EQUAL(sent.at_s, 2);
    CU_ASSERT_EQUAL(search(two, "0", &sent), 0);
    CU_ASSERT_EQUAL(sent.at_s, 1);
    parse(UID_B " 2 - /a", &sent);
    print_uid(sent.uid, id);
    CU_ASSERT_EQUAL(search(two, id, &sent), 0);
    CU_ASSERT_EQUAL(sent.at_s, 2);
    lower[0] = (char)(id[0] | 0x20);
    CU_ASSERT_EQUAL(search(two, lower, &sent), 0);
    CU_ASSERT_EQUAL(search(two, "0Z", &sent), -ENOENT);
    CU_ASSERT_EQUAL(search(two, "00112233", &sent), -ENOENT); /* longer than an id */
    CU_ASSERT_EQUAL(search(UID_A " 1 w h2\n00ff2233445566778899aabbccddeeff 2 w h2\n", "0", &sent),
                    -EEXIST);
    CU_ASSERT_EQUAL(search(UID_A " 1 w h2\n" UID_A " 3 w h2", "0", &sent), 0);
    CU_ASSERT_EQUAL(sent.at_s, 3);
}

static void test_only_the_last_count(void)
{
    char text[(SENT_KEPT + 2) * 64] = "";
    struct sent sent;

    for (int i = 0; i <= SENT_KEPT; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %d w h2\n",
                 i == 0 ? UID_A : UID_B, i);
    CU_ASSERT_EQUAL(search(text, "0", &sent), -ENOENT);
    CU_ASSERT_EQUAL(search(strchr(text, '\n') + 1, "Z", &sent), 0);
    *strrchr(text, '\n') = '\0';
    CU_ASSERT_EQUAL(search(text, "0", &sent), -ENOENT);
    *strrchr(text, '\n') = '\0'; /* one less */
    CU_ASSERT_EQUAL(search(text, "0", &sent), 0);
}

static void test_file(void)
{
    struct sent sent = {.at_s = 1, .wait = true, .server = "h2"}, found;
    struct diag diag;
    struct stat st;
    char path[PATH_MAX];

    folder_make();
    snprintf(path, sizeof(path), "%s/msg/sent", folder);
    CU_ASSERT_EQUAL(sent_find(path, "", &found, &diag), -ENOENT);
    CU_ASSERT_STRING_EQUAL(diag.text, "no message that was sent from here is remembered");
    for (uint64_t i = 1; i <= 300; i++) {
        sent.at_s = i;
        sent.uid[3] = (uint8_t)i;
        CU_ASSERT_EQUAL(sent_add(path, &sent, &diag), 0);
    }
    CU_ASSERT_EQUAL(sent_find(path, "", &found, &diag), 0);
    CU_ASSERT_EQUAL(found.at_s, 300);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_TRUE(st.st_size < 8192);
    CU_ASSERT_EQUAL(sent_find(path, "ZZ", &found, &diag), -ENOENT);
    CU_ASSERT_STRING_EQUAL(diag.text, "no message that was sent from here has the id ZZ");
    CU_ASSERT_EQUAL(chmod(path, 0644), 0);
    CU_ASSERT_EQUAL(sent_find(path, "", &found, &diag), -EPERM);
    CU_ASSERT_EQUAL(sent_add(path, &sent, &diag), -EPERM);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(symlink("elsewhere", path), 0);
    CU_ASSERT_TRUE(sent_add(path, &sent, &diag) < 0);
    folder_remove();
}

static void test_server(void)
{
    struct sent sent = {.server = "/run/msgd/msgd.sock"};
    struct call_server server;

    CU_ASSERT_TRUE(sent_server(&sent, &server));
    CU_ASSERT_TRUE(server.local && !server.own_uid_too);
    strcpy(sent.server, "/tmp/mine");
    CU_ASSERT_TRUE(sent_server(&sent, &server));
    CU_ASSERT_TRUE(server.local && server.own_uid_too);
    strcpy(sent.server, "h2:99");
    CU_ASSERT_TRUE(sent_server(&sent, &server));
    CU_ASSERT_EQUAL(server.port, 99);
    strcpy(sent.server, "h2:0");
    CU_ASSERT_FALSE(sent_server(&sent, &server));
}

int main(void)
{
    CU_TestInfo tests[] = {UNIT_TEST(test_lines),
                           UNIT_TEST(test_what_is_no_line),
                           UNIT_TEST(test_search),
                           UNIT_TEST(test_only_the_last_count),
                           UNIT_TEST(test_file),
                           UNIT_TEST(test_server),
                           UNIT_END};
    return sodium_init() < 0 ? 2 : unit_run("sent", tests);
}
