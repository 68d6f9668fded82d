/* SPDX-License-Identifier: MIT */
#include "common/trust.h"

#include "common/keys.h"
#include "common/trust_edit.h"
#include "tests/unit/folder.h"
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define SIGNER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
#define WHILE  1780000000 /* a time at which the golden endorsements hold */

static struct noise_public key_a, key_b;
static const struct trust_claim none;
static struct trust *trust;

static void start(void)
{
    char authorized[PATH_MAX];
    folder_make();
    snprintf(authorized, sizeof(authorized), "%s/authorized_keys", folder);
    CU_ASSERT_EQUAL_FATAL(trust_new(&trust, authorized, in_folder("enrolled"), in_folder("granted"),
                                    in_folder("revoked_keys")),
                          0);
}

static void end(void)
{
    trust_free(trust);
    folder_remove();
}

static enum trust_verdict judge(const struct noise_public *key)
{
    return trust_judge(trust, key, &none, NULL, 0, NULL);
}

static void authorized(const char *text)
{
    put_file(in_folder("new"), text, 0644);
    CU_ASSERT_EQUAL(rename(in_folder("new"), in_folder("authorized_keys")), 0);
}

static void test_nothing_there(void)
{
    bool new = true;
    start();
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_BROKEN); /* not read yet */
    CU_ASSERT_PTR_NULL(trust_problem(trust, &new));
    CU_ASSERT_TRUE(trust_refresh(trust, 5, false));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_UNAUTHORIZED);
    CU_ASSERT_PTR_NULL(trust_problem(trust, &new));
    CU_ASSERT_FALSE(new);
    end();
}

static void test_enrolled_keys_come_after(void)
{
    bool new = false;
    start();
    put_file(in_folder("enrolled"),
             "0123456789abcdef " KEY_A " alice\n1123456789abcdef " KEY_B
             " expires=2000-01-01 bob\n",
             0600);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(trust_enrolled(trust)->count, 2);
    CU_ASSERT_TRUE(trust_knows(trust, &key_b));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_b, &none, NULL, 1767355200, NULL), TRUST_EXPIRED);
    authorized(KEY_B " bob\n");
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_b, &none, NULL, 1767355200, NULL), TRUST_ACCEPTED);
    put_file(in_folder("enrolled"), "oops\n", 0600);
    CU_ASSERT_FALSE(trust_refresh(trust, 0, true)); /* the last good state holds */
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(trust_problem(trust, &new), "enrolled:1: "));
    put_file(in_folder("revoked_keys"), KEY_A "\n", 0644);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_REVOKED);
    end();
}

/* What users authorized for themselves comes last, and not at all where it is switched off. */
static void test_own_keys_come_last(void)
{
    struct trust_grant grant;
    bool new = false;

    start();
    put_file(in_folder("granted"), "1000 " KEY_A " alice\n1001 " KEY_B " bob\n", 0600);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_UNAUTHORIZED); /* off until it is said */
    CU_ASSERT_FALSE(trust_knows(trust, &key_a));
    CU_ASSERT_STRING_EQUAL(trust_own_fault(trust, &key_a), "off");
    trust_own_keys(trust, true);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_FALSE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, NULL, 0, &grant), TRUST_ACCEPTED);
    CU_ASSERT(grant.line == NULL && grant.own->uid == 1000);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &none), "alice");
    CU_ASSERT_TRUE(trust_knows(trust, &key_a));
    CU_ASSERT_PTR_NULL(trust_own_fault(trust, &key_a));
    authorized(KEY_A " to=carol desk\n");
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, NULL, 0, &grant), TRUST_ACCEPTED);
    CU_ASSERT(grant.own == NULL && strcmp(grant.line->name, "desk") == 0);
    CU_ASSERT_STRING_EQUAL(trust_own_fault(trust, &key_a), "listed");
    put_file(in_folder("granted"), "0 " KEY_A " root\n", 0600);
    CU_ASSERT_FALSE(trust_refresh(trust, 0, true)); /* the last good state holds */
    CU_ASSERT_PTR_NOT_NULL(strstr(trust_problem(trust, &new), "granted:1: "));
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_ACCEPTED);
    put_file(in_folder("revoked_keys"), KEY_B "\n", 0644);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_REVOKED);
    CU_ASSERT_STRING_EQUAL(trust_own_fault(trust, &key_b), "revoked");
    end();
}

