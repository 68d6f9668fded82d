/* SPDX-License-Identifier: MIT */
#include "daemon/present_device.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>

static int master = -1;
static struct device_target target;

/* A terminal of our own, mesg y. */
static void make_terminal(void)
{
    char path[64];
    struct stat st;
    int slave;

    CU_ASSERT_EQUAL_FATAL(openpty(&master, &slave, path, NULL, NULL), 0);
    CU_ASSERT_EQUAL(fchmod(slave, 0620), 0);
    CU_ASSERT_EQUAL(fstat(slave, &st), 0);
    close(slave);
    target = (struct device_target){.rdev = st.st_rdev, .uid = st.st_uid};
    CU_ASSERT_FATAL(strlen(path) < strlen("/dev/") + sizeof(target.line));
    strcpy(target.line, path + strlen("/dev/"));
}

static void mesg(bool on)
{
    char path[64];

    snprintf(path, sizeof(path), "/dev/%s", target.line);
    CU_ASSERT_EQUAL(chmod(path, on ? 0620 : 0600), 0);
}

static int opened(const struct device_target *wanted)
{
    int fd = -1, r = device_open(wanted, &fd);

    CU_ASSERT_EQUAL(fd >= 0, r == 0);
    mem_close_fd(&fd);
    return r;
}

static void only_terminals_have_such_names(void)
{
    static const char *const good[] = {"pts/0", "pts/9", "pts/10", "pts/1234567", "tty1", "tty63"};
    static const char *const bad[] = {
        "",        "pts",      "pts/",       "pts/01",   "pts/00",       "pts/-1",   "pts/+1",
        "pts/1 ",  " pts/1",   "pts/1/",     "pts//1",   "pts/12345678", "pts/../x", "pts/1\n",
        "pts/x",   "pts/ptmx", "tty",        "tty0",     "tty64",        "tty01",    "ttyS0",
        "ttyUSB0", "tty1x",    "/dev/pts/1", "../pts/1", "console",      "Pts/1",    "tty1234567"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        CU_ASSERT(device_is_line(good[i]));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CU_ASSERT_FALSE(device_is_line(bad[i]));
}

static void a_look_tells_owner_and_mesg(void)
{
    struct device device = {.owner = 4711};

    make_terminal();
    CU_ASSERT_EQUAL(device_look(target.line, &device), 0);
    CU_ASSERT_EQUAL(device.rdev, target.rdev);
    CU_ASSERT_EQUAL(device.owner, target.uid);
    CU_ASSERT(device.messages);
    mesg(false);
    CU_ASSERT_EQUAL(device_look(target.line, &device), 0);
    CU_ASSERT_FALSE(device.messages);
    device.owner = 4711;
    CU_ASSERT_EQUAL(device_look("null", &device), -EINVAL);
    close(master);
    CU_ASSERT_EQUAL(device_look(target.line, &device), -ENODEV);
    CU_ASSERT_EQUAL(device.owner, 4711);
}

static void opening_checks_what_was_opened(void)
{
    make_terminal();
    CU_ASSERT_EQUAL(opened(&target), 0);

    struct device_target wrong = target;

    wrong.uid++;
    CU_ASSERT_EQUAL(opened(&wrong), -ENODEV);
    wrong = target;
    wrong.rdev++;
    CU_ASSERT_EQUAL(opened(&wrong), -ENODEV);
    wrong = target;
    strcpy(wrong.line, "../null");
    CU_ASSERT_EQUAL(opened(&wrong), -EINVAL);
    close(master);
    CU_ASSERT_EQUAL(opened(&target), -ENODEV);
}

static void mesg_n_holds_for_the_owner_too(void)
{
    make_terminal();
    mesg(false);
    CU_ASSERT_EQUAL(opened(&target), -EACCES);
    target.override = true;
    CU_ASSERT_EQUAL(opened(&target), 0);
    close(master);
}

static void what_a_helper_opened_is_checked(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), pipes[2];

    struct stat null;

    make_terminal();
    target.override = true;
    CU_ASSERT_EQUAL(device_check(&target, fd), -ENODEV);
    CU_ASSERT_EQUAL(fstat(fd, &null), 0);

    struct device_target no_terminal = {.rdev = null.st_rdev, .uid = null.st_uid, .override = true};

    CU_ASSERT_EQUAL(device_check(&no_terminal, fd), -ENODEV);
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    CU_ASSERT_EQUAL(device_check(&target, pipes[1]), -ENODEV);
    CU_ASSERT_EQUAL(device_check(&target, -1), -EBADF);
    close(fd);
    close(pipes[0]);
    close(pipes[1]);
    close(master);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(only_terminals_have_such_names),  UNIT_TEST(a_look_tells_owner_and_mesg),
        UNIT_TEST(opening_checks_what_was_opened),  UNIT_TEST(mesg_n_holds_for_the_owner_too),
        UNIT_TEST(what_a_helper_opened_is_checked), UNIT_END,
    };

    return unit_run("present_device", tests);
}
