/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/net_seen.h"
#include "tests/unit/unit.h"

#define BOOT  "0f0f0f0f-1111-2222-3333-444444444444"
#define OTHER "0f0f0f0f-1111-2222-3333-555555555555"

static char path[] = "/tmp/test_seen.XXXXXX/seen";
static const uint8_t body[SEEN_HASH] = {7};

static struct seen_key key_of(uint32_t uid, uint32_t n)
{
    struct principal principal = principal_of_uid(uid);
    uint8_t bytes[SEEN_UID] = {0};

    memcpy(bytes, &n, sizeof(n));
    return seen_key_of(&principal, bytes);
}

static struct seen *reopened(struct seen *seen, const char *boot)
{
    seen_close(seen);
    seen = NULL;
    CU_ASSERT_FATAL(seen_open(&seen, path, boot) == 0);
    return seen;
}

static struct seen *anew(void)
{
    unlink(path);
    return reopened(NULL, BOOT);
}

static bool has(const struct seen *seen, uint32_t uid, uint32_t n)
{
    struct seen_key key = key_of(uid, n);

    return seen_has(seen, &key);
}

static int add(struct seen *seen, uint32_t uid, uint32_t n)
{
    struct seen_key key = key_of(uid, n);

    return seen_add(seen, &key, body, 1);
}

static off_t size(void)
{
    struct stat st;

    CU_ASSERT_FATAL(stat(path, &st) == 0);
    CU_ASSERT((st.st_mode & 07777) == 0600);
    return st.st_size;
}

static void it_outlives_the_process(void)
{
    struct seen *seen = anew();

    CU_ASSERT(size() == SEEN_HEADER && !has(seen, 1000, 1));
    CU_ASSERT(add(seen, 1000, 1) == 0 && has(seen, 1000, 1));
    CU_ASSERT(size() == SEEN_HEADER + SEEN_RECORD);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 1) && !has(seen, 1001, 1) && !has(seen, 1000, 2));
    CU_ASSERT(add(seen, 1000, 2) == 0);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 1) && has(seen, 1000, 2));
    seen_close(seen);
}

static void it_dies_with_the_boot(void)
{
    struct seen *seen = anew();

    CU_ASSERT(add(seen, 1000, 1) == 0);
    seen = reopened(seen, OTHER);
    CU_ASSERT(!has(seen, 1000, 1) && size() == SEEN_HEADER);
    CU_ASSERT(add(seen, 1000, 2) == 0);
    seen = reopened(seen, OTHER);
    CU_ASSERT(has(seen, 1000, 2));
    seen_close(seen);
}

static void a_record_cut_off_is_dropped(void)
{
    struct seen *seen = anew();

    CU_ASSERT(add(seen, 1000, 1) == 0 && add(seen, 1000, 2) == 0);
    CU_ASSERT(truncate(path, SEEN_HEADER + 2 * SEEN_RECORD - 1) == 0);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 1) && !has(seen, 1000, 2));
    CU_ASSERT(size() == SEEN_HEADER + SEEN_RECORD);
    CU_ASSERT(add(seen, 1000, 3) == 0);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 1) && has(seen, 1000, 3));
    seen_close(seen);
}

static void what_cannot_be_written_must_not_be_shown(void)
{
    struct seen *seen = anew();
    struct rlimit limit, small = {.rlim_cur = SEEN_HEADER + SEEN_RECORD + 10};

    CU_ASSERT(add(seen, 1000, 1) == 0);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    small.rlim_max = limit.rlim_max;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CU_ASSERT(add(seen, 1000, 2) == -ENOSPC); /* ten bytes found room */
    CU_ASSERT(!has(seen, 1000, 2));
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CU_ASSERT(size() == SEEN_HEADER + SEEN_RECORD && add(seen, 1000, 3) == 0);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 1) && !has(seen, 1000, 2) && has(seen, 1000, 3));
    seen_close(seen);
}

static void it_keeps_the_newest_half_when_full(void)
{
    struct seen *seen = anew();

    for (uint32_t i = 0; i < LIM_SEEN_RECORDS; i++)
        CU_ASSERT_FATAL(add(seen, 1000, i) == 0);
    CU_ASSERT(has(seen, 1000, 0) && (size_t)size() == SEEN_FILE);
    seen = reopened(seen, BOOT);
    CU_ASSERT(has(seen, 1000, 0));
    CU_ASSERT(add(seen, 1000, LIM_SEEN_RECORDS) == 0);
    CU_ASSERT(size() == SEEN_HEADER + (LIM_SEEN_RECORDS / 2 + 1) * SEEN_RECORD);
    seen = reopened(seen, BOOT);
    CU_ASSERT(!has(seen, 1000, LIM_SEEN_RECORDS / 2 - 1) && has(seen, 1000, LIM_SEEN_RECORDS / 2));
    CU_ASSERT(has(seen, 1000, LIM_SEEN_RECORDS));
    seen_close(seen);
}

static void write_file(const char *bytes, size_t len, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    CU_ASSERT_FATAL(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    CU_ASSERT_FATAL(fchmod(fd, mode) == 0);
    close(fd);
}

static void what_is_not_ours_is_refused(void)
{
    static const char good[] = SEEN_MAGIC BOOT "\n";
    struct seen *seen = NULL;

    write_file(good, SEEN_HEADER, 0600);
    seen = reopened(seen, BOOT);
    seen_close(seen);
    write_file(good, SEEN_HEADER, 0644);
    CU_ASSERT(seen_open(&seen, path, BOOT) == -EPERM);
    write_file(good, SEEN_HEADER - 1, 0600);
    CU_ASSERT(seen_open(&seen, path, BOOT) == -EBADMSG);
    write_file("", 0, 0600);
    CU_ASSERT(seen_open(&seen, path, BOOT) == -EBADMSG);
    unlink(path);
    CU_ASSERT_FATAL(symlink("/dev/null", path) == 0);
    CU_ASSERT(seen_open(&seen, path, BOOT) < 0);
}

static void lengths(void)
{
    char *file = calloc(1, SEEN_FILE + 1);

    CU_ASSERT_FATAL(file != NULL);
    memcpy(file, SEEN_MAGIC BOOT "\n", SEEN_HEADER);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER}, BOOT) == 0);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER + SEEN_RECORD - 1}, BOOT) == 0);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER + SEEN_RECORD}, BOOT) == 1);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_FILE}, BOOT) == LIM_SEEN_RECORDS);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_FILE + 1}, BOOT) == -EBADMSG);
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER}, OTHER) == -ESTALE);
    file[SEEN_HEADER - 1] = 'x';
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER}, BOOT) == -EBADMSG);
    file[0] = 'x';
    CU_ASSERT(seen_parse((struct slice){file, SEEN_HEADER}, BOOT) == -EBADMSG);
    free(file);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(it_outlives_the_process),
        UNIT_TEST(it_dies_with_the_boot),
        UNIT_TEST(a_record_cut_off_is_dropped),
        UNIT_TEST(what_cannot_be_written_must_not_be_shown),
        UNIT_TEST(it_keeps_the_newest_half_when_full),
        UNIT_TEST(what_is_not_ours_is_refused),
        UNIT_TEST(lengths),
        UNIT_END,
    };
    char *slash = strrchr(path, '/');

    *slash = '\0';
    if (sodium_init() < 0 || !mkdtemp(path))
        return 2;
    *slash = '/';
    hash_start();
    int status = unit_run("seen", tests);
    unlink(path);
    *slash = '\0';
    rmdir(path);
    return status;
}
