/* SPDX-License-Identifier: MIT */
#include "common/known_hosts.h"

#include "common/keys.h"
#include "common/mem.h"
#include "protocol/limits.h"
#include "tests/unit/folder.h"
#include "tests/unit/forks.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_C "x25519:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define SSH_A "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
#define SSH_B "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOr"

static struct noise_public key_a, key_b, key_c;

static void check_name(const char *host, unsigned port, const char *expected)
{
    char name[KNOWN_HOST_NAME] = "unset";
    CU_ASSERT_EQUAL(known_host_name(name, host, port), expected ? 0 : -EINVAL);
    CU_ASSERT_STRING_EQUAL(name, expected ? expected : "unset");
}

static void test_name(void)
{
    char host[257];
    memset(host, 'h', sizeof(host));
    check_name("Host.Example.ORG", 6743, "host.example.org");
    check_name("host", 1, "[host]:1");
    check_name("2001:DB8::1", 6743, "2001:db8::1");
    check_name("fe80::1%eth0", 65535, "[fe80::1%eth0]:65535");
    check_name("", 6743, NULL);
    check_name("a b", 6743, NULL);
    check_name("a\nb", 6743, NULL);
    check_name("a,b", 6743, NULL);
    check_name("[a]", 6743, NULL);
    check_name("#a", 6743, NULL);
    check_name("@a", 6743, NULL);
    check_name("a", 0, NULL);
    check_name("a", 65536, NULL);
    host[256] = '\0';
    check_name(host, 6743, NULL);
    host[255] = '\0';
    check_name(host, 6743, host);
}

static void search(const char *text, const char *name, const struct noise_public *key,
                   enum known_host verdict, size_t line)
{
    struct known_host_match match;
    const char *reason = NULL;
    size_t bad_line = 0;
    CU_ASSERT_EQUAL(known_hosts_search(slice_of(text), name, key, &match, &reason, &bad_line), 0);
    CU_ASSERT_PTR_NULL(reason);
    CU_ASSERT_EQUAL(match.verdict, verdict);
    CU_ASSERT_EQUAL(match.line, line);
}

static void test_search(void)
{
    static const char text[] = "# hosts\n\nh1 " KEY_A "\n[h1]:99\t" KEY_B "  a comment\r\n"
                               "  h2 " KEY_C "\nh1 " KEY_B;
    search(text, "h1", &key_a, KNOWN_HOST_TRUSTED, 3);
    search(text, "h1", &key_b, KNOWN_HOST_TRUSTED, 6);
    search(text, "h1", &key_c, KNOWN_HOST_CHANGED, 3);
    search(text, "[h1]:99", &key_b, KNOWN_HOST_TRUSTED, 4);
    search(text, "[h1]:99", &key_a, KNOWN_HOST_CHANGED, 4);
    search(text, "h2", &key_c, KNOWN_HOST_TRUSTED, 5);
    search(text, "h", &key_a, KNOWN_HOST_UNKNOWN, 0);
    search(text, "h3", &key_a, KNOWN_HOST_UNKNOWN, 0);
    search("", "h1", &key_a, KNOWN_HOST_UNKNOWN, 0);
}

static const char *why;

static void broken(struct slice text, size_t line)
{
    struct known_host_match match = {.line = 77};
    const char *reason = NULL;
    size_t bad_line = 0;
    CU_ASSERT_EQUAL(known_hosts_search(text, "h1", &key_a, &match, &reason, &bad_line), -EBADMSG);
    CU_ASSERT_EQUAL(bad_line, line);
    CU_ASSERT_PTR_NOT_NULL(reason);
    CU_ASSERT_EQUAL(match.line, 77);
    why = reason;
}