/* An expired line of root's is not helped by a key of one's own. */
static void test_own_keys_lift_nothing(void)
{
    start();
    trust_own_keys(trust, true);
    put_file(in_folder("granted"), "1000 " KEY_A " alice\n", 0600);
    authorized(KEY_A " expires=2000-01-01 alice\n");
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, NULL, 1767355200, NULL), TRUST_EXPIRED);
    trust_own_keys(trust, false);
    CU_ASSERT_TRUE(trust_refresh(trust, 1, true));
    end();
}

static void test_noticed_once_a_second(void)
{
    start();
    trust_refresh(trust, 1000, false);
    authorized(KEY_A " alice\n");
    CU_ASSERT_FALSE(trust_refresh(trust, 1999, false));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_UNAUTHORIZED);
    CU_ASSERT_TRUE(trust_refresh(trust, 2000, false));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_FALSE(trust_refresh(trust, 3000, false));
    authorized(KEY_B " bob\n");
    CU_ASSERT_TRUE(trust_refresh(trust, 3001, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_UNAUTHORIZED);
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_ACCEPTED);
    end();
}

static void test_judge(void)
{
    struct trust_grant grant = {.line = NULL};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xC0000201)};
    start();
    authorized(KEY_A " from=192.0.2.0/24 expires=1970-01-02 alice\n");
    trust_refresh(trust, 0, false);
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, (struct sockaddr *)&address, 172799, &grant),
                    TRUST_ACCEPTED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(grant.line);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &none), "alice");
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, NULL, 172800, NULL), TRUST_EXPIRED);
    address.sin_addr.s_addr = htonl(0xC0000301);
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, (struct sockaddr *)&address, 0, NULL),
                    TRUST_UNAUTHORIZED);
    put_file(in_folder("revoked_keys"), KEY_A "\n", 0644);
    CU_ASSERT_TRUE(trust_refresh(trust, 1000, false));
    CU_ASSERT_EQUAL(trust_judge(trust, &key_a, &none, NULL, 172800, NULL), TRUST_REVOKED);
    end();
}

/* With as many descriptors as are open now: what opens a file gets EMFILE. */
static struct rlimit no_more_files(void)
{
    struct rlimit before, full;
    int next = dup(0);

    CU_ASSERT_FATAL(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    close(next);
    full = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &full), 0);
    return before;
}

/* A file that could not be read just then is read again, though it is the same as before. */
static void test_unread_is_read_again(void)
{
    bool new = false;
    start();
    trust_refresh(trust, 0, true);
    authorized(KEY_A " alice\n");
    put_file(in_folder("revoked_keys"), KEY_B "\n", 0644);
    struct rlimit before = no_more_files();
    trust_refresh(trust, 1000, true);
    bool known = trust_problem(trust, &new) != NULL;
    CU_ASSERT_TRUE(known && new);
    while (new)
        trust_problem(trust, &new);
    trust_refresh(trust, 2000, true);
    known = trust_problem(trust, &new) != NULL;
    CU_ASSERT_TRUE(known && !new); /* said once, not each second */
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_BROKEN); /* nobody can know */
    CU_ASSERT_TRUE(trust_refresh(trust, 3000, false));
    CU_ASSERT_PTR_NULL(trust_problem(trust, &new));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_REVOKED);
    CU_ASSERT_FALSE(trust_refresh(trust, 4000, false));
    end();
}

