/* SPDX-License-Identifier: MIT */
/* The command line, word by word: what is an option, what is text, what is refused and how. */
#include "client/options.h"
#include "client/server.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct options options;
static struct options_report report;

/* A folder of names separated by blanks. */
static const char *next_name(void *context)
{
    static char name[64];
    const char **rest = context;
    size_t len = strcspn(*rest, " ");

    if (len == 0)
        return NULL;
    snprintf(name, sizeof(name), "%.*s", (int)len, *rest);
    *rest += len + ((*rest)[len] == ' ');
    return name;
}

static bool parse_in(const char *names, const char *const argv[])
{
    static const char *kept[32]; /* what options borrows outlives the caller's list */
    struct options_folder folder = {next_name, &names};
    int argc = 0;

    for (; argv[argc]; argc++)
        kept[argc] = argv[argc];
    return options_parse(argc, kept, &folder, &options, &report);
}

#define ARGV(...)      ((const char *[]){"msg", ##__VA_ARGS__, NULL})
#define PARSE(...)     parse_in("", ARGV(__VA_ARGS__))
#define IN(names, ...) parse_in(names, ARGV(__VA_ARGS__))
#define REFUSED(part, ...)                                                                         \
    do {                                                                                           \
        CU_ASSERT_FALSE(PARSE(__VA_ARGS__));                                                       \
        CU_ASSERT_PTR_NOT_NULL(strstr(report.error, part));                                        \
        if (!strstr(report.error, part))                                                           \
            printf("\n  said: %s\n", report.error);                                                \
    } while (0)

/* The message's words joined, as a check of where it begins. */
static const char *text(void)
{
    static char joined[512];

    joined[0] = '\0';
    for (size_t i = 0; i < options.n_words; i++) {
        strcat(joined, i ? " " : "");
        strcat(joined, options.words[i]);
    }
    return joined;
}

static void test_windows_command_line(void)
{
    CU_ASSERT_TRUE(PARSE("bob", "/SERVER:h2", "/TIME:30", "/V", "/W", "Meet", "at", "1PM"));
    CU_ASSERT_STRING_EQUAL(options.target, "bob");
    CU_ASSERT_STRING_EQUAL(options.given[OPT_SERVER], "h2");
    CU_ASSERT_EQUAL(options.time_ms, 30000);
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_VERBOSE]);
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_WAIT]);
    CU_ASSERT_PTR_NULL(options.given[OPT_EACH]);
    CU_ASSERT_STRING_EQUAL(text(), "Meet at 1PM");
    CU_ASSERT_STRING_EQUAL(report.note, "");
}

static void test_case_and_order(void)
{
    CU_ASSERT_TRUE(PARSE("/w", "/sErVeR:h2", "bob", "/v", "hello"));
    CU_ASSERT_STRING_EQUAL(options.target, "bob");
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_WAIT]);
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_VERBOSE]);
    CU_ASSERT_STRING_EQUAL(text(), "hello");
}

static void test_gnu_twins(void)
{
    CU_ASSERT_TRUE(PARSE("--server=h2", "--time", "7", "--wait", "bob", "--verbose",
                         "--title=", "T", "hello") == false);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.error, "--title= needs an argument"));
    CU_ASSERT_TRUE(PARSE("--server", "h2", "--time=7", "bob", "--title", "T", "--each", "--notme"));
    CU_ASSERT_STRING_EQUAL(options.given[OPT_SERVER], "h2");
    CU_ASSERT_EQUAL(options.time_ms, 7000);
    CU_ASSERT_STRING_EQUAL(options.given[OPT_TITLE], "T");
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_EACH]);
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_NOTME]);
    CU_ASSERT_EQUAL(options.n_words, 0);
}

static void test_each_option_has_its_twin(void)
{
    static const char *const TWINS[][2] = {
#define OPTION(ID, windows, gnu, argument, when, help) {windows, gnu},
#include "client/options.def"
    };
    char windows[40], gnu[40];

    for (int i = OPT_VERBOSE; i <= OPT_NOTME; i++) {
        snprintf(windows, sizeof(windows), "/%s", TWINS[i][0]);
        snprintf(gnu, sizeof(gnu), "--%s", TWINS[i][1]);
        CU_ASSERT_TRUE(PARSE(windows, "bob"));
        CU_ASSERT_PTR_NOT_NULL(options.given[i]);
        CU_ASSERT_TRUE(PARSE(gnu, "bob"));
        CU_ASSERT_PTR_NOT_NULL(options.given[i]);
    }
}

