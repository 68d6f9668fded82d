/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <fcntl.h>

/* What log_line() writes to stderr, into out. */
static void captured(int level, const char *text, char *out, size_t capacity)
{
    int saved = dup(STDERR_FILENO), ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    errno = ENOENT;
    log_line(level, "%s", text);
    CU_ASSERT_EQUAL(errno, ENOENT);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t len = read(ends[0], out, capacity - 1);
    out[len > 0 ? len : 0] = '\0';
    close(ends[0]);
}

static void test_styles(void)
{
    char line[2048];
    log_start("prog", LOG_INFO, LOG_STYLE_PLAIN);
    captured(LOG_ERR, "a\x1B\nb", line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "prog: a\\x1B\\x0Ab\n");
    captured(LOG_DEBUG, "no", line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "");
    log_start("prog", LOG_DEBUG, LOG_STYLE_JOURNAL);
    captured(LOG_DEBUG, "yes", line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "<7>yes\n");
}

static void test_long(void)
{
    char text[3000], line[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_start("prog", LOG_INFO, LOG_STYLE_PLAIN);
    captured(LOG_INFO, text, line, sizeof(line));
    CU_ASSERT_EQUAL(strlen(line), 6 + 1023 + 1);
    CU_ASSERT_EQUAL(line[strlen(line) - 1], '\n');
    memset(text, '\x1B', sizeof(text) - 1);
    captured(LOG_INFO, text, line, sizeof(line));
    CU_ASSERT_TRUE(strlen(line) < 1100);
    CU_ASSERT_EQUAL(line[strlen(line) - 1], '\n');
}

/* A full pipe as stderr: nothing waits for it, and what is missing is told. */
static void test_never_waits(void)
{
    int saved = dup(STDERR_FILENO), ends[2];
    char line[128], block[512] = {0};
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_start("prog", LOG_INFO, LOG_STYLE_PLAIN);
    log_never_wait();
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    while (write(STDERR_FILENO, block, sizeof(block)) > 0)
        ;
    errno = ENOENT;
    log_info("lost");
    log_foreign(SLICE("lost as well"));
    int error = errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], block, sizeof(block)) > 0)
        ;
    log_foreign(SLICE("a\x1B\xFF"));
    log_info("there");
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t len = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    line[len > 0 ? len : 0] = '\0';
    CU_ASSERT_EQUAL(error, ENOENT);
    CU_ASSERT_TRUE(flags & O_NONBLOCK);
    CU_ASSERT_STRING_EQUAL(line, "prog: 2 lines are missing here: stderr took nothing\n"
                                 "a\\x1B\\xFF\nprog: there\n");
}

static void test_limit(void)
{
    struct log_limit limit = {.period_ms = 60000};
    uint64_t held = 9;
    CU_ASSERT_TRUE(log_limit_pass(&limit, "192.0.2.1", 1000, &held));
    CU_ASSERT_EQUAL(held, 0);
    CU_ASSERT_FALSE(log_limit_pass(&limit, "192.0.2.1", 1001, &held));
    CU_ASSERT_FALSE(log_limit_pass(&limit, "192.0.2.1", 60999, &held));
    CU_ASSERT_TRUE(log_limit_pass(&limit, "192.0.2.2", 60999, &held));
    CU_ASSERT_EQUAL(held, 2);
    CU_ASSERT_TRUE(log_limit_pass(&limit, "192.0.2.1", 61000, &held));
    CU_ASSERT_EQUAL(held, 0);
}

static void test_limit_full(void)
{
    struct log_limit limit = {.period_ms = 60000};
    uint64_t held;
    char source[16];
    for (int i = 0; i < LOG_LIMIT_SOURCES; i++) {
        snprintf(source, sizeof(source), "source %d", i);
        CU_ASSERT_TRUE(log_limit_pass(&limit, source, 1000, &held));
    }
    CU_ASSERT_FALSE(log_limit_pass(&limit, "one more", 1000, &held));
    CU_ASSERT_TRUE(log_limit_pass(&limit, "one more", 61000, &held));
    CU_ASSERT_EQUAL(held, 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_styles),
        UNIT_TEST(test_long),
        UNIT_TEST(test_limit),
        UNIT_TEST(test_limit_full),
        UNIT_TEST(test_never_waits), /* last: there is no way back */
        UNIT_END,
    };
    return unit_run("log", tests);
}
