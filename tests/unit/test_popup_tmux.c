/* SPDX-License-Identifier: MIT */
/* What tmux prints, where its sockets are, and what it is told to show in its status line. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/popup_clients.h"
#include "daemon/popup_listeners.h"
#include "daemon/popup_sockets.h"
#include "daemon/popup_status.h"
#include "tests/unit/unit.h"

/* ---- the list of clients --------------------------------------------------------------------- */

static struct client client;

static int found(const char *list)
{
    memset(&client, 0, sizeof(client));
    return client_find(slice_of(list), "/dev/pts/3", &client);
}

static void a_client_is_found_by_its_terminal(void)
{
    CU_ASSERT_EQUAL(found("/dev/pts/30 1 80 24 0 3.3a\n/dev/pts/3 1795389010 120 50 0 3.5a\n"), 0);
    CU_ASSERT_EQUAL(client.active_s, 1795389010);
    CU_ASSERT_EQUAL(client.columns, 120);
    CU_ASSERT_EQUAL(client.lines, 50);
    CU_ASSERT_STRING_EQUAL(client.version, "3.5a");
    CU_ASSERT_EQUAL(found("/dev/pts/3 1 80 24 0 next-3.6"), 0); /* no line's end */
    CU_ASSERT_EQUAL(found(""), -ENOENT);
    CU_ASSERT_EQUAL(found("\n\n \n"), -ENOENT);
    CU_ASSERT_EQUAL(found("/dev/pts/30 1 80 24 0 3.3a\n/dev/pts/ 3 1 80 24 0 3.3a\n"), -ENOENT);
    CU_ASSERT_EQUAL(found("x /dev/pts/3 1 80 24 0 3.3a\n"), -ENOENT);
}

static void a_client_in_control_mode_shows_nothing(void)
{
    CU_ASSERT_EQUAL(found("/dev/pts/3 1 80 24 1 3.3a\n"), -ENOENT);
}

static void a_line_that_is_not_as_asked_is_refused(void)
{
    static const char *const lines[] = {
        "/dev/pts/3",
        "/dev/pts/3 ",
        "/dev/pts/3 1 80 24 0",
        "/dev/pts/3 1 80 24 0 ",
        "/dev/pts/3 1 80 24  3.3a",
        "/dev/pts/3 -1 80 24 0 3.3a",
        "/dev/pts/3 1 0 24 0 3.3a",
        "/dev/pts/3 1 80 0 0 3.3a",
        "/dev/pts/3 1 10001 24 0 3.3a",
        "/dev/pts/3 1 80 10001 0 3.3a",
        "/dev/pts/3 1 80 24 2 3.3a",
        "/dev/pts/3 1 80 24 0 3.3a more",
        "/dev/pts/3 1 80 24 0 3.3\033",
        "/dev/pts/3 1 80 24 0 v2345678901234567890123456789012",
        "/dev/pts/3 9223372036854775808 80 24 0 3.3a",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        CU_ASSERT_EQUAL(found(lines[i]), -EBADMSG);
    CU_ASSERT_EQUAL(found("/dev/pts/3 1 10000 10000 0 v234567890123456789012345678901"), 0);
    CU_ASSERT_EQUAL(found("/dev/pts/3 9223372036854775807 80 24 0 3.3a"), 0);
}

/* ---- the sockets ----------------------------------------------------------------------------- */

static char folder[96];
static struct sockets sockets;

static int servers[64];
static size_t servers_count;

static void make_socket(const char *name, bool lives)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 0), 0);
    if (lives)
        servers[servers_count++] = fd;
    else
        close(fd);
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/msg-unit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    while (servers_count > 0)
        close(servers[--servers_count]);
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    CU_ASSERT_EQUAL(system(command), 0);
}

static const char *listed(size_t at)
{
    return sockets.paths[at] + strlen(folder) + 1;
}

