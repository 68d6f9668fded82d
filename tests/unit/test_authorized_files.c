/* SPDX-License-Identifier: MIT */
#include "common/authorized_files.h"

#include "common/key_folder.h"
#include "common/keys.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>

#define KEY_A "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_C "x25519:AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define DROPS "authorized_keys.d"

static struct any_key key_a, key_b, key_c;
static struct authorized_files files;
static char authorized[PATH_MAX];

static void start(void)
{
    folder_make();
    snprintf(authorized, sizeof(authorized), "%s/authorized_keys", folder);
    CU_ASSERT_EQUAL_FATAL(authorized_files_init(&files, authorized), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(in_folder(DROPS), 0755), 0);
}

static void end(void)
{
    authorized_files_free(&files);
    folder_remove();
}

/* By rename, as who knows better does: never seen half. */
static void put(const char *name, const char *text, mode_t mode)
{
    put_file(in_folder("new"), text, mode);
    CU_ASSERT_EQUAL(rename(in_folder("new"), in_folder(name)), 0);
}

static const char *name_of(const struct any_key *key)
{
    const struct authorized_key *line = authorized_files_find(&files, key);
    return line ? line->name : "";
}

/* The first that is there; "" if none. */
static const char *problem(void)
{
    struct problem *at;
    for (size_t i = 0; (at = authorized_files_problem(&files, i)); i++)
        if (at->state < 0)
            return at->diag.text;
    return "";
}

static bool complains(const char *of)
{
    if (!strstr(problem(), of))
        printf("said: %s ", problem());
    return strstr(problem(), of);
}

static void test_no_folder(void)
{
    start();
    CU_ASSERT_EQUAL(rmdir(in_folder(DROPS)), 0);
    authorized_files_refresh(&files);
    CU_ASSERT_STRING_EQUAL(problem(), "");
    CU_ASSERT_EQUAL(files.count, 1);
    put("authorized_keys", KEY_A " alice\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "alice");
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    end();
}

static void test_come_change_and_go(void)
{
    start();
    put("authorized_keys", KEY_A " alice\n", 0644);
    put(DROPS "/b.keys", KEY_B " bob\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "bob");
    put(DROPS "/a.keys", KEY_C " carol\n", 0644); /* before the one that is known */
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "alice");
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "bob");
    CU_ASSERT_STRING_EQUAL(name_of(&key_c), "carol");
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    put(DROPS "/b.keys", "# " KEY_B " bob\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "");
    CU_ASSERT_EQUAL(unlink(in_folder(DROPS "/a.keys")), 0);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_c), "");
    CU_ASSERT_STRING_EQUAL(problem(), "");
    end();
}

static void test_names_that_count(void)
{
    static const char *const others[] = {".a.keys",    "a.keys~",  "a.keys.dpkg-new",
                                         "a.keys.bak", "a b.keys", "\303\244.keys",
                                         "a.conf",     "a",        ".keys"};
    start();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), DROPS "/%s", others[i]);
        put(path, "nonsense\n", 0666);
        CU_ASSERT_FALSE(key_folder_takes(others[i]));
    }
    put(DROPS "/Team_1-x.y.keys", KEY_A " alice\n", 0640);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_EQUAL(files.count, 2);
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "alice");
    CU_ASSERT_STRING_EQUAL(problem(), "");
    end();
}

static void test_a_bad_one_hinders_no_other(void)
{
    start();
    put(DROPS "/a.keys", KEY_A " alice\n", 0644);
    put(DROPS "/b.keys", "\nnonsense\n", 0644);
    put(DROPS "/c.keys", KEY_C " carol\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_TRUE(complains(DROPS "/b.keys:2: "));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "alice");
    CU_ASSERT_STRING_EQUAL(name_of(&key_c), "carol");
    put(DROPS "/b.keys", KEY_B " bob\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(problem(), "");
    put(DROPS "/b.keys", KEY_B " bob\nnonsense\n", 0644);
    CU_ASSERT_FALSE(authorized_files_refresh(&files)); /* its last good state holds */
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "bob");
    CU_ASSERT_TRUE(complains(DROPS "/b.keys:2: "));
    CU_ASSERT_EQUAL(unlink(in_folder(DROPS "/b.keys")), 0);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "");
    CU_ASSERT_STRING_EQUAL(problem(), "");
    end();
}