static void test_text_begins_at_the_first_word(void)
{
    CU_ASSERT_TRUE(PARSE("bob", "use", "/W", "to", "wait"));
    CU_ASSERT_PTR_NULL(options.given[OPT_WAIT]);
    CU_ASSERT_STRING_EQUAL(text(), "use /W to wait");
    CU_ASSERT_STRING_EQUAL(report.note,
                           "/W is sent as text: options end at the message's first word");
    CU_ASSERT_TRUE(PARSE("bob", "ls", "-h", "--"));
    CU_ASSERT_STRING_EQUAL(text(), "ls -h --");
    CU_ASSERT_STRING_EQUAL(report.note, "");
}

static void test_what_looks_like_an_option(void)
{
    static const char *const TEXTS[] = {
        "/home is full", "/etc/passwd", "/boot.img", "/2",       "/",  "-5", "-v", "--5", "--", "-",
        "/a b",          "--a b",       "---",       "\u00e4/x", ":/",
    };

    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(*TEXTS); i++) {
        char word[32];
        snprintf(word, sizeof(word), "%s", TEXTS[i]);
        CU_ASSERT_TRUE(PARSE("bob", word, "tonight"));
        CU_ASSERT_STRING_EQUAL(options.target, "bob");
        CU_ASSERT_STRING_EQUAL(options.words[options.n_words - 1], "tonight");
        CU_ASSERT_EQUAL(options.n_words, strcmp(word, "--") == 0 ? 1 : 2);
    }
    CU_ASSERT_TRUE(PARSE("bob", "-5", "degrees", "tonight"));
    CU_ASSERT_STRING_EQUAL(text(), "-5 degrees tonight");
}

static void test_unknown_options(void)
{
    REFUSED("/home is no option; to send it as text, quote", "bob", "/home");
    REFUSED("or put -- before it", "bob", "/wait", "x");
    REFUSED("--wiat is no option", "bob", "--wiat", "x");
    REFUSED("--serve=h2 is no option", "--serve=h2", "bob");
    REFUSED("/not-me is no option", "bob", "/not-me", "x");
    CU_ASSERT_TRUE(PARSE("bob", "--", "/home"));
    CU_ASSERT_STRING_EQUAL(text(), "/home");
    CU_ASSERT_TRUE(PARSE("--", "bob", "/W", "x"));
    CU_ASSERT_STRING_EQUAL(text(), "/W x");
    CU_ASSERT_STRING_EQUAL(report.note, "");
    CU_ASSERT_TRUE(PARSE("bob", "/TIEM:30", "x"));
    CU_ASSERT_STRING_EQUAL(text(), "/TIEM:30 x");
    CU_ASSERT_PTR_NOT_NULL(strstr(report.note, "/TIEM:30 is sent as text"));
    REFUSED("neither an option nor a target", "/TIEM:30", "bob");
}

static void test_arguments(void)
{
    REFUSED("/SERVER needs an argument: /SERVER:servername", "bob", "/SERVER", "h2");
    REFUSED("/SERVER: needs an argument", "bob", "/SERVER:");
    REFUSED("--server needs an argument: --server=servername", "bob", "--server");
    REFUSED("/W:3: this option takes no argument", "bob", "/W:3");
    REFUSED("--wait=yes: this option takes no argument", "bob", "--wait=yes");
    REFUSED("several servers", "bob", "/SERVER:a", "--server=b");
    REFUSED("/ANSWERS needs an argument: /ANSWERS:a,b", "bob", "/ANSWERS", "x");
    REFUSED("--json is not available in this version", "bob", "--json", "x");
}

static void test_time(void)
{
    CU_ASSERT_TRUE(PARSE("bob", "/TIME:0", "x"));
    CU_ASSERT_EQUAL(options.time_ms, 0);
    CU_ASSERT_TRUE(PARSE("bob", "/TIME:604800", "x"));
    CU_ASSERT_EQUAL(options.time_ms, 604800000);
    REFUSED("/TIME:604801: not a number of seconds from 0 to 604800", "bob", "/TIME:604801", "x");
    REFUSED("not a number of seconds", "bob", "/TIME:-1", "x");
    REFUSED("not a number of seconds", "bob", "/TIME:+1", "x");
    REFUSED("not a number of seconds", "bob", "/TIME:1.5", "x");
    REFUSED("not a number of seconds", "bob", "/TIME:ten", "x");
    REFUSED("not a number of seconds", "bob", "/TIME:99999999999999999999", "x");
}