static void test_broken(void)
{
    broken(SLICE("h1 " KEY_A "\nh2\n"), 2);
    broken(SLICE("h1 " KEY_A "\nh2 x25519:AAAA\n"), 2);
    broken(SLICE("\nH1 " KEY_A), 2);
    broken(SLICE("h1,h2 " KEY_A), 1);
    broken(SLICE("@other h1 " KEY_A), 1);
    CU_ASSERT_STRING_EQUAL(why, "the marks are @cert-authority and @revoked");
    broken(SLICE("@revoked h1"), 1);
    broken(SLICE("@revoked " KEY_A), 1);
    broken(SLICE("@cert-authority * " KEY_A), 1);
    CU_ASSERT_STRING_EQUAL(why, "a @cert-authority's key is an ssh-ed25519 key");
    broken(SLICE("@cert-authority !h1 " SSH_A), 1);
    broken(SLICE("|1|abc= " KEY_A), 1);
    CU_ASSERT_STRING_EQUAL(why, "hashed names are for ssh's own known_hosts");
    broken(SLICE("h1 " KEY_A "\x1B"), 1);
    broken(SLICE("h1 " KEY_A " \xFF"), 1);
    broken(SLICE("h1 " KEY_A " \0"), 1);
    broken(SLICE("h1 ssh-ed25519 AAAA"), 1);
}

static int marked(const char *text, enum known_host_mark mark, const char *host, const char *key)
{
    struct slice word = slice_of(key);
    struct any_key any;
    const char *reason = NULL;
    size_t line = 77;
    CU_ASSERT_EQUAL_FATAL(any_key_take(&word, &any), 0);
    int r = known_hosts_search_marked(slice_of(text), mark, host, &any, &line, &reason);
    return r < 0 ? r : (int)line;
}

static void test_marks(void)
{
    static const char text[] = "h1 " KEY_A "\n@cert-authority *.example.org,h1 " SSH_A " org\n"
                               "@revoked * " KEY_B "\n@revoked h1 " SSH_B " lost\n";
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_CA, "h1", SSH_A), 2);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_CA, "h2.example.org", SSH_A), 2);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_CA, "h2", SSH_A), 0);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_CA, "h1", SSH_B), 0);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_REVOKED, "any", KEY_B), 3);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_REVOKED, "any", KEY_A), 0);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_REVOKED, "h1", SSH_B), 4);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_REVOKED, "h2", SSH_B), 0);
    CU_ASSERT_EQUAL(marked(text, KNOWN_HOST_REVOKED, "h1", SSH_A), 0);
    CU_ASSERT_EQUAL(marked("@revoked h1 " SSH_B "\nnonsense\n", KNOWN_HOST_REVOKED, "h1", SSH_B),
                    -EBADMSG);
    /* Neither is a pin. */
    search(text, "h1", &key_b, KNOWN_HOST_CHANGED, 1);
    search("@revoked h1 " KEY_A "\n", "h1", &key_a, KNOWN_HOST_UNKNOWN, 0);
}

static void test_line_length(void)
{
    char text[LIM_TRUST_LINE + 2];
    size_t head = strlen("h1 " KEY_A " ");
    struct known_host_match match;
    const char *reason;
    size_t line;
    memset(text, 'c', sizeof(text));
    memcpy(text, "h1 " KEY_A " ", head);
    for (size_t len = LIM_TRUST_LINE - 1; len <= LIM_TRUST_LINE + 1; len++)
        CU_ASSERT_EQUAL(
            known_hosts_search((struct slice){text, len}, "h1", &key_a, &match, &reason, &line),
            len <= LIM_TRUST_LINE ? 0 : -EBADMSG);
}

static void look(const char *name, const struct noise_public *key, enum known_host verdict,
                 const char *file)
{
    char user[PATH_MAX], system[PATH_MAX];
    const char *files[KNOWN_HOSTS_FILES] = {user, system};
    struct known_host_match match = {.line = 99};
    struct diag diag = {""};
    strcpy(user, in_folder("user"));
    strcpy(system, in_folder("system"));
    CU_ASSERT_EQUAL(known_hosts_lookup(files, name, key, &match, &diag), 0);
    CU_ASSERT_EQUAL(match.verdict, verdict);
    if (file) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(match.file);
        CU_ASSERT_STRING_EQUAL(match.file, in_folder(file));
    } else
        CU_ASSERT_PTR_NULL(match.file);
}