static void test_broken_authorized_keeps(void)
{
    bool new = false;
    start();
    authorized(KEY_A " alice\n");
    trust_refresh(trust, 0, true);
    authorized(KEY_B " bob\nnonsense\n");
    CU_ASSERT_FALSE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_UNAUTHORIZED);
    const char *problem = trust_problem(trust, &new);
    CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "authorized_keys:2: "));
    CU_ASSERT_TRUE(new);
    CU_ASSERT_PTR_NOT_NULL(trust_problem(trust, &new));
    CU_ASSERT_FALSE(new);
    CU_ASSERT_EQUAL(chmod(in_folder("authorized_keys"), 0666), 0);
    CU_ASSERT_FALSE(trust_refresh(trust, 0, true));
    CU_ASSERT_PTR_NOT_NULL(strstr(trust_problem(trust, &new), "run: chmod go-w"));
    CU_ASSERT_TRUE(new);
    authorized("");
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_UNAUTHORIZED);
    CU_ASSERT_PTR_NULL(trust_problem(trust, &new));
    end();
}

static void test_broken_revoked_refuses_all(void)
{
    bool new = false;
    start();
    authorized(KEY_A " alice\n");
    put_file(in_folder("revoked_keys"), KEY_B "\n", 0644);
    trust_refresh(trust, 0, true);
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    put_file(in_folder("revoked_keys"), "oops\n", 0644);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_BROKEN);
    CU_ASSERT_STRING_EQUAL(trust_own_fault(trust, &key_a), "broken");
    CU_ASSERT_PTR_NOT_NULL(strstr(trust_problem(trust, &new), "revoked_keys:1: "));
    put_file(in_folder("revoked_keys"), KEY_B "\n", 0646);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_BROKEN);
    CU_ASSERT_EQUAL(chmod(in_folder("revoked_keys"), 0644), 0);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(judge(&key_b), TRUST_REVOKED);
    end();
}

/* Not there and not to be looked at are different things: the second must refuse. */
static void test_unreadable_revoked(void)
{
    bool new;
    start();
    authorized(KEY_A " alice\n");
    CU_ASSERT_EQUAL(symlink("revoked_keys", in_folder("revoked_keys")), 0);
    trust_refresh(trust, 0, true);
    CU_ASSERT_EQUAL(judge(&key_a), TRUST_BROKEN);
    CU_ASSERT_PTR_NOT_NULL(trust_problem(trust, &new));
    end();
}

static const char *file;
static enum trust_edit edit;

static void edited(int r, enum trust_edit expected, const char *text)
{
    CU_ASSERT_EQUAL(r, 0);
    CU_ASSERT_EQUAL(edit, expected);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("x/keys")), text);
}

static void test_authorize(void)
{
    const struct any_key any_a = any_key_static(&key_a);
    char path[PATH_MAX];
    folder_make();
    strcpy(path, in_folder("x/keys"));
    file = path;
    edited(trust_authorize(file, SLICE(KEY_A " alice"), &edit, NULL), TRUST_ADDED,
           KEY_A " alice\n");
    edited(trust_authorize(file, SLICE(KEY_A " alice"), &edit, NULL), TRUST_UNCHANGED,
           KEY_A " alice\n");
    put_file(file, "# team\n\n" KEY_A "  alice\n# " KEY_B " b\n  " KEY_B "\twho bob", 0640);
    edited(trust_authorize(file, SLICE(KEY_A " all alice"), &edit, NULL), TRUST_REPLACED,
           "# team\n\n" KEY_A " all alice\n# " KEY_B " b\n  " KEY_B "\twho bob");
    edited(trust_authorize(file, SLICE(KEY_B " bob"), &edit, NULL), TRUST_REPLACED,
           "# team\n\n" KEY_A " all alice\n# " KEY_B " b\n" KEY_B " bob\n");
    edited(trust_remove(file, &any_a, &edit, NULL), TRUST_REMOVED,
           "# team\n\n# " KEY_B " b\n" KEY_B " bob\n");
    edited(trust_remove(file, &any_a, &edit, NULL), TRUST_UNCHANGED,
           "# team\n\n# " KEY_B " b\n" KEY_B " bob\n");
    put_file(file, KEY_B " bob", 0640);
    edited(trust_authorize(file, SLICE(KEY_A " alice"), &edit, NULL), TRUST_ADDED,
           KEY_B " bob\n" KEY_A " alice\n");
    folder_remove();
}

