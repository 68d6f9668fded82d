/* SPDX-License-Identifier: MIT */
#include "common/config.h"

#include "common/inifile.h"
#include "common/mem.h"
#include "protocol/slice.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct config config;

static int parse(struct slice text, struct diag *ret_diag)
{
    config_defaults(&config);
    return config_parse(&config, "f", text, ret_diag);
}

static void test_defaults(void)
{
    config_defaults(&config);
    CU_ASSERT_STRING_EQUAL(config.socket, "/run/msgd/msgd.sock");
    CU_ASSERT_STRING_EQUAL(config.listen, "");
    CU_ASSERT_EQUAL(config.max_time, 7ULL * 86400000);
    CU_ASSERT_EQUAL(config.held_text, 64ULL << 20);
    CU_ASSERT_EQUAL(config.messages_a_minute, 60);
    CU_ASSERT_EQUAL(config.users, RIGHTS_EVERYBODY);
    CU_ASSERT_EQUAL(config.who, RIGHTS_WHO_EVERYBODY);
}

static void test_parse(void)
{
    struct diag diag;
    CU_ASSERT_EQUAL_FATAL(
        parse(
            SLICE(
                "\xEF\xBB\xBF# comment\r\n[msgd]\r\n"
                "  name = mail host ; really\n"
                "listen=192.0.2.1, [::1]:99 ,0.0.0.0:0\n"
                "socket = /tmp/a b\n\n; more\n[limits] # here\n"
                "max_time = 90m\nuids=5\n[rights]\nadmin_group = adm\nusers = nobody\nwho=admins"),
            &diag),
        0);
    CU_ASSERT_STRING_EQUAL(config.name, "mail host");
    CU_ASSERT_STRING_EQUAL(config.socket, "/tmp/a b");
    CU_ASSERT_STRING_EQUAL(config.admin_group, "adm");
    CU_ASSERT_EQUAL(config.max_time, 5400000);
    CU_ASSERT_EQUAL(config.uids, 5);
    CU_ASSERT_EQUAL(config.users, RIGHTS_NOBODY);
    CU_ASSERT_EQUAL(config.who, RIGHTS_WHO_ADMINS);
}

static void refused(const char *text, const char *expected)
{
    struct diag diag = {""};
    CU_ASSERT_TRUE(parse(slice_of(text), &diag) < 0);
    CU_ASSERT_STRING_EQUAL(diag.text, expected);
}

static void test_refused(void)
{
    refused("[msgd]\nport = 1\n", "f:2: unknown key port in section [msgd]");
    refused("[msg]\nport = 1\n", "f:2: unknown key port in section [msg]");
    for (size_t i = 0; i < 4; i++) {
        static const char *const words[] = {"", "no", "nobodys", "self|nobody"};
        char text[64];
        snprintf(text, sizeof(text), "[rights]\nusers = %s\n", words[i]);
        refused(text, "f:2: users wants one of everybody|self|nobody");
    }
    refused("name = x\n", "f:1: name belongs to section [msgd]");
    refused("[limits]\nname = x\n", "f:2: name belongs to section [msgd]");
    refused("[msgd]\nname = a\n\nname = b\n", "f:4: name is there twice");
    refused("[msgd]\nname = a\n name = b\n", "f:3: name is there twice");
    refused("[msgd]\nname = a\n uids = 3\n", "f:3: uids belongs to section [limits]");
    refused("[msgd]\nname\n", "f:2: neither [section] nor key = value");
    refused("[msgd\nname = a\n", "f:1: neither [section] nor key = value");
    refused("[msgd] name = a\n", "f:1: text behind the section's name");
    refused("[msgd]\n\nname = \x1B\n", "f:3: column 8: control character ESC");
    refused("[msgd]\nname = \xFF\n", "f:2: column 8: byte 0xFF, which is not UTF-8");
    refused("[msgd]\nsocket = run/x\n", "f:2: socket wants a path that begins with /");
    refused("[msgd]\nsocket =\n", "f:2: socket wants a path that begins with /");
    refused("[limits]\nmax-time = 9\n", "f:2: unknown key max-time in section [limits]");
    refused("[limits]\nuids =\n", "f:2: uids wants a number from 1 to 1000000");
    refused("[limits]\nuids = 0\n", "f:2: uids wants a number from 1 to 1000000");
    refused("[limits]\nuids = 1000001\n", "f:2: uids wants a number from 1 to 1000000");
    refused("[limits]\nuids = 5 # five\n", "f:2: uids wants a number from 1 to 1000000");
    refused("[limits]\nmax_time = 8d\n", "f:2: max_time wants a time from 1s to 7d");
    refused("[limits]\nmax_time = 0\n", "f:2: max_time wants a time from 1s to 7d");
}

/* The first error is told, whichever of the two parsers found it. */
static void test_first_error(void)
{
    refused("[msgd]\nport = 1\nbad\n", "f:2: unknown key port in section [msgd]");
    refused("[msgd]\nbad\nport = 1\n", "f:2: neither [section] nor key = value");
    refused("[msgd]\nbad\n\x1B\n", "f:2: neither [section] nor key = value");
}

