/* SPDX-License-Identifier: MIT */
#include "common/msg_conf.h"

#include "common/mem.h"
#include "common/paths.h"
#include "common/values.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <pwd.h>

static void test_parse(void)
{
    struct msg_conf conf;
    CU_ASSERT_EQUAL_FATAL(
        msg_conf_parse("f",
                       SLICE("[msg]\ndefault_time = 10m\n[alias]\nMail = mail1.example:99\n"
                             "v6 = [2001:db8::1]:7\n[group]\nweb = web1, web2:7,mail\n"),
                       &conf, NULL),
        0);
    CU_ASSERT_TRUE(conf.default_time_set);
    CU_ASSERT_EQUAL(conf.default_time_s, 600);
    CU_ASSERT_STRING_EQUAL(msg_conf_alias(&conf, "mAIL"), "mail1.example:99");
    CU_ASSERT_PTR_NULL(msg_conf_alias(&conf, "web"));
    CU_ASSERT_STRING_EQUAL(msg_conf_group(&conf, "web"), "web1, web2:7,mail");
    CU_ASSERT_PTR_NULL(msg_conf_group(&conf, "mail"));
    msg_conf_free(&conf);
}

static void refused(const char *text, const char *expected)
{
    struct msg_conf conf;
    struct diag diag = {""};
    CU_ASSERT_TRUE(msg_conf_parse("f", slice_of(text), &conf, &diag) < 0);
    CU_ASSERT_STRING_EQUAL(diag.text, expected);
}

static void test_refused(void)
{
    refused("[msg]\nserver = x\n", "f:2: unknown key server in section [msg]");
    refused("[msg]\ndefault_time = 8d\n",
            "f:2: default_time wants a time from 0 to 7d, such as 10m");
    refused("[msg]\ndefault_time = 1\ndefault_time = 2\n", "f:3: default_time is there twice");
    refused("[other]\na = b\n", "f:2: unknown section [other]");
    refused("[alias]\na = b\nA = c\n", "f:3: A is there twice");
    refused("[alias]\na =\n", "f:2: an alias is a host, host:port or [v6]:port");
    refused("[alias]\na = b c\n", "f:2: an alias is a host, host:port or [v6]:port");
    refused("[alias]\na = b:0\n", "f:2: an alias is a host, host:port or [v6]:port");
    refused("[alias]\na/b = c\n", "f:2: the name a/b is not 1 to 64 of A-Z a-z 0-9 . _ @ -");
    refused("[group]\na = b,,c\n", "f:2: a group is a list of servers, separated by commas");
}

static void test_file(void)
{
    struct msg_conf conf;
    struct diag diag;
    folder_make();
    CU_ASSERT_EQUAL(msg_conf_load(in_folder("msg.conf"), &conf, &diag), 0);
    CU_ASSERT_FALSE(conf.default_time_set);
    CU_ASSERT_EQUAL(conf.count, 0);
    msg_conf_free(&conf);
    put_file(in_folder("msg.conf"), "[alias]\na = b\n", 0666);
    CU_ASSERT_EQUAL(msg_conf_load(in_folder("msg.conf"), &conf, &diag), -EPERM);
    folder_remove();
}

static void endpoint(const char *text, const char *host, unsigned port)
{
    struct endpoint end = {.port = 1};
    CU_ASSERT_EQUAL(value_endpoint(slice_of(text), 6743, &end), host ? 0 : -EINVAL);
    if (!host)
        return;
    CU_ASSERT_STRING_EQUAL(end.host, host);
    CU_ASSERT_EQUAL(end.port, port);
}

