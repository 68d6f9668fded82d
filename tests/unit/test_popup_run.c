/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/popup_run.h"
#include "tests/unit/unit.h"

static sd_event *event;
static int ended; /* as which, beyond 1000: not yet */
static char printed[65537];
static size_t printed_len;

static void on_done(void *userdata, int status, struct slice output)
{
    (void)userdata;
    ended = status;
    printed_len = output.len;
    memcpy(printed, output.ptr, output.len < sizeof(printed) ? output.len : 0);
    printed[output.len < sizeof(printed) ? output.len : 0] = '\0';
}

static struct run *start(const char *script, struct slice input, size_t max, uint64_t deadline_ms)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct run_job job = {.argv = argv,
                          .input = input,
                          .output_max = max,
                          .deadline_ms = deadline_ms,
                          .done = on_done};
    struct run *run = NULL;
    ended = 1001;
    CU_ASSERT_EQUAL_FATAL(run_start(event, &job, &run), 0);
    return run;
}

static int outcome(const char *script, struct slice input, size_t max)
{
    start(script, input, max, 20000);
    while (ended > 1000)
        CU_ASSERT_FATAL(sd_event_run(event, UINT64_MAX) >= 0);
    return ended;
}

static void no_child_is_left(void)
{
    CU_ASSERT_TRUE(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void output_and_status_come_back(void)
{
    CU_ASSERT_EQUAL(outcome("echo hello; exit 7", (struct slice){0}, 100), 7);
    CU_ASSERT_STRING_EQUAL(printed, "hello\n");
    CU_ASSERT_EQUAL(outcome("kill -9 $$", (struct slice){0}, 100), -ECHILD);
    no_child_is_left();
}

static void a_program_that_is_not_there_is_127(void)
{
    const char *argv[] = {"msgd-no-such-program", NULL};
    struct run_job job = {.argv = argv, .deadline_ms = 20000, .done = on_done};
    struct run *run;
    ended = 1001;
    CU_ASSERT_EQUAL_FATAL(run_start(event, &job, &run), 0);
    while (ended > 1000)
        sd_event_run(event, UINT64_MAX);
    CU_ASSERT_EQUAL(ended, 127);
    no_child_is_left();
}

/* More than a pipe holds, in both directions at once. */
static void input_is_written_whole(void)
{
    static char input[200000];
    memset(input, 'x', sizeof(input));
    CU_ASSERT_EQUAL(outcome("exec wc -c", (struct slice){input, sizeof(input)}, 100), 0);
    CU_ASSERT_EQUAL(atoi(printed), 200000);
    CU_ASSERT_EQUAL(outcome("exec cat", (struct slice){input, sizeof(input)}, sizeof(input)), 0);
    CU_ASSERT_EQUAL(printed_len, sizeof(input));
    CU_ASSERT_EQUAL(outcome("exit 3", (struct slice){input, sizeof(input)}, 100), 3);
    no_child_is_left();
}

static void output_has_a_limit(void)
{
    CU_ASSERT_EQUAL(outcome("printf 12345", (struct slice){0}, 5), 0);
    CU_ASSERT_EQUAL(outcome("printf 123456", (struct slice){0}, 5), -EMSGSIZE);
    CU_ASSERT_EQUAL(outcome("exec cat /dev/zero", (struct slice){0}, 5000), -EMSGSIZE);
    no_child_is_left();
}

static void a_deadline_ends_it(void)
{
    start("exec sleep 600", (struct slice){0}, 5, 50);
    while (ended > 1000)
        sd_event_run(event, UINT64_MAX);
    CU_ASSERT_EQUAL(ended, -ETIMEDOUT);
    no_child_is_left();
}

/* Its output closed, it still runs: that is not its end. No shell here can make a process. */
static void closed_output_is_not_the_end(void)
{
    CU_ASSERT_EQUAL(outcome("exec >&- <&-; while [ $((i += 1)) -lt 50000 ]; do :; done; exit 9",
                            (struct slice){0}, 5),
                    9);
}

/* It lives in the presenter's service: whoever takes it over makes no more processes or files. */
static void it_can_make_nothing(void)
{
    CU_ASSERT_EQUAL(outcome("exec cat /proc/self/limits", (struct slice){0}, 4096), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "Max processes             0                    0 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "Max file size             0                    0 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "Max cpu time              60                   60 "));
}

static void a_cancelled_one_says_nothing(void)
{
    run_cancel(start("exec sleep 600", (struct slice){0}, 5, RUN_NO_DEADLINE));
    CU_ASSERT_EQUAL(ended, 1001);
    no_child_is_left();
    run_cancel(NULL);
}

static void it_gets_nothing_of_ours(void)
{
    setenv("MSG_SECRET", "1", 1);
    int fd = fcntl(0, F_DUPFD, 20); /* without CLOEXEC */
    CU_ASSERT_EQUAL(outcome("exec env", (struct slice){0}, 4096), 0);
    CU_ASSERT_PTR_NULL(strstr(printed, "MSG_SECRET"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "PATH=" RUN_PATH "\n"));
    CU_ASSERT_EQUAL(
        outcome("for f in /proc/self/fd/*; do echo ${f##*/}; done", (struct slice){0}, 4096), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "\n2\n"));
    CU_ASSERT_PTR_NULL(strstr(printed, "\n20\n"));
    CU_ASSERT_EQUAL(fd, 20);
    close(fd);
}

static void nothing_is_tried(void)
{
    unit_skip("pidfd_open is not known here: valgrind 3.19");
}

/* Whether programs can be run here at all. */
static bool runs_programs(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != ENOSYS;
}

int main(void)
{
    CU_TestInfo none[] = {UNIT_TEST(nothing_is_tried), UNIT_END};
    CU_TestInfo tests[] = {
        UNIT_TEST(output_and_status_come_back),  UNIT_TEST(a_program_that_is_not_there_is_127),
        UNIT_TEST(input_is_written_whole),       UNIT_TEST(output_has_a_limit),
        UNIT_TEST(a_deadline_ends_it),           UNIT_TEST(closed_output_is_not_the_end),
        UNIT_TEST(a_cancelled_one_says_nothing), UNIT_TEST(it_gets_nothing_of_ours),
        UNIT_TEST(it_can_make_nothing),          UNIT_END,
    };
    signal(SIGPIPE, SIG_IGN);
    if (sd_event_new(&event) < 0)
        return 1;
    int status = unit_run("popup_run", runs_programs() ? tests : none);
    sd_event_unref(event);
    return status;
}