/* The user's pin outranks the system's file, in refusing too. */
static void test_two_files(void)
{
    folder_make();
    look("h1", &key_a, KNOWN_HOST_UNKNOWN, NULL);
    put_file(in_folder("system"), "h1 " KEY_A "\nh2 " KEY_B "\n", 0644);
    look("h1", &key_a, KNOWN_HOST_TRUSTED, "system");
    look("h1", &key_b, KNOWN_HOST_CHANGED, "system");
    put_file(in_folder("user"), "h1 " KEY_C "\n", 0600);
    look("h1", &key_a, KNOWN_HOST_CHANGED, "user");
    look("h1", &key_c, KNOWN_HOST_TRUSTED, "user");
    look("h2", &key_b, KNOWN_HOST_TRUSTED, "system");
    folder_remove();
}

static void test_file_refused(void)
{
    char expected[PATH_MAX + 64], user[PATH_MAX];
    const char *files[KNOWN_HOSTS_FILES] = {user, NULL};
    struct known_host_match match;
    struct diag diag;
    folder_make();
    strcpy(user, in_folder("user"));
    put_file(user, "h1 " KEY_A "\nnonsense\n", 0600);
    CU_ASSERT_EQUAL(known_hosts_lookup(files, "h1", &key_a, &match, &diag), -EBADMSG);
    snprintf(expected, sizeof(expected), "%s:2: no key behind the name, x25519: and 43 characters",
             user);
    CU_ASSERT_STRING_EQUAL(diag.text, expected);
    put_file(user, "h1 " KEY_A "\n", 0622);
    CU_ASSERT_EQUAL(known_hosts_lookup(files, "h1", &key_a, &match, &diag), -EPERM);
    snprintf(expected, sizeof(expected), "run: chmod go-w %s", user);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, expected));
    folder_remove();
}

static void test_append(void)
{
    struct stat st;
    struct diag diag;
    char path[PATH_MAX];
    folder_make();
    strcpy(path, in_folder("x/known_hosts"));
    CU_ASSERT_EQUAL(known_hosts_append(path, "h1", &key_a, &diag), 0);
    CU_ASSERT_EQUAL(known_hosts_append(path, "h1", &key_a, &diag), 0);
    CU_ASSERT_EQUAL(known_hosts_append(path, "[h1]:7", &key_b, &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(path), "h1 " KEY_A "\n[h1]:7 " KEY_B "\n");
    CU_ASSERT_EQUAL(known_hosts_append(path, "h1", &key_b, &diag), -EEXIST);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "known_hosts:1: h1 is known there by another key"));
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    put_file(path, "h1 " KEY_A, 0600);
    CU_ASSERT_EQUAL(known_hosts_append(path, "h2", &key_b, &diag), 0);
    CU_ASSERT_STRING_EQUAL(get_file(path), "h1 " KEY_A "\nh2 " KEY_B "\n");
    folder_remove();
}

/* Several processes at once: every line is there, once and whole. */
static void test_append_at_once(void)
{
    char path[PATH_MAX];
    folder_make();
    strcpy(path, in_folder("known_hosts"));
    fork_begin();
    for (int i = 0; i < 16; i++)
        if (fork_one()) {
            char name[16];
            snprintf(name, sizeof(name), "h%d", i / 8);
            _exit(known_hosts_append(path, name, &key_a, NULL) == 0 ? 0 : 1);
        }
    CU_ASSERT_EQUAL(fork_end(16), 0);
    CU_ASSERT_EQUAL(strlen(get_file(path)), 2 * strlen("h1 " KEY_A "\n"));
    folder_remove();
}