static void test_endpoint(void)
{
    char longest[257];
    memset(longest, 'h', sizeof(longest));
    endpoint("h", "h", 6743);
    endpoint("h:1", "h", 1);
    endpoint("h:65535", "h", 65535);
    endpoint("[2001:db8::1]", "2001:db8::1", 6743);
    endpoint("[2001:db8::1]:7", "2001:db8::1", 7);
    endpoint("2001:db8::1", "2001:db8::1", 6743);
    endpoint("192.0.2.1:80", "192.0.2.1", 80);
    endpoint("", NULL, 0);
    endpoint(":7", NULL, 0);
    endpoint("h:", NULL, 0);
    endpoint("h:0", NULL, 0);
    endpoint("h:65536", NULL, 0);
    endpoint("h:7x", NULL, 0);
    endpoint("[]:7", NULL, 0);
    endpoint("[::1", NULL, 0);
    endpoint("[::1]7", NULL, 0);
    endpoint("a b", NULL, 0);
    endpoint("a,b", NULL, 0);
    endpoint("a/b", NULL, 0);
    longest[256] = '\0';
    endpoint(longest, NULL, 0);
    longest[255] = '\0';
    endpoint(longest, longest, 6743);
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        uint64_t ms;
        const char *back;
    } good[] = {{"0", 0, "0s"},
                {"7", 7000, "7s"},
                {"90s", 90000, "90s"},
                {"120s", 120000, "2m"},
                {"5m", 300000, "5m"},
                {"24h", 86400000, "1d"},
                {"36h", 129600000, "36h"},
                {"7d", 604800000, "7d"}};
    static const char *const bad[] = {"", "s", "1.5m", "-1", "1w", "m1", " 1", "1 m", "+1"};
    char back[VALUE_DURATION];
    uint64_t ms = 0;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CU_ASSERT_EQUAL(value_duration(slice_of(good[i].text), &ms), 0);
        CU_ASSERT_EQUAL(ms, good[i].ms);
        value_duration_format(ms, back);
        CU_ASSERT_STRING_EQUAL(back, good[i].back);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CU_ASSERT_EQUAL(value_duration(slice_of(bad[i]), &ms), -EINVAL);
    CU_ASSERT_EQUAL(value_duration(SLICE("18446744073709551615"), &ms), -EINVAL);
    CU_ASSERT_EQUAL(value_duration(SLICE("213503982334d"), &ms), 0);
    CU_ASSERT_EQUAL(value_duration(SLICE("213503982335d"), &ms), -EINVAL); /* above 2^64 - 1 ms */
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool sound;
    } rows[] = {
        {"0", 0, true},    {"1", 0, false},   {"007", 7, true},   {"8", 7, false},
        {"10", 10, true},  {"11", 10, false}, {"20", 10, false},  {"9", UINT64_MAX, true},
        {"", 9, false},    {"-1", 9, false},  {"+1", 9, false},   {" 1", 9, false},
        {"1 ", 99, false}, {"1x", 99, false}, {"0x1", 99, false}, {"\xb2", 9, false},
    };
    uint64_t number = 77;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CU_ASSERT_EQUAL(slice_number(slice_of(rows[i].text), rows[i].max, &number), rows[i].sound);
    CU_ASSERT_EQUAL(number, 9);
    CU_ASSERT(slice_number(SLICE("18446744073709551615"), UINT64_MAX, &number));
    CU_ASSERT_EQUAL(number, UINT64_MAX);
    CU_ASSERT_FALSE(slice_number(SLICE("18446744073709551616"), UINT64_MAX, &number));
    CU_ASSERT_FALSE(slice_number(SLICE("99999999999999999999"), UINT64_MAX, &number));
    CU_ASSERT_FALSE(slice_number((struct slice){0}, 9, &number));
}

static void test_paths(void)
{
    struct paths paths;
    char expected[PATH_MAX];
    struct diag diag;
    CU_ASSERT_EQUAL(paths_find("/x", &paths, &diag), 0);
    CU_ASSERT_STRING_EQUAL(paths.identity, "/x/identity");
    CU_ASSERT_STRING_EQUAL(paths.known_hosts, "/x/known_hosts");
    CU_ASSERT_STRING_EQUAL(paths.msg_conf, "/x/msg.conf");
    CU_ASSERT_EQUAL(paths_find("x", &paths, &diag), -EINVAL);
    setenv("MSG_CONFIG_HOME", "/y", 1);
    CU_ASSERT_EQUAL(paths_find(NULL, &paths, &diag), 0);
    CU_ASSERT_STRING_EQUAL(paths.folder, "/y");
    unsetenv("MSG_CONFIG_HOME");
    unsetenv("SUDO_UID");
    setenv("XDG_CONFIG_HOME", "/z", 1);
    CU_ASSERT_EQUAL(paths_find(NULL, &paths, &diag), 0);
    CU_ASSERT_STRING_EQUAL(paths.folder, "/z/msg");
    /* Under sudo it is the caller's. */
    setenv("SUDO_UID", "1000", 1);
    setenv("HOME", "/nonsense", 1);
    const struct passwd *user = getpwuid(geteuid());
    if (user) {
        snprintf(expected, sizeof(expected), "%s/.config/msg", user->pw_dir);
        CU_ASSERT_EQUAL(paths_find(NULL, &paths, &diag), 0);
        CU_ASSERT_STRING_EQUAL(paths.folder, expected);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_parse),     UNIT_TEST(test_refused),
        UNIT_TEST(test_file),      UNIT_TEST(test_endpoint),
        UNIT_TEST(test_durations), UNIT_TEST(test_numbers),
        UNIT_TEST(test_paths),     UNIT_END,
    };
    return unit_run("msg_conf", tests);
}
