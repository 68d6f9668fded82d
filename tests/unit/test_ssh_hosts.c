/* SPDX-License-Identifier: MIT */
/* What ssh knows of hosts, as ssh-keygen prints it; and programs that are run for it. */
#include "client/ssh_hosts.h"

#include "client/ssh_sign.h"
#include "client/tool.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#define B64_A "AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
#define B64_B "AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOr"

static struct ssh_key key_a, key_b;

static enum ssh_host_verdict judge(const char *text, const struct ssh_key *key)
{
    struct ssh_hosts hosts = {.n = 0};
    ssh_hosts_read(slice_of(text), &hosts);
    return ssh_hosts_judge(&hosts, key, NULL);
}

static void test_read(void)
{
    static const char found[] = "# Host h2 found: line 3 \nh2,192.0.2.7 ssh-rsa AAAA\n"
                                "# Host h2 found: line 4 \nh2 ssh-ed25519 " B64_A " a comment\n"
                                "|1|salt=|hash= ssh-ed25519 " B64_B "\n";
    CU_ASSERT_EQUAL(judge(found, &key_a), SSH_HOST_KNOWN);
    CU_ASSERT_EQUAL(judge(found, &key_b), SSH_HOST_KNOWN);
    CU_ASSERT_EQUAL(judge("", &key_a), SSH_HOST_UNKNOWN);
    CU_ASSERT_EQUAL(judge("h2 ssh-ed25519 " B64_B, &key_a), SSH_HOST_UNKNOWN);
    CU_ASSERT_EQUAL(judge("h2 ssh-ed25519-cert-v01@openssh.com " B64_A, &key_a), SSH_HOST_UNKNOWN);
    CU_ASSERT_EQUAL(judge("h2 ssh-ed25519", &key_a), SSH_HOST_UNKNOWN);
    CU_ASSERT_EQUAL(judge("#h2 ssh-ed25519 " B64_A, &key_a), SSH_HOST_UNKNOWN);
}

static void test_marks(void)
{
    CU_ASSERT_EQUAL(judge("@cert-authority h2 ssh-ed25519 " B64_A, &key_a), SSH_HOST_UNKNOWN);
    CU_ASSERT_EQUAL(judge("@revoked h2 ssh-ed25519 " B64_A, &key_a), SSH_HOST_REVOKED);
    CU_ASSERT_EQUAL(judge("@revoked h2 ssh-ed25519 " B64_A "\nh2 ssh-ed25519 " B64_A, &key_a),
                    SSH_HOST_REVOKED);
    CU_ASSERT_EQUAL(judge("h2 ssh-ed25519 " B64_A "\n@revoked h2 ssh-ed25519 " B64_A, &key_a),
                    SSH_HOST_REVOKED);
    CU_ASSERT_EQUAL(judge("@other h2 ssh-ed25519 " B64_A, &key_a), SSH_HOST_UNKNOWN);
}

static size_t line_of(const char *text)
{
    struct ssh_hosts hosts = {.n = 0};
    const struct ssh_host_line *line = NULL;
    ssh_hosts_read(slice_of(text), &hosts);
    ssh_hosts_judge(&hosts, &key_a, &line);
    return line ? line->number : 999;
}

static void test_lines(void)
{
    CU_ASSERT_EQUAL(line_of("# Host h2 found: line 3 \nh2 ssh-ed25519 " B64_B "\n"
                            "# Host h2 found: line 14\nh2 ssh-ed25519 " B64_A "\n"),
                    14);
    CU_ASSERT_EQUAL(line_of("# Host h2 found: line 3 \nh2 ssh-ed25519 " B64_A "\n"
                            "# Host h2 found: line 4 REVOKED\n@revoked h2 ssh-ed25519 " B64_A),
                    4);
    CU_ASSERT_EQUAL(line_of("h2 ssh-ed25519 " B64_A), 0);
    CU_ASSERT_EQUAL(line_of(" found: line 3\nh2 ssh-ed25519 " B64_A), 0);
    CU_ASSERT_EQUAL(line_of("# found: line x\nh2 ssh-ed25519 " B64_A), 0);
    CU_ASSERT_EQUAL(line_of("# found: line 99999999999\nh2 ssh-ed25519 " B64_A), 0);
    CU_ASSERT_EQUAL(line_of("# found: line 3\n\nh2 ssh-ed25519 " B64_A), 0);
    CU_ASSERT_EQUAL(line_of("h2 ssh-ed25519 " B64_B), 999);
}