static void test_targets(void)
{
    REFUSED("to whom?", NULL);
    REFUSED("to whom?", "/V");
    REFUSED("the target is empty", "", "x");
    REFUSED("no target goes with it", "bob", "/ALL", "x");
    CU_ASSERT_TRUE(PARSE("/ALL", "Let's", "meet"));
    CU_ASSERT_PTR_NULL(options.target);
    CU_ASSERT_STRING_EQUAL(text(), "Let's meet");
    CU_ASSERT_TRUE(PARSE("bob"));
    CU_ASSERT_EQUAL(options.n_words, 0);
    CU_ASSERT_TRUE(PARSE("bob", ""));
    CU_ASSERT_EQUAL(options.n_words, 1);
    REFUSED("give one of them", "bob", "--socket=/x", "/SERVER:h2");
}

static void test_help_and_version(void)
{
    CU_ASSERT_TRUE(PARSE("/?"));
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_HELP]);
    CU_ASSERT_TRUE(PARSE("-h"));
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_HELP]);
    CU_ASSERT_TRUE(PARSE("bob", "--help", "--wiat"));
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_HELP]);
    CU_ASSERT_TRUE(PARSE("--version"));
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_VERSION]);
}

static void test_receivers_side(void)
{
    CU_ASSERT_TRUE(PARSE("/ack"));
    CU_ASSERT_PTR_NOT_NULL(options.given[OPT_ACK]);
    CU_ASSERT_EQUAL(options.number, 0);
    CU_ASSERT_TRUE(PARSE("--ack", "7", "Not", "now"));
    CU_ASSERT_EQUAL(options.number, 7);
    CU_ASSERT_STRING_EQUAL(text(), "Not now");
    CU_ASSERT_TRUE(PARSE("/ACK", "Yes", "--socket=/x"));
    CU_ASSERT_EQUAL(options.number, 0);
    CU_ASSERT_STRING_EQUAL(text(), "Yes --socket=/x");
    CU_ASSERT_TRUE(PARSE("/LIST", "4294967295"));
    CU_ASSERT_EQUAL(options.number, 4294967295);
    REFUSED("/LIST 4294967296: not the number", "/LIST", "4294967296");
    REFUSED("not the number of a message", "/LIST", "3", "4");
    REFUSED("numbered from 1", "/ACK", "0");
    REFUSED("/ACK takes no target", "bob", "/ACK");
    REFUSED("/LIST does not go with --server", "/LIST", "/SERVER:h2");
    REFUSED("/ACK does not go with --wait", "/ACK", "/W");
    REFUSED("/ACK does not go with --list", "/ACK", "/LIST");
}

static void test_star_expanded_by_the_shell(void)
{
    const char *hint = "the shell has made this folder's file names of *";

    CU_ASSERT_FALSE(IN("b a c .hidden", "a", "b", "c", "hello"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.error, hint));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.error, "msg /ALL"));
    CU_ASSERT_FALSE(IN("a b c", "/W", "a", "b", "c"));
    CU_ASSERT_FALSE(IN("a b c", "a", "b", "c", "/W", "hello"));
    CU_ASSERT_FALSE(IN("bob", "bob", "hello"));
    CU_ASSERT_TRUE(IN("bob", "user:bob", "hello"));
    CU_ASSERT_TRUE(IN("a b c", "a", "b", "hello"));
    CU_ASSERT_TRUE(IN("a b", "b", "hello", "a"));
    CU_ASSERT_TRUE(IN("hello", "bob", "hello"));
    CU_ASSERT_TRUE(IN("", "bob", "hello"));
    CU_ASSERT_TRUE(IN(".a", "bob", "hello"));
    CU_ASSERT_TRUE(IN("hello", "/ALL", "hello"));
    CU_ASSERT_TRUE(IN("7", "/ack", "7"));
}

static void test_usage_names_each_option(void)
{
    static const char *const SHOWN[] = {
        "/SERVER:servername  --server=servername",
        "/TIME:seconds",
        "--verbose",
        "/NOTME",
        "--socket=path",
        "* ? ' ! &",
        "msg /ALL \"Let's meet at 1PM today\"",
        "/TITLE:text",
    };
    char *usage = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&usage, &len);

    options_usage(stream);
    fclose(stream);
    for (size_t i = 0; i < sizeof(SHOWN) / sizeof(*SHOWN); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(usage, SHOWN[i]));
    CU_ASSERT_PTR_NULL(strstr(usage, "JSON"));
    for (char *line = strtok(usage, "\n"); line; line = strtok(NULL, "\n"))
        CU_ASSERT_TRUE(strlen(line) <= 110);
    free(usage);
}