static void sockets_are_listed_default_first(void)
{
    char file[160], link[160];
    make_folder();
    CU_ASSERT_EQUAL(sockets_list(folder, getuid(), &sockets), -ENOENT);
    make_socket("work", true);
    make_socket("default", true);
    make_socket("b b", true);
    make_socket("a-dead-one", false);
    snprintf(file, sizeof(file), "%s/a-file", folder);
    fclose(fopen(file, "w"));
    snprintf(link, sizeof(link), "%s/a-link", folder);
    CU_ASSERT_EQUAL(symlink("default", link), 0);
    CU_ASSERT_EQUAL_FATAL(sockets_list(folder, getuid(), &sockets), 0);
    CU_ASSERT_EQUAL(sockets.count, 3);
    CU_ASSERT_STRING_EQUAL(listed(0), "default");
    CU_ASSERT_STRING_EQUAL(listed(1), "b b");
    CU_ASSERT_STRING_EQUAL(listed(2), "work");
    CU_ASSERT_EQUAL(sockets_list(folder, getuid() + 1, &sockets), -EPERM);
    remove_folder();
}

static void too_many_sockets_are_the_first_ones(void)
{
    make_folder();
    for (int i = 39; i >= 0; i--) {
        char name[16];
        snprintf(name, sizeof(name), "s%02d", i);
        make_socket(i == 20 ? "default" : name, true);
        snprintf(name, sizeof(name), "a%02d", i);
        make_socket(name, false);
    }
    CU_ASSERT_EQUAL_FATAL(sockets_list(folder, getuid(), &sockets), 0);
    CU_ASSERT_EQUAL(sockets.count, SOCKETS_MAX);
    CU_ASSERT_STRING_EQUAL(listed(0), "default");
    CU_ASSERT_STRING_EQUAL(listed(1), "s00");
    CU_ASSERT_STRING_EQUAL(listed(SOCKETS_MAX - 1), "s14");
    remove_folder();
}

/* One that takes no connection now is asked all the same: it may in a moment. */
static void a_busy_server_is_listed(void)
{
    make_folder();
    make_socket("default", true);
    for (unsigned i = 0; i < 4; i++) /* its backlog is full: nobody accepts */
        CU_ASSERT_EQUAL(sockets_list(folder, getuid(), &sockets), 0);
    CU_ASSERT_EQUAL(sockets.count, 1);
    remove_folder();
}

static void a_folder_that_others_may_use_is_refused(void)
{
    char link[80];
    make_folder();
    make_socket("default", true);
    CU_ASSERT_EQUAL(sockets_list(folder, getuid(), &sockets), 0);
    for (mode_t mode = 0701; mode <= 0777; mode++)
        if ((mode & 0077) != 0) {
            CU_ASSERT_EQUAL(chmod(folder, mode), 0);
            CU_ASSERT_EQUAL(sockets_list(folder, getuid(), &sockets), -EPERM);
        }
    chmod(folder, 0700);
    snprintf(link, sizeof(link), "%s-link", folder);
    CU_ASSERT_EQUAL(symlink(folder, link), 0);
    CU_ASSERT_EQUAL(sockets_list(link, getuid(), &sockets), -EPERM);
    unlink(link);
    remove_folder();
    CU_ASSERT_EQUAL(sockets_list(folder, getuid(), &sockets), -ENOENT);
}

/* ---- servers that were told another place ---------------------------------------------------- */

static void one_more(bool added)
{
    char path[128];
    struct sockets all = {.count = 1};
    snprintf(path, sizeof(path), "%s/elsewhere", folder);
    sockets_add(path, getuid(), &all);
    CU_ASSERT_EQUAL(all.count, added ? 2 : 1);
    if (added)
        CU_ASSERT_STRING_EQUAL(all.paths[1], path);
}