static void test_each_is_judged(void)
{
    start();
    authorized_files_refresh(&files);
    put(DROPS "/a.keys", KEY_A " alice\n", 0664);
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    CU_ASSERT_TRUE(complains("run: chmod go-w "));
    put("elsewhere", KEY_A " alice\n", 0644);
    CU_ASSERT_EQUAL(unlink(in_folder(DROPS "/a.keys")), 0);
    CU_ASSERT_EQUAL(symlink("../elsewhere", in_folder(DROPS "/a.keys")), 0);
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    CU_ASSERT_TRUE(complains("a.keys is a symbolic link"));
    CU_ASSERT_EQUAL(unlink(in_folder(DROPS "/a.keys")), 0);
    CU_ASSERT_EQUAL(mkfifo(in_folder(DROPS "/a.keys"), 0644), 0);
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    CU_ASSERT_TRUE(complains("a.keys is not a regular file"));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "");
    if (geteuid() == 0) {
        put(DROPS "/a.keys", KEY_A " alice\n", 0644);
        CU_ASSERT_EQUAL(chown(in_folder(DROPS "/a.keys"), 12345, 0), 0);
        CU_ASSERT_FALSE(authorized_files_refresh(&files));
        CU_ASSERT_TRUE(complains("belongs to uid 12345"));
    }
    end();
}

static void test_a_key_in_two_files(void)
{
    start();
    put(DROPS "/a.keys", KEY_A " all first\n", 0644);
    put(DROPS "/b.keys", KEY_B " bob\n" KEY_A " override second\n", 0644);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "first");
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "bob");
    CU_ASSERT_TRUE(complains(DROPS "/b.keys:2: the key is also in "));
    CU_ASSERT_TRUE(complains(DROPS "/a.keys:1, which counts"));
    put("authorized_keys", "\n" KEY_A " root\n", 0644); /* before all */
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "root");
    CU_ASSERT_TRUE(complains(DROPS "/a.keys:1: the key is also in "));
    CU_ASSERT_EQUAL(unlink(in_folder("authorized_keys")), 0);
    CU_ASSERT_EQUAL(unlink(in_folder(DROPS "/a.keys")), 0);
    CU_ASSERT_TRUE(authorized_files_refresh(&files)); /* though b.keys has not changed */
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "second");
    CU_ASSERT_STRING_EQUAL(problem(), "");
    end();
}

static void test_an_open_folder_is_not_believed(void)
{
    start();
    put(DROPS "/a.keys", KEY_A " alice\n", 0644);
    authorized_files_refresh(&files);
    CU_ASSERT_EQUAL(chmod(in_folder(DROPS), 0777), 0);
    put(DROPS "/b.keys", KEY_B " bob\n", 0644);
    put(DROPS "/a.keys", KEY_A " override mallory\n", 0644);
    CU_ASSERT_FALSE(authorized_files_refresh(&files));
    CU_ASSERT_TRUE(complains(DROPS " can be written by others"));
    CU_ASSERT_STRING_EQUAL(name_of(&key_a), "alice");
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "");
    put("authorized_keys", KEY_C " carol\n", 0644); /* goes on for itself */
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_c), "carol");
    CU_ASSERT_EQUAL(chmod(in_folder(DROPS), 0755), 0);
    CU_ASSERT_TRUE(authorized_files_refresh(&files));
    CU_ASSERT_STRING_EQUAL(name_of(&key_b), "bob");
    CU_ASSERT_STRING_EQUAL(problem(), "");
    end();
}