/* A process that appends, begun while the file is locked; its end is waited for. */
static pid_t begin_append(const char *path, int *ret_lock)
{
    *ret_lock = open(path, O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL(flock(*ret_lock, LOCK_EX), 0);
    pid_t child = fork();
    if (child == 0) {
        close(*ret_lock);
        _exit(known_hosts_append(path, "h2", &key_b, NULL) == 0 ? 0 : 1);
    }
    usleep(200000);
    return child;
}

static void end_append(pid_t child, int lock)
{
    int status = 1;
    close(lock);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
}

/* Whoever appends waits until another process is done. */
static void test_append_waits(void)
{
    char path[PATH_MAX];
    int status, lock;
    folder_make();
    strcpy(path, in_folder("known_hosts"));
    put_file(path, "h1 " KEY_A "\n", 0600);
    pid_t child = begin_append(path, &lock);
    CU_ASSERT_EQUAL(waitpid(child, &status, WNOHANG), 0);
    end_append(child, lock);
    folder_remove();
}

/* What another has put in the file's place meanwhile is what is appended to. */
static void test_append_to_what_stands_there(void)
{
    char path[PATH_MAX], other[PATH_MAX];
    int lock;
    folder_make();
    strcpy(path, in_folder("known_hosts"));
    strcpy(other, in_folder("other"));
    put_file(path, "h1 " KEY_A "\n", 0600);
    put_file(other, "h3 " KEY_A "\n", 0600);
    pid_t child = begin_append(path, &lock);
    CU_ASSERT_EQUAL(rename(other, path), 0);
    end_append(child, lock);
    CU_ASSERT_STRING_EQUAL(get_file(path), "h3 " KEY_A "\nh2 " KEY_B "\n");
    folder_remove();
}

static void test_remove(void)
{
    struct diag diag;
    size_t removed = 77;
    char path[PATH_MAX];
    folder_make();
    strcpy(path, in_folder("known_hosts"));
    CU_ASSERT_EQUAL(known_hosts_remove(path, "h1", &removed, &diag), 0);
    CU_ASSERT_EQUAL(removed, 0);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    put_file(path, "#h1\n\th1 " KEY_A " x\r\n\n@revoked h1 " KEY_B "\nh11 " KEY_A "\nh1 " KEY_B,
             0640);
    CU_ASSERT_EQUAL(known_hosts_remove(path, "h", &removed, &diag), 0);
    CU_ASSERT_EQUAL(removed, 0);
    CU_ASSERT_EQUAL(known_hosts_remove(path, "h1", &removed, &diag), 0);
    CU_ASSERT_EQUAL(removed, 2);
    CU_ASSERT_STRING_EQUAL(get_file(path), "#h1\n\n@revoked h1 " KEY_B "\nh11 " KEY_A "\n");
    put_file(path, "h1 " KEY_A "\nh1\n", 0600);
    CU_ASSERT_EQUAL(known_hosts_remove(path, "h1", &removed, &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(get_file(path), "h1 " KEY_A "\nh1\n");
    put_file(path, "h1 " KEY_A "\n", 0622);
    CU_ASSERT_EQUAL(known_hosts_remove(path, "h1", &removed, &diag), -EPERM);
    CU_ASSERT_EQUAL(removed, 2);
    folder_remove();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_name),
        UNIT_TEST(test_search),
        UNIT_TEST(test_broken),
        UNIT_TEST(test_marks),
        UNIT_TEST(test_line_length),
        UNIT_TEST(test_two_files),
        UNIT_TEST(test_file_refused),
        UNIT_TEST(test_append),
        UNIT_TEST(test_append_at_once),
        UNIT_TEST(test_append_waits),
        UNIT_TEST(test_append_to_what_stands_there),
        UNIT_TEST(test_remove),
        UNIT_END,
    };
    if (sodium_init() < 0 || key_parse(SLICE(KEY_A), &key_a) < 0 ||
        key_parse(SLICE(KEY_B), &key_b) < 0 || key_parse(SLICE(KEY_C), &key_c) < 0)
        return 2;
    return unit_run("known_hosts", tests);
}
