/* SPDX-License-Identifier: MIT */
#include "daemon/present_utmp.h"

#include "tests/unit/unit.h"

#include <utmp.h>

#define OWN   1000
#define GROUP 43

static struct stat file(mode_t mode, uid_t uid, gid_t gid)
{
    struct stat st;

    memset(&st, 0, sizeof(st));
    st.st_mode = mode;
    st.st_uid = uid;
    st.st_gid = gid;
    return st;
}

static bool believed(mode_t mode, uid_t uid, gid_t gid)
{
    struct stat st = file(mode, uid, gid);

    return utmp_distrust(&st, OWN, GROUP) == NULL;
}

static void a_file_is_believed_only_so_far(void)
{
    struct stat st = file(S_IFREG | 0664, 0, (gid_t)-1);

    CU_ASSERT(believed(S_IFREG | 0664, 0, GROUP));
    CU_ASSERT(believed(S_IFREG | 0644, OWN, 99));
    CU_ASSERT_FALSE(believed(S_IFREG | 0644, 1001, GROUP));
    CU_ASSERT_FALSE(believed(S_IFREG | 0664, 0, 99));
    CU_ASSERT_FALSE(believed(S_IFREG | 0646, 0, GROUP));
    CU_ASSERT_FALSE(believed(S_IFIFO | 0644, 0, GROUP));
    CU_ASSERT_FALSE(believed(S_IFCHR | 0644, 0, GROUP));
    CU_ASSERT_FALSE(believed(S_IFDIR | 0755, 0, GROUP));
    CU_ASSERT_PTR_NOT_NULL(utmp_distrust(&st, OWN, (gid_t)-1)); /* there is no group utmp */
    st = file(S_IFREG | 0644, 0, GROUP);
    st.st_size = LIM_UTMP_FILE;
    CU_ASSERT_PTR_NULL(utmp_distrust(&st, OWN, GROUP));
    st.st_size++;
    CU_ASSERT_PTR_NOT_NULL(utmp_distrust(&st, OWN, GROUP));
}

static struct utmp record(const char *line, const char *user)
{
    struct utmp entry;

    memset(&entry, 0, sizeof(entry));
    entry.ut_type = USER_PROCESS;
    entry.ut_pid = 4711;
    entry.ut_tv.tv_sec = 10;
    entry.ut_tv.tv_usec = 20;
    memcpy(entry.ut_line, line, strlen(line));
    memcpy(entry.ut_user, user, strlen(user));
    memcpy(entry.ut_host, "192.0.2.7", 9);
    return entry;
}

static void a_login_is_read(void)
{
    struct utmp entry = record("pts/3", "bob");
    struct utmp_login login;

    CU_ASSERT_FATAL(utmp_read(&entry, &login));
    CU_ASSERT_STRING_EQUAL(login.line, "pts/3");
    CU_ASSERT_STRING_EQUAL(login.user, "bob");
    CU_ASSERT_STRING_EQUAL(login.from, "192.0.2.7");
    CU_ASSERT_EQUAL(login.leader, 4711);
    CU_ASSERT_EQUAL(login.since_us, 10000020);
}

static void other_records_are_passed_over(void)
{
    struct utmp entry = record("pts/3", "bob");
    struct utmp_login before, login;

    memset(&before, 0x5a, sizeof(before));
    login = before;
    for (short type = -1; type < 20; type++) {
        entry.ut_type = type;
        CU_ASSERT_EQUAL(utmp_read(&entry, &login), type == USER_PROCESS);
        login = before;
    }
    entry = record("pts/3", "bob");
    for (pid_t pid = -1; pid <= 0; pid++) {
        entry.ut_pid = pid;
        CU_ASSERT_FALSE(utmp_read(&entry, &login));
    }
    CU_ASSERT_EQUAL(memcmp(&login, &before, sizeof(login)), 0);
}

static void names_are_checked(void)
{
    static const char *const lines[] = {"",        "pts/",   "pts/03",    "pts/3 ",
                                        "../null", "pts/3x", "pts/../3",  "tty0",
                                        "tty64",   "ttyS0",  "/dev/pts/3"};
    static const char *const users[] = {"",    "-bob",   "b ob",  "b/ob",
                                        "b:o", "b\x1bo", "b\xff", "b\no"};
    struct utmp_login login;
    struct utmp entry;

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        entry = record(lines[i], "bob");
        CU_ASSERT_FALSE(utmp_read(&entry, &login));
    }
    for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
        entry = record("pts/3", users[i]);
        CU_ASSERT_FALSE(utmp_read(&entry, &login));
    }
    entry = record("tty63", "b\xc3\xb6"
                            "b");
    CU_ASSERT(utmp_read(&entry, &login));
}

static void fields_need_not_be_terminated(void)
{
    struct utmp entry = record("pts/3", "");
    struct utmp_login login;

    memset(entry.ut_user, 'u', sizeof(entry.ut_user));
    memset(entry.ut_host, 'h', 64);
    CU_ASSERT_FATAL(utmp_read(&entry, &login));
    CU_ASSERT_EQUAL(strlen(login.user), sizeof(entry.ut_user));
    CU_ASSERT_EQUAL(strlen(login.from), 64);
    entry.ut_host[64] = 'h'; /* too long to be told: left out */
    CU_ASSERT_FATAL(utmp_read(&entry, &login));
    CU_ASSERT_STRING_EQUAL(login.from, "");
    memset(entry.ut_host, 'h', sizeof(entry.ut_host));
    CU_ASSERT_FATAL(utmp_read(&entry, &login));
    CU_ASSERT_STRING_EQUAL(login.from, "");
    memcpy(entry.ut_host, "a\x1b[1m\0", 6);
    CU_ASSERT_FATAL(utmp_read(&entry, &login));
    CU_ASSERT_STRING_EQUAL(login.from, "");
    memset(entry.ut_line, '1', sizeof(entry.ut_line));
    memcpy(entry.ut_line, "pts/", 4);
    CU_ASSERT_FALSE(utmp_read(&entry, &login));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_file_is_believed_only_so_far), UNIT_TEST(a_login_is_read),
        UNIT_TEST(other_records_are_passed_over),  UNIT_TEST(names_are_checked),
        UNIT_TEST(fields_need_not_be_terminated),  UNIT_END,
    };

    return unit_run("present_utmp", tests);
}