static void test_nul(void)
{
    struct diag diag;
    CU_ASSERT_EQUAL(parse(SLICE("[msgd]\nname = a\0b\n"), &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(diag.text, "f:2: column 9: control character NUL");
}

static void test_line_length(void)
{
    struct diag diag = {""};
    char text[256];
    for (int len = LIM_CONFIG_LINE - 1; len <= LIM_CONFIG_LINE + 1; len++) {
        memset(text, '#', sizeof(text));
        memcpy(text, "[msgd]\n", 7);
        bool fits = len <= LIM_CONFIG_LINE;
        CU_ASSERT_EQUAL(parse((struct slice){text, 7 + (size_t)len}, &diag), fits ? 0 : -EMSGSIZE);
    }
    CU_ASSERT_STRING_EQUAL(diag.text, "f:2: longer than 190 bytes");
}

/* inih cuts what is longer than its buffer: the longest value must come through whole. */
static void test_longest_value(void)
{
    char text[512], path[256];
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[170] = '\0';
    snprintf(text, sizeof(text), "[msgd]\nauthorized_keys = %s\nname = n\n", path);
    CU_ASSERT_EQUAL(parse(slice_of(text), NULL), 0);
    CU_ASSERT_STRING_EQUAL(config.authorized_keys, path);
    CU_ASSERT_STRING_EQUAL(config.name, "n");
    path[170] = 'x';
    path[171] = '\0';
    snprintf(text, sizeof(text), "[msgd]\nauthorized_keys = %s\n", path);
    refused(text, "f:2: authorized_keys is longer than 170 bytes");
    path[108] = '\0';
    CU_ASSERT_EQUAL(config_set(&config, "socket", path, NULL), -EINVAL);
    path[107] = '\0';
    CU_ASSERT_EQUAL(config_set(&config, "socket", path, NULL), 0);
}

static void test_switch(void)
{
    config_defaults(&config);
    CU_ASSERT_EQUAL(config.audit_text, 0);
    CU_ASSERT_EQUAL(config_set(&config, "audit-text", "yes", NULL), 0);
    CU_ASSERT_EQUAL(config.audit_text, 1);
    CU_ASSERT_EQUAL(config_set(&config, "audit-text", "no", NULL), 0);
    CU_ASSERT_EQUAL(config.audit_text, 0);
    refused("[audit]\naudit_text = true\n", "f:2: audit_text wants one of no|yes");
    refused("[audit]\naudit_text =\n", "f:2: audit_text wants one of no|yes");
    refused("[audit]\naudit_text = yesno\n", "f:2: audit_text wants one of no|yes");
}

static void test_set(void)
{
    struct diag diag;
    config_defaults(&config);
    CU_ASSERT_TRUE(config_has("uids"));
    CU_ASSERT_FALSE(config_has("uid"));
    CU_ASSERT_EQUAL(config_set(&config, "uids", "7", &diag), 0);
    CU_ASSERT_EQUAL(config.uids, 7);
    CU_ASSERT_TRUE(config_has("max-time"));
    CU_ASSERT_EQUAL(config_set(&config, "max-time", "9", &diag), 0);
    CU_ASSERT_EQUAL(config.max_time, 9000);
    CU_ASSERT_EQUAL(config_set(&config, "uid", "7", &diag), -EINVAL);
    CU_ASSERT_STRING_EQUAL(diag.text, "unknown key uid");
    CU_ASSERT_EQUAL(config_set(&config, "name", "a ;b", &diag), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "name", ";b", &diag), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "name", " b", &diag), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "name", "b ", &diag), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "name", "a\nb", &diag), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "name", "a;b#", &diag), 0);
    CU_ASSERT_EQUAL(config_set(&config, "name", "", &diag), 0);
}

static void test_listen(void)
{
    struct sockaddr_storage address;
    struct slice list = SLICE("192.0.2.1, [::1]:99,0.0.0.0:0");
    static const char *const bad[] = {"example.org", "1.2.3.4:65536", "1.2.3.4,",
                                      ",",           "1.2.3.4 ::1",   "[::1]99",
                                      "1.2.3.4:",    "[1.2.3.4",      "*"};
    CU_ASSERT_TRUE(config_listen_next(&list, &address));
    CU_ASSERT_EQUAL(ntohs(((struct sockaddr_in *)&address)->sin_port), 6743);
    CU_ASSERT_TRUE(config_listen_next(&list, &address));
    CU_ASSERT_EQUAL(address.ss_family, AF_INET6);
    CU_ASSERT_EQUAL(ntohs(((struct sockaddr_in6 *)&address)->sin6_port), 99);
    CU_ASSERT_TRUE(config_listen_next(&list, &address));
    CU_ASSERT_EQUAL(((struct sockaddr_in *)&address)->sin_port, 0);
    CU_ASSERT_FALSE(config_listen_next(&list, &address));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CU_ASSERT_EQUAL(config_set(&config, "listen", bad[i], NULL), -EINVAL);
    CU_ASSERT_EQUAL(config_set(&config, "listen", "::1", NULL), 0);
    CU_ASSERT_EQUAL(config_set(&config, "listen", "", NULL), 0);
}