/* man/msg.1, or NULL. */
static char *read_manual(void)
{
    const char *source = getenv("srcdir");
    char path[512], *text = calloc(1, 1 << 16);
    FILE *file;

    snprintf(path, sizeof(path), "%s/man/msg.1", source ? source : ".");
    file = fopen(path, "r");
    if (!file || !text || fread(text, 1, (1 << 16) - 1, file) == 0)
        return NULL;
    fclose(file);
    return text;
}

static void test_the_manual_has_each_option(void)
{
    static const struct {
        const char *windows, *gnu;
        bool later;
    } ROWS[] = {
#define NOW                                            false
#define LATER                                          true
#define OPTION(ID, windows, gnu, argument, when, help) {windows, gnu, when},
#include "client/options.def"
    };
    char *manual = read_manual(), wanted[64];

    CU_ASSERT_PTR_NOT_NULL_FATAL(manual);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        snprintf(wanted, sizeof(wanted), "Fl -%s", ROWS[i].gnu);
        CU_ASSERT_EQUAL(strstr(manual, wanted) != NULL, !ROWS[i].later);
        if (!ROWS[i].windows)
            continue;
        snprintf(wanted, sizeof(wanted), ".It Li /%s", ROWS[i].windows);
        CU_ASSERT_EQUAL(strstr(manual, wanted) != NULL, !ROWS[i].later);
    }
    free(manual);
}

static void check_server(const char *typed, const char *name, const char *host, unsigned port)
{
    struct call_server server;
    const char *error = NULL;

    CU_ASSERT_TRUE(server_parse(typed, &server, &error));
    CU_ASSERT_STRING_EQUAL(server.name, name);
    CU_ASSERT_STRING_EQUAL(server.host, host);
    CU_ASSERT_EQUAL(server.port, port);
    CU_ASSERT_FALSE(server.local);
}

static void test_servers(void)
{
    static const char *const BAD[] = {
        "",      "@ops",   "a,b",    "h2:",       "h2:0",        "h2:65536", "h2:x",
        "-h",    "[::1",   "[::1]6", "[h2]:1",    "[]",          "a b",      "h/2",
        "a:1:2", "[::1]:", "h\x1b",  "\u00e4.de", "[::1%\x1b]x",
    };
    struct call_server server;
    char big[300];

    check_server("h2", "h2", "h2", 6743);
    check_server("h2.example.org:7000", "h2.example.org:7000", "h2.example.org", 7000);
    check_server("h2:6743", "h2", "h2", 6743);
    check_server("127.0.0.1:65535", "127.0.0.1:65535", "127.0.0.1", 65535);
    check_server("[2001:db8::1]:1", "[2001:db8::1]:1", "2001:db8::1", 1);
    check_server("[::1]", "::1", "::1", 6743);
    check_server("::1", "::1", "::1", 6743);
    check_server("fe80::1%eth0", "fe80::1%eth0", "fe80::1%eth0", 6743);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        const char *error = NULL;
        CU_ASSERT_FALSE(server_parse(BAD[i], &server, &error));
        CU_ASSERT_PTR_NOT_NULL(error);
    }
    for (size_t len = 240; len < sizeof(big); len++) {
        const char *error = NULL;
        memset(big, 'a', len);
        big[len] = '\0';
        CU_ASSERT_EQUAL(server_parse(big, &server, &error), len < 256 - sizeof("[]:65535"));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_windows_command_line),
        UNIT_TEST(test_case_and_order),
        UNIT_TEST(test_gnu_twins),
        UNIT_TEST(test_each_option_has_its_twin),
        UNIT_TEST(test_text_begins_at_the_first_word),
        UNIT_TEST(test_what_looks_like_an_option),
        UNIT_TEST(test_unknown_options),
        UNIT_TEST(test_arguments),
        UNIT_TEST(test_time),
        UNIT_TEST(test_targets),
        UNIT_TEST(test_help_and_version),
        UNIT_TEST(test_receivers_side),
        UNIT_TEST(test_star_expanded_by_the_shell),
        UNIT_TEST(test_usage_names_each_option),
        UNIT_TEST(test_the_manual_has_each_option),
        UNIT_TEST(test_servers),
        UNIT_END,
    };

    return unit_run("options", tests);
}
