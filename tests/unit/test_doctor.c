/* SPDX-License-Identifier: MIT */
/* The course of msgctl doctor: order, numbers, what hangs on what, and what is printed. */
#include "client/doctor.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

/* What each check will say; NULL: ok. */
static const struct finding *plan[CHECKS];
static bool tried[CHECKS];
static char *printed;
static size_t size;
static bool stopped;

#define CHECK(ID, ...)                                                                             \
    static void run_##ID(void *context, struct finding *finding)                                   \
    {                                                                                              \
        CU_ASSERT_PTR_EQUAL(context, plan);                                                        \
        tried[CHECK_##ID] = true;                                                                  \
        if (plan[CHECK_##ID])                                                                      \
            *finding = *plan[CHECK_##ID];                                                          \
    }
#include "client/doctor.def"

static const check_function FUNCTIONS[CHECKS] = {
#define CHECK(ID, ...) run_##ID,
#include "client/doctor.def"
};

static void forget(void)
{
    memset(plan, 0, sizeof(plan));
    free(TAKE(printed));
}

static int course(bool local, bool json)
{
    struct doctor doctor = {.local = local, .host = "h2", .json = json};

    memset(tried, 0, sizeof(tried));
    free(TAKE(printed));
    doctor.out = open_memstream(&printed, &size);
    int status = doctor_run(&doctor, FUNCTIONS, plan, &stopped);
    fclose(doctor.out);
    return status;
}

static bool says(const char *text)
{
    return strstr(printed, text) != NULL;
}

static void test_all_is_well(void)
{
    CU_ASSERT_EQUAL(course(false, false), 0);
    CU_ASSERT_FALSE(stopped);
    CU_ASSERT_EQUAL(strncmp(printed, " 1. ok       your files: \n 2. ok       name: \n", 46), 0);
    CU_ASSERT_TRUE(says("\n14. ok       clock: \n"));
    CU_ASSERT_FALSE(tried[CHECK_SOCKET]);
    CU_ASSERT_EQUAL(course(true, false), 0);
    CU_ASSERT_TRUE(says("\n 2. ok       msgd.conf: \n"));
    CU_ASSERT_TRUE(says("\n13. ok       popup: \n"));
    CU_ASSERT_FALSE(says("clock"));
    CU_ASSERT_FALSE(tried[CHECK_LISTENER]);
    forget();
}

static void test_what_needs_a_failure_is_skipped(void)
{
    struct finding refused = {.state = CHECK_OK};

    check_fail(&refused, "port %d: refused", 6743);
    check_mend_there(&refused, AS_ROOT, "systemctl %s", "start it");
    plan[CHECK_LISTENER] = &refused;
    CU_ASSERT_EQUAL(course(false, false), CTL_NO_SERVER);
    CU_ASSERT_TRUE(says("\n 7. fails    listener: port 6743: refused\n"
                        "        type on h2, as root:  systemctl start it\n"
                        " 8. skipped  handshake: needs 7, listener\n"
                        " 9. skipped  host key: needs 7, listener\n"));
    CU_ASSERT_TRUE(says("clock: needs 7, listener\n"));
    CU_ASSERT_TRUE(tried[CHECK_ADDRESS]);
    CU_ASSERT_TRUE(tried[CHECK_LISTENER]);
    CU_ASSERT_FALSE(tried[CHECK_HANDSHAKE]);
    CU_ASSERT_FALSE(tried[CHECK_CLOCK]);
    forget();
}

/* The status is the first's, and what does not hang on it is tried all the same. */
static void test_two_failures(void)
{
    struct finding conf = {.state = CHECK_OK}, socket = {.state = CHECK_OK};

    check_fail(&conf, "bad");
    check_mend(&conf, "editor");
    check_fail(&socket, "no such file");
    plan[CHECK_CONFIG] = &conf;
    plan[CHECK_SOCKET] = &socket;
    CU_ASSERT_EQUAL(course(true, false), CTL_FAILED);
    CU_ASSERT_TRUE(says("fails    msgd.conf: bad\n        type here:  editor\n"));
    CU_ASSERT_TRUE(says("skipped  senders: needs 2, msgd.conf\n"));
    CU_ASSERT_TRUE(says("ok       msgd.socket: \n"));
    CU_ASSERT_TRUE(says("fails    socket: no such file\n 9. skipped  server: needs 8, socket\n"));
    plan[CHECK_CONFIG] = NULL;
    CU_ASSERT_EQUAL(course(true, false), CTL_NO_SERVER);
    forget();
}

static void test_what_is_skipped_fails_nothing(void)
{
    struct finding skipped = {.state = CHECK_OK};

    check_skip(&skipped, "forbidden");
    check_mend(&skipped, "never printed");
    plan[CHECK_SESSIONS] = &skipped;
    CU_ASSERT_EQUAL(course(false, false), 0);
    CU_ASSERT_TRUE(says("12. skipped  sessions: forbidden\n13. ok       popup"));
    plan[CHECK_SESSIONS] = NULL;
    plan[CHECK_KEY] = &skipped; /* but what needs it cannot be tried */
    CU_ASSERT_EQUAL(course(false, false), 0);
    CU_ASSERT_TRUE(says("skipped  handshake: needs 3, your key\n"));
    forget();
}

static void test_a_signal_ends_it(void)
{
    const struct finding stop = {.state = CHECK_STOPPED};

    plan[CHECK_HANDSHAKE] = &stop;
    CU_ASSERT_EQUAL(course(false, false), 0);
    CU_ASSERT_TRUE(stopped);
    CU_ASSERT_FALSE(says("handshake"));
    CU_ASSERT_FALSE(tried[CHECK_HOST_KEY]);
    forget();
}

/* What a server says, a name that was typed: nothing breaks out of its line. */
static void test_everything_is_escaped(void)
{
    struct finding hostile = {.state = CHECK_OK};

    check_fail(&hostile, "a\x1b[2J\nb\"");
    check_mend_there(&hostile, "r\noot", "c\nd");
    plan[CHECK_YOU] = &hostile;
    course(false, false);
    CU_ASSERT_TRUE(says("you there: a\\x1B[2J\\x0Ab\"\n"
                        "        type on h2, as r\\x0Aoot:  c\\x0Ad\n"));
    CU_ASSERT_FALSE(says("\x1b"));
    course(false, true);
    CU_ASSERT_TRUE(says("\"found\":\"a\\u001B[2J\\u000Ab\\\"\""));
    CU_ASSERT_FALSE(says("\x1b"));
    forget();
}

static void test_json(void)
{
    struct finding finding = {.state = CHECK_OK};

    check_fail(&finding, "refused");
    check_mend_there(&finding, AS_ROOT, "systemctl");
    plan[CHECK_LISTENER] = &finding;
    course(false, true);
    CU_ASSERT_TRUE(
        says("{\"schema\":1,\"number\":7,\"name\":\"listener\",\"state\":\"fails\",\"found\":"
             "\"refused\",\"mend\":\"systemctl\",\"on\":\"h2\",\"as\":\"root\"}\n"
             "{\"schema\":1,\"number\":8,\"name\":\"handshake\",\"state\":\"skipped\","
             "\"found\":\"needs 7, listener\"}\n"));
    check_mend(&finding, "here");
    course(false, true);
    CU_ASSERT_TRUE(says("\"mend\":\"here\",\"on\":\"\",\"as\":\"\"}\n"));
    forget();
}

/* On this host there is no other to type on. */
static void test_there_is_here_on_this_host(void)
{
    struct finding finding = {.state = CHECK_OK};

    check_fail(&finding, "lost");
    check_mend_there(&finding, AS_ROOT, "systemctl");
    plan[CHECK_SESSIONS] = &finding;
    course(true, false);
    CU_ASSERT_TRUE(says("        type here, as root:  systemctl\n"));
    forget();
}

static void complain(const char *text, struct finding *finding)
{
    struct diag diag;

    snprintf(diag.text, sizeof(diag.text), "%s", text);
    *finding = (struct finding){.state = CHECK_OK};
    check_fail_diag(finding, &diag);
    CU_ASSERT_EQUAL(finding->state, CHECK_FAILS);
}

static void test_complaints_of_libraries(void)
{
    struct finding finding;

    complain("/a/id is open to others (mode 0644); run: chmod 600 /a/id", &finding);
    CU_ASSERT_STRING_EQUAL(finding.found, "/a/id is open to others (mode 0644)");
    CU_ASSERT_STRING_EQUAL(finding.mend, "chmod 600 /a/id");
    complain("/a:b/known_hosts:12: no key", &finding);
    CU_ASSERT_STRING_EQUAL(finding.found, "/a:b/known_hosts:12: no key");
    CU_ASSERT_STRING_EQUAL(finding.mend, "editor +12 /a:b/known_hosts");
    complain("/a/b: Permission denied", &finding);
    CU_ASSERT_STRING_EQUAL(finding.mend, "");
    complain("a:9:b a:0: b:: c:9 d", &finding);
    CU_ASSERT_STRING_EQUAL(finding.mend, "");
    complain("", &finding);
    CU_ASSERT_STRING_EQUAL(finding.mend, "");
}

int main(void)
{
    CU_TestInfo tests[] = {UNIT_TEST(test_all_is_well),
                           UNIT_TEST(test_what_needs_a_failure_is_skipped),
                           UNIT_TEST(test_two_failures),
                           UNIT_TEST(test_what_is_skipped_fails_nothing),
                           UNIT_TEST(test_a_signal_ends_it),
                           UNIT_TEST(test_everything_is_escaped),
                           UNIT_TEST(test_json),
                           UNIT_TEST(test_there_is_here_on_this_host),
                           UNIT_TEST(test_complaints_of_libraries),
                           UNIT_END};
    return unit_run("doctor", tests);
}