static void test_told_once(void)
{
    bool new = false;
    start();
    put(DROPS "/a.keys", "nonsense\n", 0644);
    authorized_files_refresh(&files);
    struct problem *of_a = authorized_files_problem(&files, 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(of_a);
    CU_ASSERT_PTR_NOT_NULL(problem_tell(of_a, &new));
    CU_ASSERT_TRUE(new);
    put(DROPS "/b.keys", KEY_B " bob\n", 0644);
    authorized_files_refresh(&files);
    CU_ASSERT_PTR_NOT_NULL(problem_tell(authorized_files_problem(&files, 3), &new));
    CU_ASSERT_FALSE(new);
    put(DROPS "/a.keys", "nonsense\n", 0644); /* somebody tried to mend it, and did not */
    authorized_files_refresh(&files);
    problem_tell(authorized_files_problem(&files, 3), &new);
    CU_ASSERT_TRUE(new);
    CU_ASSERT_PTR_NULL(authorized_files_problem(&files, 5));
    end();
}

static void test_no_descriptor_for_a_while(void)
{
    struct rlimit before, full;
    start();
    put(DROPS "/a.keys", KEY_A " alice\n", 0644);
    authorized_files_refresh(&files);
    put(DROPS "/a.keys", KEY_B " bob\n", 0644);
    int next = dup(0);
    CU_ASSERT_FATAL(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    close(next);
    /* One more than there are: the folder can be listed, but after that nothing is left. */
    for (rlim_t more = 0; more < 2; more++) {
        full = (struct rlimit){.rlim_cur = (rlim_t)next + more, .rlim_max = before.rlim_max};
        CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &full), 0);
        bool changed = authorized_files_refresh(&files);
        CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &before), 0);
        CU_ASSERT_EQUAL(changed, more == 1);
        CU_ASSERT_STRING_EQUAL(name_of(more == 1 ? &key_b : &key_a), more == 1 ? "bob" : "alice");
        CU_ASSERT_TRUE(more == 1 || complains("Too many open files"));
    }
    end();
}

static int listed(size_t *ret_count, struct diag *ret_diag)
{
    struct key_folder found = {.count = 0};
    int r = key_folder_list(authorized, &found, ret_diag);
    *ret_count = found.count;
    key_folder_free(&found);
    return r;
}

static void test_how_many(void)
{
    struct diag diag;
    size_t count;
    start();
    for (int i = 0; i < LIM_KEY_FILES; i++) {
        char name[64];
        snprintf(name, sizeof(name), DROPS "/%03d.keys", i);
        put(name, "", 0644);
    }
    CU_ASSERT_EQUAL(listed(&count, NULL), 0);
    CU_ASSERT_EQUAL(count, LIM_KEY_FILES);
    put(DROPS "/one-more.keys", "", 0644);
    CU_ASSERT_EQUAL(listed(&count, &diag), -E2BIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "more than 128 files"));
    end();
}

static void test_how_long(void)
{
    struct diag diag;
    size_t count;
    start();
    put(DROPS "/a.keys", "x", 0644);
    put(DROPS "/b.keys", "", 0644);
    CU_ASSERT_EQUAL(truncate(in_folder(DROPS "/b.keys"), LIM_KEY_FOLDER - 1), 0);
    CU_ASSERT_EQUAL(listed(&count, NULL), 0);
    CU_ASSERT_EQUAL(truncate(in_folder(DROPS "/b.keys"), LIM_KEY_FOLDER), 0);
    CU_ASSERT_EQUAL(listed(&count, &diag), -E2BIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "longer than 4194304 bytes in all"));
    end();
}

static void test_whose_folder(void)
{
    char owner[PATH_MAX];
    CU_ASSERT_TRUE(key_folder_owner("/etc/msgd/authorized_keys.d/a.keys", owner));
    CU_ASSERT_STRING_EQUAL(owner, "/etc/msgd/authorized_keys");
    CU_ASSERT_TRUE(key_folder_owner("k.d/x", owner));
    CU_ASSERT_STRING_EQUAL(owner, "k");
    CU_ASSERT_FALSE(key_folder_owner("/etc/msgd/authorized_keys", owner));
    CU_ASSERT_FALSE(key_folder_owner("/etc/.d/a.keys", owner));
    CU_ASSERT_FALSE(key_folder_owner(".d/a.keys", owner));
    CU_ASSERT_FALSE(key_folder_owner("a.keys", owner));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_no_folder),
        UNIT_TEST(test_come_change_and_go),
        UNIT_TEST(test_names_that_count),
        UNIT_TEST(test_a_bad_one_hinders_no_other),
        UNIT_TEST(test_each_is_judged),
        UNIT_TEST(test_a_key_in_two_files),
        UNIT_TEST(test_an_open_folder_is_not_believed),
        UNIT_TEST(test_told_once),
        UNIT_TEST(test_no_descriptor_for_a_while),
        UNIT_TEST(test_how_many),
        UNIT_TEST(test_how_long),
        UNIT_TEST(test_whose_folder),
        UNIT_END,
    };
    struct slice a = SLICE(KEY_A), b = SLICE(KEY_B), c = SLICE(KEY_C);
    if (sodium_init() < 0 || any_key_take(&a, &key_a) < 0 || any_key_take(&b, &key_b) < 0 ||
        any_key_take(&c, &key_c) < 0)
        return 2;
    return unit_run("authorized_files", tests);
}