/* Full at SSH_HOSTS_KEYS, but never for what is revoked. */
static void test_many(void)
{
    struct ssh_hosts hosts = {.n = 0};
    for (int i = 0; i < SSH_HOSTS_KEYS; i++)
        ssh_hosts_read(SLICE("h2 ssh-ed25519 " B64_B "\n"), &hosts);
    CU_ASSERT_EQUAL(hosts.n, SSH_HOSTS_KEYS);
    ssh_hosts_read(SLICE("h2 ssh-ed25519 " B64_A "\n"), &hosts);
    CU_ASSERT_EQUAL(ssh_hosts_judge(&hosts, &key_a, NULL), SSH_HOST_UNKNOWN);
    ssh_hosts_read(SLICE("@revoked h2 ssh-ed25519 " B64_A "\n"), &hosts);
    CU_ASSERT_EQUAL(ssh_hosts_judge(&hosts, &key_a, NULL), SSH_HOST_REVOKED);
    CU_ASSERT_EQUAL(ssh_hosts_judge(&hosts, &key_b, NULL), SSH_HOST_KNOWN);
    CU_ASSERT_EQUAL(hosts.n, SSH_HOSTS_KEYS);
}

static void test_agent(void)
{
    struct ssh_key key;
    CU_ASSERT_TRUE(ssh_agent_choose(SLICE("ssh-rsa AAAA me\nsk-ssh-ed25519@openssh.com AAAA me\n"
                                          "ssh-ed25519 " B64_B " me\nssh-ed25519 " B64_A "\n"),
                                    &key));
    CU_ASSERT_TRUE(ssh_key_equal(&key, &key_b));
    CU_ASSERT_FALSE(ssh_agent_choose(SLICE("The agent has no identities.\n"), &key));
    CU_ASSERT_FALSE(ssh_agent_choose(SLICE(""), &key));
}

/* ---- programs that are run ------------------------------------------------------------------- */

static char out[64];
static size_t len;

static int run(const char *script, const char *input, int timeout_ms)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct tool tool = {
        .argv = argv, .input = slice_of(input), .timeout_ms = timeout_ms, .quiet = true};
    return tool_run(&tool, out, sizeof(out), &len);
}

static void test_tool(void)
{
    CU_ASSERT_EQUAL(run("tr a-z A-Z; echo no >&2; exit 3", "text", -1), 3);
    CU_ASSERT_TRUE(slice_eq((struct slice){out, len}, SLICE("TEXT")));
    CU_ASSERT_EQUAL(run("exit 0", "not read", 10000), 0);
    CU_ASSERT_EQUAL(len, 0);
    CU_ASSERT_EQUAL(run("printf %64s x", "", 10000), 0);
    CU_ASSERT_EQUAL(len, 64);
    CU_ASSERT_EQUAL(run("printf %65s x", "", 10000), -EFBIG);
    CU_ASSERT_EQUAL(run("yes", "", 10000), -EFBIG);
    CU_ASSERT_EQUAL(run("exec sleep 60", "", 50), -ETIMEDOUT);
    CU_ASSERT_EQUAL(run("kill -9 $$", "", 10000), -EPIPE);
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const struct tool none = {.argv = argv, .timeout_ms = 10000};
    CU_ASSERT_EQUAL(tool_run(&none, out, sizeof(out), &len), -ENOENT);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_read),
        UNIT_TEST(test_marks),
        UNIT_TEST(test_lines),
        UNIT_TEST(test_many),
        UNIT_TEST(test_agent),
        UNIT_TEST(test_tool),
        UNIT_END,
    };
    if (sodium_init() < 0 || ssh_key_parse(SLICE(SSH_KEY_TYPE), SLICE(B64_A), &key_a) < 0 ||
        ssh_key_parse(SLICE(SSH_KEY_TYPE), SLICE(B64_B), &key_b) < 0)
        return 2;
    return unit_run("ssh_hosts", tests);
}
