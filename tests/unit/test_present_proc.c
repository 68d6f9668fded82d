/* SPDX-License-Identifier: MIT */
#include "daemon/present_proc.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <sys/sysmacros.h>

/* The fields between tty_nr and starttime. */
#define BETWEEN " 4711 4194304 1 2 3 4 5 6 7 8 20 0 1 0 "

static bool reads(const char *line, struct proc *ret_proc)
{
    return proc_read(line, strlen(line), ret_proc);
}

static void a_line_is_read(void)
{
    struct proc proc;

    CU_ASSERT_FATAL(reads("4711 (bash) S 4700 4711 4711 34819" BETWEEN "98765 1 2 3\n", &proc));
    CU_ASSERT_EQUAL(proc.pid, 4711);
    CU_ASSERT_EQUAL(proc.parent, 4700);
    CU_ASSERT_EQUAL(proc.session, 4711);
    CU_ASSERT_EQUAL(proc.tty, makedev(136, 3));
    CU_ASSERT_EQUAL(proc.start, 98765);
    CU_ASSERT_STRING_EQUAL(proc.name, "bash");
    CU_ASSERT_FATAL(reads("1 (systemd) S 0 1 1 0" BETWEEN "2", &proc));
    CU_ASSERT_EQUAL(proc.tty, 0);
    CU_ASSERT_FATAL(reads("8 (sh) S 0 0 0 0" BETWEEN "2", &proc)); /* its session began outside */
    CU_ASSERT_EQUAL(proc.session, 0);
}

/* (major << 8) with 8 bits of the minor below and 12 above. */
static void terminals_are_decoded(void)
{
    static const struct {
        const char *number;
        unsigned major, minor;
    } rows[] = {{"1025", 4, 1},
                {"34816", 136, 0},
                {"35071", 136, 255},
                {"1083392", 136, 256},
                {"-1013505", 136, 1048575}};
    struct proc proc;
    char line[256];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        snprintf(line, sizeof(line), "7 (a) R 1 7 7 %s" BETWEEN "5", rows[i].number);
        CU_ASSERT_FATAL(reads(line, &proc));
        CU_ASSERT_EQUAL(proc.tty, makedev(rows[i].major, rows[i].minor));
    }
}

/* A name is up to its process: it must not look like the fields behind it. */
static void a_name_may_hold_anything(void)
{
    static const char *const names[] = {"a) S 1 2 3", "((",           "))",  ") Z",
                                        "",           "tmux: server", "\n\t"};
    struct proc proc;
    char line[256];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(line, sizeof(line), "7 (%s) R 6 7 5 1025" BETWEEN "9", names[i]);
        CU_ASSERT_FATAL(reads(line, &proc));
        CU_ASSERT_STRING_EQUAL(proc.name, names[i]);
        CU_ASSERT(proc.parent == 6 && proc.session == 5 && proc.start == 9);
    }
    CU_ASSERT_FATAL(reads("7 (1234567890123456789) R 6 7 5 1025" BETWEEN "9", &proc));
    CU_ASSERT_STRING_EQUAL(proc.name, "123456789012345"); /* the kernel gives 15 at most */
}

static void other_lines_are_refused(void)
{
    static const char *const lines[] = {
        "",
        "7",
        "(a) S 1 7 7 0" BETWEEN "5",
        "0 (a) S 1 7 7 0" BETWEEN "5",
        "-7 (a) S 1 7 7 0" BETWEEN "5",
        "7 a S 1 7 7 0" BETWEEN "5",
        "7 (a S 1 7 7 0" BETWEEN "5",
        "7 (a)",
        "7 (a) ",
        "7 (a)S 1 7 7 0" BETWEEN "5",
        "7 (a) Z 1 7 7 0" BETWEEN "5", /* it has ended */
        "7 (a) X 1 7 7 0" BETWEEN "5",
        "7 (a) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5", /* the kernel's own */
        "7 (a) S 1 7 7 0" BETWEEN,
        "7 (a) S -1 7 7 0" BETWEEN "5",
        "7 (a) S 2147483648 7 7 0" BETWEEN "5",
        "7 (a) S 1 7 4294967297 0" BETWEEN "5",
        "7 (a) S 1 7 7  0" BETWEEN "5",
        "7 (a) S 1 7 x 0" BETWEEN "5",
        "7 (a) S 1 7 7 99999999999999999999" BETWEEN "5",
        "2147483648 (a) S 1 7 7 0" BETWEEN "5",
    };
    struct proc proc = {.pid = 77};
    char line[PROC_LINE + 2];

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        CU_ASSERT_FALSE(reads(lines[i], &proc));
    CU_ASSERT_FALSE(proc_read("7 (a\0) S 1 7 7 0" BETWEEN "5", 40, &proc));
    CU_ASSERT_EQUAL(proc.pid, 77);
    int len = snprintf(line, sizeof(line), "7 (a) S 1 7 7 0" BETWEEN "5 ");
    memset(line + len, '1', sizeof(line) - (size_t)len);
    CU_ASSERT(proc_read(line, PROC_LINE, &proc)); /* what is behind is not looked at */
    CU_ASSERT_FALSE(proc_read(line, PROC_LINE + 1, &proc));
}

static void this_host_is_looked_at(void)
{
    struct proc_table table;

    CU_ASSERT_EQUAL_FATAL(proc_scan(&table), 0);
    const struct proc *self = proc_find(&table, getpid());
    CU_ASSERT_FATAL(self != NULL);
    CU_ASSERT_EQUAL(self->parent, getppid());
    CU_ASSERT_EQUAL(self->session, getsid(0));
    CU_ASSERT_EQUAL(self->start, proc_start_of(getpid()));
    CU_ASSERT(self->start > 0);
    CU_ASSERT(self->tty == 0 || self->uid == geteuid());
    CU_ASSERT_PTR_NULL(proc_find(&table, 0));
    CU_ASSERT_EQUAL(proc_start_of(0), 0);
    for (size_t i = 1; i < table.count; i++)
        CU_ASSERT(table.items[i - 1].pid < table.items[i].pid);
    proc_table_free(&table);
    CU_ASSERT_PTR_NULL(proc_find(&table, getpid()));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_line_is_read),           UNIT_TEST(terminals_are_decoded),
        UNIT_TEST(a_name_may_hold_anything), UNIT_TEST(other_lines_are_refused),
        UNIT_TEST(this_host_is_looked_at),   UNIT_END,
    };

    return unit_run("present_proc", tests);
}