static void a_socket_in_a_private_folder_is_added(void)
{
    char path[128], link[160];
    make_folder();
    make_socket("elsewhere", true);
    one_more(true);
    for (mode_t mode = 0701; mode <= 0777; mode++)
        if ((mode & 0077) != 0) {
            CU_ASSERT_EQUAL(chmod(folder, mode), 0);
            one_more(false);
        }
    chmod(folder, 0700);
    snprintf(path, sizeof(path), "%s/elsewhere", folder);
    memset(&sockets, 0, sizeof(sockets));
    sockets_add(path, getuid() + 1, &sockets);
    sockets_add(path + 1, getuid(), &sockets);
    CU_ASSERT_EQUAL(sockets.count, 0);
    snprintf(link, sizeof(link), "%s/link", folder);
    CU_ASSERT_EQUAL(symlink("elsewhere", link), 0);
    sockets_add(link, getuid(), &sockets);
    sockets_add(folder, getuid(), &sockets);
    snprintf(link, sizeof(link), "%s/none", folder);
    sockets_add(link, getuid(), &sockets);
    CU_ASSERT_EQUAL(sockets.count, 0);
    sockets_add(path, getuid(), &sockets);
    sockets_add(path, getuid(), &sockets); /* once */
    CU_ASSERT_EQUAL(sockets.count, 1);
    sockets.count = SOCKETS_MAX - 1;
    snprintf(sockets.paths[0], sizeof(sockets.paths[0]), "/other");
    sockets_add(path, getuid(), &sockets);
    CU_ASSERT_EQUAL(sockets.count, SOCKETS_MAX);
    snprintf(sockets.paths[SOCKETS_MAX - 1], sizeof(sockets.paths[0]), "/another");
    sockets_add(path, getuid(), &sockets);
    CU_ASSERT_EQUAL(sockets.count, SOCKETS_MAX);
    remove_folder();
}

/* Others could put a folder of theirs in the place of one of these, and a socket into it. */
static void folders_above_must_stay_where_they_are(void)
{
    char above[64], link[80];
    make_folder();
    snprintf(above, sizeof(above), "%.40s", folder);
    strcat(folder, "/private");
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
    make_socket("elsewhere", true);
    static const struct {
        mode_t mode;
        bool good;
    } modes[] = {{0700, true},  {0755, true},  {0775, false}, {0757, false},
                 {0777, false}, {01777, true}, {02775, false}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        CU_ASSERT_EQUAL(chmod(above, modes[i].mode), 0);
        one_more(modes[i].good);
    }
    snprintf(link, sizeof(link), "%s-link", above);
    CU_ASSERT_EQUAL(symlink(above, link), 0);
    snprintf(folder, sizeof(folder), "%s/private", link);
    one_more(false);
    unlink(link);
    strcpy(folder, above);
    remove_folder();
}

#define LISTENING "00000000934a02f4: 00000002 00000000 00010000 0001 01 "

static const char *listening(const char *line)
{
    static char out[LISTENERS_LINE];
    struct slice path;
    uint64_t inode;
    if (!listeners_line(slice_of(line), &inode, &path))
        return NULL;
    snprintf(out, sizeof(out), "%llu %.*s", (unsigned long long)inode, (int)path.len, path.ptr);
    return out;
}

static void a_line_tells_of_what_listens(void)
{
    static const char *const lines[] = {
        "",
        "Num       RefCount Protocol Flags    Type St Inode Path",
        LISTENING "1057",
        LISTENING "1057 ",
        LISTENING "1057 @abstract",
        LISTENING "1057 relative",
        LISTENING "1057 /",
        LISTENING "1057  /two",
        LISTENING "x /x",
        LISTENING "18446744073709551616 /x",
        LISTENING "1057 /a\tb",
        LISTENING "1057 /a\177b",
        "00000000934a02f4: 00000003 00000000 00000000 0001 03 1057 /connected",
        "00000000934a02f4: 00000002 00000000 00010000 0005 01 1057 /seqpacket",
        "00000000934a02f4: 00000002 00000000 00010000 0001",
    };
    char long_line[256];
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        CU_ASSERT_PTR_NULL(listening(lines[i]));
    CU_ASSERT_STRING_EQUAL(listening(LISTENING " 1057 /run/user/1000/tmux-1000/default"),
                           "1057 /run/user/1000/tmux-1000/default");
    CU_ASSERT_STRING_EQUAL(listening(LISTENING "18446744073709551615 /a b "),
                           "18446744073709551615 /a b ");
    for (int len = 107; len <= 108; len++) {
        snprintf(long_line, sizeof(long_line), LISTENING "1 /%0*d", len - 1, 0);
        CU_ASSERT_EQUAL(listening(long_line) != NULL, len == 107);
    }
}

/* ---- the status line ------------------------------------------------------------------------- */

static char command[STATUS_SIZE];