static void test_authorize_refused(void)
{
    const struct any_key any_a = any_key_static(&key_a);
    char path[PATH_MAX];
    struct diag diag;
    folder_make();
    strcpy(path, in_folder("x/keys"));
    edit = TRUST_REPLACED;
    CU_ASSERT_EQUAL(trust_authorize(path, SLICE("alice"), &edit, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(trust_authorize(path, SLICE(KEY_A " a\n" KEY_B " b"), &edit, &diag), -EBADMSG);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    CU_ASSERT_EQUAL(mkdir(in_folder("x"), 0755), 0);
    put_file(path, KEY_A " a\nnonsense\n", 0644);
    CU_ASSERT_EQUAL(trust_authorize(path, SLICE(KEY_B " b"), &edit, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "x/keys:2: "));
    CU_ASSERT_EQUAL(trust_remove(path, &any_a, &edit, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "x/keys:2: "));
    CU_ASSERT_STRING_EQUAL(get_file(path), KEY_A " a\nnonsense\n");
    CU_ASSERT_EQUAL(edit, TRUST_REPLACED);
    folder_remove();
}

/* Each would be replaced by the longer one: more than there is room for. */
static void test_authorize_in_a_file_with_the_key_twice(void)
{
    const char *text = KEY_A " a\n" KEY_A " a\n" KEY_A " a\n" KEY_A " a\n";
    const char *rights = " rate=1000000 expires=2027-12-31 from=192.0.2.0/24 all who override a";
    char path[PATH_MAX], line[LIM_TRUST_LINE];
    struct diag diag;
    folder_make();
    strcpy(path, in_folder("keys"));
    put_file(path, text, 0644);
    snprintf(line, sizeof(line), "%s%s", KEY_A, rights);
    CU_ASSERT_EQUAL(trust_authorize(path, slice_of(line), &edit, &diag), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "keys:2: the key is also in line 1"));
    CU_ASSERT_STRING_EQUAL(get_file(path), text);
    folder_remove();
}

/* What msgd would not read again is not written. */
static void test_authorize_beyond_the_longest_file(void)
{
    char path[PATH_MAX], *text = malloc(LIM_TRUST_FILE + 1);
    struct diag diag;
    folder_make();
    strcpy(path, in_folder("keys"));
    memset(text, '\n', LIM_TRUST_FILE);
    text[LIM_TRUST_FILE] = '\0';
    put_file(path, text, 0644);
    CU_ASSERT_EQUAL(trust_authorize(path, SLICE(KEY_A " a"), &edit, &diag), -EFBIG);
    CU_ASSERT_EQUAL(trust_revoke(path, SLICE(KEY_A " a"), &edit, &diag), -EFBIG);
    text[LIM_TRUST_FILE - sizeof(KEY_A " a")] = '\0';
    put_file(path, text, 0644);
    CU_ASSERT_EQUAL(trust_authorize(path, SLICE(KEY_A " a"), &edit, &diag), 0);
    free(text);
    folder_remove();
}

static void test_revoke(void)
{
    char path[PATH_MAX];
    struct diag diag;
    folder_make();
    strcpy(path, in_folder("x/keys"));
    edited(trust_revoke(path, SLICE(KEY_A " alice"), &edit, NULL), TRUST_ADDED, KEY_A " alice\n");
    edited(trust_revoke(path, SLICE(KEY_A " again"), &edit, NULL), TRUST_UNCHANGED,
           KEY_A " alice\n");
    edited(trust_revoke(path, SLICE(KEY_B), &edit, NULL), TRUST_ADDED, KEY_A " alice\n" KEY_B "\n");
    put_file(path, "oops\n", 0644);
    CU_ASSERT_EQUAL(trust_revoke(path, SLICE(KEY_B), &edit, &diag), -EBADMSG);
    CU_ASSERT_STRING_EQUAL(get_file(path), "oops\n");
    folder_remove();
}

/* ---- endorsements, as ssh-keygen signed them ------------------------------------------------- */

static struct trust_claim claim;
static struct trust_grant grant;

/* The owner of the golden key comes with some golden entries. */
static enum trust_verdict admit(int64_t now_s, const char *first, const char *second)
{
    struct slice entries[2] = {golden(first), second ? golden(second) : (struct slice){"", 0}};
    const struct slice_list end = {entries, second ? 2 : 1};
    struct noise_public key;
    CU_ASSERT_EQUAL_FATAL(
        key_parse(SLICE("x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"), &key), 0);
    enum trust_verdict verdict = trust_admit(trust, &key, &end, NULL, now_s, &claim, &grant);
    if (verdict == TRUST_ACCEPTED) /* and it is found so again */
        CU_ASSERT_EQUAL(trust_judge(trust, &key, &claim, NULL, now_s, NULL), TRUST_ACCEPTED);
    return verdict;
}

static void authorized_now(const char *text)
{
    authorized(text);
    trust_refresh(trust, 0, true);
}

static void test_a_persons_ssh_key(void)
{
    start();
    authorized_now(SIGNER " all alice\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_ACCEPTED);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &claim), "alice"); /* not root, as it says itself */
    CU_ASSERT_EQUAL(grant.perm, PERM_EVERY);
    CU_ASSERT_TRUE(grant.line->all);
    CU_ASSERT_EQUAL(claim.serial, 18);
    /* It gives itself nothing. */
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_UNAUTHORIZED);
    /* The first that is good is taken. */
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", "endorsement/entry_plain"), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_host", NULL), TRUST_UNAUTHORIZED);
    CU_ASSERT_EQUAL(admit(WHILE, "sshsig/rsa", NULL), TRUST_UNAUTHORIZED);
    end();
}

