/* SPDX-License-Identifier: MIT */
/* Whose messages a user wants: what the file says, and which files count. */
#include "common/receive.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define NAME_64 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij1234"

/* The wish, or `LINE: reason`. */
static const char *parse(const char *text, struct receive *ret_receive)
{
    static char fault[128];
    const char *reason;
    size_t line;

    if (receive_parse(slice_of(text), ret_receive, &line, &reason) == 0)
        return receive_words[ret_receive->wish];
    snprintf(fault, sizeof(fault), "%zu: %s", line, reason);
    return fault;
}

static void what_a_file_says(void)
{
    static const struct {
        const char *text, *wish;
    } rows[] = {
        {"", "on"},
        {"# nothing\n\n", "on"},
        {"on", "on"},
        {"off\n", "off"},
        {" \toff \r\n", "off"},
        {"# a\noff\n# b\n", "off"},
        {"only ann\n", "only"},
        {"only ann\nonly bob", "only"},
        {"only " NAME_64, "only"},
        {"only network:" NAME_64, "only"},
        {"only DOM\\ann ann@example.org", "only"},
        {"Off", "1: neither on, nor off, nor only NAMES"},
        {"yes", "1: neither on, nor off, nor only NAMES"},
        {"off.", "1: neither on, nor off, nor only NAMES"},
        {"off now", "1: more than one word"},
        {"on, off", "1: neither on, nor off, nor only NAMES"},
        {"only", "1: only whom?"},
        {"only ,, ,", "1: only whom?"},
        {"on\non", "2: a second wish"},
        {"off\n\n# c\non", "4: a second wish"},
        {"only ann\noff", "2: a second wish"},
        {"off\nonly ann", "2: a second wish"},
        {"only " NAME_64 "5", "1: a name has 1 to 64 bytes"},
        {"only network:" NAME_64 "5", "1: a name has 1 to 64 bytes"},
        {"only network:", "1: a name has 1 to 64 bytes"},
        {"only *", "1: neither the name of a user here nor network:NAME"},
        {"only ann, %staff", "1: neither the name of a user here nor network:NAME"},
        {"only Network:ann", "1: neither the name of a user here nor network:NAME"},
        {"only network:network:ann", "1: neither the name of a user here nor network:NAME"},
        {"only a\nonly b/c", "2: neither the name of a user here nor network:NAME"},
        {"on\1", "1: a control character, or a byte that is not UTF-8"},
        {"only \xc3", "1: a control character, or a byte that is not UTF-8"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct receive receive;
        CU_ASSERT_STRING_EQUAL(parse(rows[i].text, &receive), rows[i].wish);
    }
}

static bool hears(const char *text, const char *name, bool local)
{
    struct receive receive;

    CU_ASSERT_FATAL(strchr(parse(text, &receive), ':') == NULL);
    return receive_hears(&receive, slice_of(name), local);
}

static void who_is_heard(void)
{
    const char *some = "only ann,bob\tcarl ,\nonly  network:dora\n";

    CU_ASSERT(hears("on", "ann", true) && hears("on", "", false));
    CU_ASSERT(!hears("off", "ann", true) && !hears("off", "ann", false));
    CU_ASSERT(hears(some, "ann", true) && hears(some, "bob", true) && hears(some, "carl", true));
    CU_ASSERT(hears(some, "dora", false));
    CU_ASSERT(!hears(some, "Ann", true) && !hears(some, "an", true) && !hears(some, "anna", true));
    CU_ASSERT(!hears(some, "only", true) && !hears(some, "", true) && !hears(some, "", false));
}

/* Whatever a sender is called, and on whichever side he is. */
static void nobody_from_the_network_passes_for_a_user(void)
{
    CU_ASSERT(!hears("only ann", "ann", false));
    CU_ASSERT(!hears("only network:ann", "ann", true));
    CU_ASSERT(!hears("only network:ann", "network:ann", true));
    CU_ASSERT(!hears("only network:ann", "network:ann", false));
    CU_ASSERT(hears("only network:ann", "ann", false));
}

static const char *format(const char *word, const char *names)
{
    static char text[LIM_RECEIVE_FILE + 1];
    const char *reason;
    size_t len;
    int r = receive_format(slice_of(word), slice_of(names), text, &len, &reason);

    if (r == 0)
        CU_ASSERT_EQUAL(len, strlen(text));
    return r == -EFBIG ? "too big" : r < 0 ? reason : text;
}

static void what_is_written(void)
{
    CU_ASSERT_STRING_EQUAL(format("on", ""), "on\n");
    CU_ASSERT_STRING_EQUAL(format("off", " "), "off\n");
    CU_ASSERT_STRING_EQUAL(format("only", "ann, network:bob"), "only ann\nonly network:bob\n");
    CU_ASSERT_STRING_EQUAL(format("only", ""), "only whom?");
    CU_ASSERT_STRING_EQUAL(format("off", "ann"), "more than one word");
    CU_ASSERT_STRING_EQUAL(format("maybe", ""), "neither on, nor off, nor only NAMES");
    CU_ASSERT_STRING_EQUAL(format("only", "ann\nonly bob"), "only whom?");
}

/* `only NAME LF` 70 bytes each: 58 of them are 4,060 bytes. */
static void a_list_ends_with_the_file(void)
{
    char names[8192] = "";
    struct receive receive;

    for (int i = 0; i < 58; i++)
        strcat(names, NAME_64 ",");
    CU_ASSERT_EQUAL(strlen(format("only", names)), 58 * 70);
    CU_ASSERT_STRING_EQUAL(parse(format("only", names), &receive), "only");
    strcat(names, "123456789012345678901234567890");
    CU_ASSERT_EQUAL(strlen(format("only", names)), LIM_RECEIVE_FILE);
    strcat(names, "1");
    CU_ASSERT_STRING_EQUAL(format("only", names), "too big");
}

/* ---- the file -------------------------------------------------------------------------------- */

static int reads(const char *path)
{
    char text[LIM_RECEIVE_FILE + 1];
    size_t len = 0;
    int r = receive_read(path, geteuid(), text, &len);

    return r < 0 ? r : (int)len;
}

static void put_bytes(const char *path, size_t len)
{
    FILE *file = fopen(path, "w");

    for (size_t i = 0; file && i < len; i++)
        fputc('#', file);
    if (!file || fclose(file) != 0)
        abort();
}

static void which_files_count(void)
{
    const char *path = in_folder("receive"), *other = in_folder("other");
    char text[LIM_RECEIVE_FILE + 1];
    size_t len;

    CU_ASSERT_EQUAL(reads(path), -ENOENT);
    put_file(path, "off\n", 0600);
    CU_ASSERT_EQUAL(reads(path), 4);
    CU_ASSERT_EQUAL(receive_read(path, geteuid() + 1, text, &len), -EPERM);
    CU_ASSERT_EQUAL(symlink(path, other), 0);
    CU_ASSERT_EQUAL(reads(other), -ELOOP);
    CU_ASSERT_EQUAL(reads(folder), -EINVAL);
    CU_ASSERT_EQUAL(remove(other) | mkfifo(other, 0600), 0);
    CU_ASSERT_EQUAL(reads(other), -EINVAL); /* at once: nobody writes to it */
    CU_ASSERT_EQUAL(reads("/dev/null"), -EINVAL);
    put_bytes(path, LIM_RECEIVE_FILE);
    CU_ASSERT_EQUAL(reads(path), LIM_RECEIVE_FILE);
    put_bytes(path, LIM_RECEIVE_FILE + 1);
    CU_ASSERT_EQUAL(reads(path), -EFBIG);
}

/* Who holds a lease on a file is given time to let it go, and whoever opens it waits. */
static void a_lease_holds_nobody_up(void)
{
    const char *path = in_folder("leased");
    int fd;

    put_file(path, "off\n", 0600);
    signal(SIGIO, SIG_IGN); /* by which the holder is asked to let go */
    fd = open(path, O_RDWR);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
        unit_skip("no leases here");
    else
        CU_ASSERT_EQUAL(reads(path), -EAGAIN);
    close(fd);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(what_a_file_says),
        UNIT_TEST(who_is_heard),
        UNIT_TEST(nobody_from_the_network_passes_for_a_user),
        UNIT_TEST(what_is_written),
        UNIT_TEST(a_list_ends_with_the_file),
        UNIT_TEST(which_files_count),
        UNIT_TEST(a_lease_holds_nobody_up),
        UNIT_END,
    };

    folder_make();
    int status = unit_run("receive", tests);
    folder_remove();
    return status;
}