/* What stands between the quotes. */
static const char *line_of(const char *sender, const char *title, const char *body,
                           unsigned columns)
{
    static const char begin[] = "display-message -c /dev/pts/3 -d 10000 '";
    struct popup_message message = {
        .host = "h2",
        .time = "14:05",
        .texts = {slice_of(sender), slice_of(title), slice_of(body), {NULL, 0}},
        .number = 7};
    size_t len = status_command(&message, "/dev/pts/3", columns, 10000, command);
    CU_ASSERT_EQUAL_FATAL(strlen(command), len);
    CU_ASSERT_FATAL(strncmp(command, begin, strlen(begin)) == 0);
    CU_ASSERT_STRING_EQUAL_FATAL(command + len - 2, "'\n");
    command[len - 2] = '\0';
    return command + strlen(begin);
}

static void the_line_is_as_designed(void)
{
    CU_ASSERT_STRING_EQUAL(line_of("alice (this host)", "", "Lunch?", 80),
                           "Message from alice (this host) on h2, 14:05: Lunch? [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "Food", "\n\nLunch\tnow?\nOr later", 80),
                           "Message from alice on h2, 14:05: Food: Lunch now? ... [msg /list 7]");
}

static void the_line_fits(void)
{
    /* 27 columns of text behind 33, or 20; 14 of the hint */
    CU_ASSERT_STRING_EQUAL(
        line_of("alice", "", "The server goes down at six", 74),
        "Message from alice on h2, 14:05: The server goes down at six [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down at six", 73),
                           "Message from alice: The server goes down at six [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down at six", 61),
                           "Message from alice: The server goes down at six [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down at six", 60),
                           "Message from alice: The server goes down at six");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down at six", 47),
                           "Message from alice: The server goes down at six");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down at six", 46),
                           "Message from alice: The serve... [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice", "", "The server goes down\nat six", 50),
                           "Message from alice: The server go... [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(
        line_of("alice", "", "\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\nx", 48),
        "Message from alice: \u4f60\u597d\u4f60\u597d\u4f60... [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("alice-with-a-long-name", "", "text", 30),
                           "Message from alice-with-a...:  [msg /list 7]");
}

static void what_tmux_would_read_is_quoted(void)
{
    CU_ASSERT_STRING_EQUAL(
        line_of("a", "", "#{pid} #(id) #[bold] %H ## '\"$x\\;~", 200),
        "Message from a on h2, 14:05: ##{pid} ##(id) ##[bold] %%H #### '\"'\"'\"$x\\;~"
        " [msg /list 7]");
    CU_ASSERT_STRING_EQUAL(line_of("#(id)", "%H", "x", 80),
                           "Message from ##(id) on h2, 14:05: %%H: x [msg /list 7]");
    CU_ASSERT_PTR_NOT_NULL(strstr(line_of("a", "", "x\033[2Jy", 80), "x\\x1B[2Jy"));
}

static void the_longest_line_is_whole(void)
{
    static char text[2000];
    memset(text, '\'', sizeof(text) - 1);
    const char *line = line_of(text, text, text, 1000);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, " [msg /list 7]"));
}

static void the_line_is_cleared(void)
{
    status_clear("/dev/pts/3", command);
    CU_ASSERT_STRING_EQUAL(command, "display-message -c /dev/pts/3 -d 1 ''\n");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_client_is_found_by_its_terminal),
        UNIT_TEST(a_client_in_control_mode_shows_nothing),
        UNIT_TEST(a_line_that_is_not_as_asked_is_refused),
        UNIT_TEST(sockets_are_listed_default_first),
        UNIT_TEST(too_many_sockets_are_the_first_ones),
        UNIT_TEST(a_busy_server_is_listed),
        UNIT_TEST(a_folder_that_others_may_use_is_refused),
        UNIT_TEST(a_socket_in_a_private_folder_is_added),
        UNIT_TEST(folders_above_must_stay_where_they_are),
        UNIT_TEST(a_line_tells_of_what_listens),
        UNIT_TEST(the_line_is_as_designed),
        UNIT_TEST(the_line_fits),
        UNIT_TEST(what_tmux_would_read_is_quoted),
        UNIT_TEST(the_longest_line_is_whole),
        UNIT_TEST(the_line_is_cleared),
        UNIT_END,
    };
    return setlocale(LC_CTYPE, "C.UTF-8") ? unit_run("popup_tmux", tests) : 77;
}