/* A user who says that another's key is his own does not become its owner's name. */
static void test_own_keys_hide_no_endorsement(void)
{
    start();
    trust_own_keys(trust, true);
    put_file(in_folder("granted"), "1001 x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8 eve\n",
             0600);
    authorized_now("ca:" SIGNER " names=al* who override org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_ACCEPTED);
    CU_ASSERT(grant.own == NULL && claim.endorsed);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &claim), "alice");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_ACCEPTED); /* not good */
    CU_ASSERT(grant.line == NULL && grant.own != NULL && !claim.endorsed);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &claim), "eve");
    end();
}

static void test_an_organisations_key(void)
{
    start();
    authorized_now("ca:" SIGNER " names=al* who override org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_ACCEPTED);
    CU_ASSERT_STRING_EQUAL(trust_name(&grant, &claim), "alice");
    CU_ASSERT_EQUAL(grant.perm, PERM_ALL | PERM_WHO);
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_UNAUTHORIZED); /* root */
    authorized_now("ca:" SIGNER " names=bob,carol org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_UNAUTHORIZED);
    authorized_now("ca:" SIGNER " names=* org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_UNAUTHORIZED); /* root */
    authorized_now("ca:" SIGNER " names=*,root org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_ACCEPTED);
    end();
}

static void test_its_time(void)
{
    start();
    authorized_now("ca:" SIGNER " names=* org\n");
    CU_ASSERT_EQUAL(admit(1767225600 - 301, "endorsement/entry", NULL), TRUST_EXPIRED);
    CU_ASSERT_EQUAL(admit(1767225600 - 300, "endorsement/entry", NULL), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(admit(1798761600 + 300, "endorsement/entry", NULL), TRUST_ACCEPTED);
    CU_ASSERT_EQUAL(admit(1798761600 + 301, "endorsement/entry", NULL), TRUST_EXPIRED);
    authorized_now("ca:" SIGNER " names=* expires=2026-01-31 org\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_EXPIRED);
    end();
}

static void revoked_now(const char *line)
{
    put_file(in_folder("revoked_keys"), line, 0644);
    CU_ASSERT_TRUE(trust_refresh(trust, 0, true));
}

static void test_revoked_endorsements(void)
{
    start();
    authorized_now("ca:" SIGNER " names=*,root org\n");
    revoked_now("serial:16 " SIGNER "\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_ACCEPTED);
    revoked_now("serial:17 " SIGNER " stolen\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", NULL), TRUST_REVOKED);
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry", "endorsement/entry_plain"), TRUST_ACCEPTED);
    revoked_now(SIGNER "\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_REVOKED);
    revoked_now("x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8\n");
    CU_ASSERT_EQUAL(admit(WHILE, "endorsement/entry_plain", NULL), TRUST_REVOKED);
    end();
}

/* Signed by nobody, or for another key: as if it were not there. */
static void test_unsigned_endorsements(void)
{
    struct slice entry;
    start();
    authorized_now("ca:" SIGNER " names=* org\n");
    entry = golden("endorsement/entry");
    const struct slice_list end_list = {&entry, 1};
    struct noise_public key = key_a;
    CU_ASSERT_EQUAL(trust_admit(trust, &key, &end_list, NULL, WHILE, &claim, &grant),
                    TRUST_UNAUTHORIZED);
    CU_ASSERT_EQUAL(key_parse(SLICE("x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"), &key),
                    0);
    *((char *)(uintptr_t)entry.ptr + entry.len - 1) ^= 1;
    CU_ASSERT_EQUAL(trust_admit(trust, &key, &end_list, NULL, WHILE, &claim, &grant),
                    TRUST_UNAUTHORIZED);
    *((char *)(uintptr_t)entry.ptr + entry.len - 1) ^= 1;
    CU_ASSERT_EQUAL(trust_admit(trust, &key, &end_list, NULL, WHILE, &claim, &grant),
                    TRUST_ACCEPTED);
    end();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_nothing_there),
        UNIT_TEST(test_enrolled_keys_come_after),
        UNIT_TEST(test_own_keys_come_last),
        UNIT_TEST(test_own_keys_lift_nothing),
        UNIT_TEST(test_own_keys_hide_no_endorsement),
        UNIT_TEST(test_noticed_once_a_second),
        UNIT_TEST(test_judge),
        UNIT_TEST(test_unread_is_read_again),
        UNIT_TEST(test_broken_authorized_keeps),
        UNIT_TEST(test_broken_revoked_refuses_all),
        UNIT_TEST(test_unreadable_revoked),
        UNIT_TEST(test_authorize),
        UNIT_TEST(test_authorize_refused),
        UNIT_TEST(test_authorize_in_a_file_with_the_key_twice),
        UNIT_TEST(test_authorize_beyond_the_longest_file),
        UNIT_TEST(test_revoke),
        UNIT_TEST(test_a_persons_ssh_key),
        UNIT_TEST(test_an_organisations_key),
        UNIT_TEST(test_its_time),
        UNIT_TEST(test_revoked_endorsements),
        UNIT_TEST(test_unsigned_endorsements),
        UNIT_END,
    };
    if (sodium_init() < 0 || key_parse(SLICE(KEY_A), &key_a) < 0 ||
        key_parse(SLICE(KEY_B), &key_b) < 0)
        return 2;
    return unit_run("trust", tests);
}