static void test_dump(void)
{
    struct config first;
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *again = NULL;
    size_t len;
    memset(&config, 0, sizeof(config));
    CU_ASSERT_EQUAL(parse(SLICE("[msgd]\nlisten=1.2.3.4:5\nname=a b\n[limits]\nmax_time=61s\n"
                                "handshakes=7\n"),
                          NULL),
                    0);
    first = config;
    FILE *out = open_memstream(&text, &len);
    config_dump(&first, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "[msgd]\n# "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nmax_time = 61s\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\n[limits]\n"));
    CU_ASSERT_EQUAL_FATAL(parse((struct slice){text, len}, NULL), 0);
    out = open_memstream(&again, &len);
    config_dump(&config, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, again);
    CU_ASSERT_EQUAL(config.max_time, 61000);
}

static void test_folder(void)
{
    char path[PATH_MAX];
    struct diag diag;
    folder_make();
    strcpy(path, in_folder("msgd.conf"));
    CU_ASSERT_EQUAL(config_load(path, true, &config, &diag), -ENOENT);
    CU_ASSERT_EQUAL(config_load(path, false, &config, &diag), 0);
    put_file(path, "[limits]\nuids = 1\nhandshakes = 1\n", 0644);
    CU_ASSERT_EQUAL(mkdir(in_folder("msgd.conf.d"), 0755), 0);
    put_file(in_folder("msgd.conf.d/b.conf"), "[limits]\nuids = 3\n", 0644);
    put_file(in_folder("msgd.conf.d/a.conf"), "[limits]\nuids = 2\nconnections = 2\n", 0644);
    put_file(in_folder("msgd.conf.d/c.conf.dpkg-old"), "nonsense\n", 0644);
    put_file(in_folder("msgd.conf.d/.d.conf"), "nonsense\n", 0644);
    CU_ASSERT_EQUAL(config_load(path, true, &config, &diag), 0);
    CU_ASSERT_EQUAL(config.uids, 3);
    CU_ASSERT_EQUAL(config.connections, 2);
    CU_ASSERT_EQUAL(config.handshakes, 1);
    put_file(in_folder("msgd.conf.d/a.conf"), "[limits]\nuid = 2\n", 0644);
    CU_ASSERT_EQUAL(config_load(path, true, &config, &diag), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "msgd.conf.d/a.conf:2: unknown key uid"));
    CU_ASSERT_EQUAL(config.uids, 3);
    CU_ASSERT_EQUAL(chmod(in_folder("msgd.conf.d/a.conf"), 0666), 0);
    CU_ASSERT_EQUAL(config_load(path, true, &config, &diag), -EPERM);
    folder_remove();
}

static void test_complete(void)
{
    folder_make();
    config_defaults(&config);
    put_file(in_folder("login.defs"), "# UID_MIN 7\nUID_MAX\t60000\nUID_MIN\t\t 500\n", 0644);
    CU_ASSERT_EQUAL(config_complete(&config, in_folder("login.defs"), NULL), 0);
    CU_ASSERT_EQUAL(config.uid_min, 500);
    CU_ASSERT_TRUE(strlen(config.name) > 0);
    CU_ASSERT_STRING_EQUAL(config.host_key, "/var/lib/msgd/host_key");
    config_defaults(&config);
    CU_ASSERT_EQUAL(config_set(&config, "state", "/x", NULL), 0);
    CU_ASSERT_EQUAL(config_set(&config, "host_key", "", NULL), 0);
    CU_ASSERT_EQUAL(config_complete(&config, in_folder("none"), NULL), 0);
    CU_ASSERT_STRING_EQUAL(config.host_key, "/x/host_key");
    CU_ASSERT_EQUAL(config.uid_min, 1000);
    config.uid_min = 70;
    strcpy(config.name, "n");
    CU_ASSERT_EQUAL(config_complete(&config, in_folder("login.defs"), NULL), 0);
    CU_ASSERT_EQUAL(config.uid_min, 70);
    CU_ASSERT_STRING_EQUAL(config.name, "n");
    folder_remove();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_defaults),      UNIT_TEST(test_parse),
        UNIT_TEST(test_refused),       UNIT_TEST(test_first_error),
        UNIT_TEST(test_nul),           UNIT_TEST(test_line_length),
        UNIT_TEST(test_longest_value), UNIT_TEST(test_switch),
        UNIT_TEST(test_set),           UNIT_TEST(test_listen),
        UNIT_TEST(test_dump),          UNIT_TEST(test_folder),
        UNIT_TEST(test_complete),      UNIT_END,
    };
    return unit_run("config", tests);
}
