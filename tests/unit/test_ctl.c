/* SPDX-License-Identifier: MIT */
/* msgctl's command line, and JSON. The subcommands themselves are tested through the program. */
#include "client/ctl.h"

#include "client/ctl_tcp.h"
#include "client/json.h"
#include "common/mem.h"
#include "tests/unit/unit.h"

#define COMMAND(name, ...)                                                                         \
    int ctl_##name(const struct ctl *ctl)                                                          \
    {                                                                                              \
        (void)ctl;                                                                                 \
        return CTL_OK;                                                                             \
    }
#include "client/ctl.def"

static struct ctl ctl;
static char error[128];

/* Blanks part the words. */
static int parse(const char *line)
{
    static char copy[256];
    const char *argv[80] = {"msgctl"};
    int argc = 1;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    error[0] = '\0';
    return ctl_parse(argc, argv, &ctl, error, sizeof(error));
}

static void test_words(void)
{
    CU_ASSERT_EQUAL(parse("authorize K n"), 0);
    CU_ASSERT_STRING_EQUAL(ctl.command->name, "authorize");
    CU_ASSERT_PTR_EQUAL(ctl.command->run, ctl_authorize);
    CU_ASSERT_EQUAL(ctl.n_words, 2);
    CU_ASSERT_STRING_EQUAL(ctl.words[0], "K");
    CU_ASSERT_STRING_EQUAL(ctl.words[1], "n");
    CU_ASSERT_FALSE(ctl.json);
    CU_ASSERT_EQUAL(parse("key"), 0);
    CU_ASSERT_EQUAL(ctl.n_words, 0);
    CU_ASSERT_EQUAL(parse("revoke -- --all"), 0);
    CU_ASSERT_STRING_EQUAL(ctl.words[0], "--all");
}

static void test_options(void)
{
    CU_ASSERT_EQUAL(parse("--all authorize --to=a,b K --rate 5 n --json"), 0);
    CU_ASSERT_STRING_EQUAL(ctl.given[CTL_TO], "a,b");
    CU_ASSERT_STRING_EQUAL(ctl.given[CTL_RATE], "5");
    CU_ASSERT_STRING_EQUAL(ctl.given[CTL_ALL], "");
    CU_ASSERT_PTR_NULL(ctl.given[CTL_WHO]);
    CU_ASSERT_TRUE(ctl.json);
    CU_ASSERT_EQUAL(ctl.n_words, 2);
    CU_ASSERT_EQUAL(parse("authorize --to= K n"), 0);
    CU_ASSERT_STRING_EQUAL(ctl.given[CTL_TO], "");
}

static void test_help(void)
{
    CU_ASSERT_EQUAL(parse("--help"), 0);
    CU_ASSERT_PTR_NULL(ctl.command);
    CU_ASSERT_EQUAL(parse("-h authorize"), 0);
    CU_ASSERT_STRING_EQUAL(ctl.command->name, "authorize");
    CU_ASSERT_EQUAL(parse("--version"), 0);
}

static void refused(const char *line, const char *expected)
{
    ctl.n_words = 77;
    CU_ASSERT_EQUAL(parse(line), -EINVAL);
    CU_ASSERT_STRING_EQUAL(error, expected);
    CU_ASSERT_EQUAL(ctl.n_words, 77);
}

static void test_refused(void)
{
    refused("", "a subcommand is missing");
    refused("--json", "a subcommand is missing");
    refused("keys", "there is no subcommand keys");
    refused("trust a b c", "trust wants: HOST [KEY] | --list");
    refused("untrust", "untrust wants: HOST");
    refused("authorize K n more", "authorize wants: KEY NAME | --self [KEY]");
    refused("revoke a b", "revoke wants: KEY | NAME | --self KEY");
    refused("pair", "pair wants: [USER@]HOST");
    refused("key --alll", "unknown option --alll");
}

static void test_most_words(void)
{
    char line[256] = "ca";
    for (int i = 0; i < CTL_WORDS; i++)
        strcat(line, " u");
    CU_ASSERT_EQUAL(parse(line), 0);
    CU_ASSERT_EQUAL(ctl.n_words, CTL_WORDS);
    ctl.n_words = 77;
    strcat(line, " beyond");
    refused(line, "too many words: beyond");
}

static void test_refused_options(void)
{
    refused("key --all", "key takes no --all");
    refused("authorize K n --to", "--to wants an argument");
    refused("authorize K n --all=1", "--all takes no argument");
    refused("authorize K n --rate=1 --rate=2", "--rate is there twice");
    refused("authorize K n --=x", "unknown option --=x");
}

static void test_json(void)
{
    CLEANUP_FREE char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    json_open(out);
    json_string(out, "a", SLICE("q\"b\\\n\x1B\x7F\xC3\xBC\xE2\x80\xAE\xF3\xA0\x81\x81\xFFz"));
    json_number(out, "n", UINT64_MAX);
    json_bool(out, "t", true);
    json_bool(out, "f", false);
    json_close(out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text,
                           "{\"schema\":1,\"a\":\"q\\\"b\\\\\\u000A\\u001B\\u007F\xC3\xBC\\u202E"
                           "\\uDB40\\uDC41\\uFFFDz\",\"n\":18446744073709551615,"
                           "\"t\":true,\"f\":false}\n");
}

#define TABLE_REST                                                                                 \
    " 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000 100 0 0 10 0"

static void test_tcp_listens(void)
{
    CU_ASSERT_TRUE(ctl_tcp_listens("   0: 00000000:1A57 00000000:0000 0A" TABLE_REST, 6743));
    CU_ASSERT_TRUE(ctl_tcp_listens("  12: 0000000000000000FFFF00000100007F:1A57 "
                                   "00000000000000000000000000000000:0000 0A" TABLE_REST,
                                   6743));
    CU_ASSERT_FALSE(ctl_tcp_listens("   0: 00000000:1A57 00000000:0000 01" TABLE_REST, 6743));
    CU_ASSERT_FALSE(ctl_tcp_listens("   0: 00000000:1A58 00000000:1A57 0A" TABLE_REST, 6743));
    CU_ASSERT_FALSE(ctl_tcp_listens("  sl  local_address rem_address   st tx_queue", 6743));
    CU_ASSERT_FALSE(ctl_tcp_listens("   0: 00000000:1A57 00000000:0000", 6743));
    CU_ASSERT_FALSE(ctl_tcp_listens("", 6743));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_words),   UNIT_TEST(test_options),     UNIT_TEST(test_help),
        UNIT_TEST(test_refused), UNIT_TEST(test_most_words),  UNIT_TEST(test_refused_options),
        UNIT_TEST(test_json),    UNIT_TEST(test_tcp_listens), UNIT_END,
    };
    return unit_run("ctl", tests);
}
