/* SPDX-License-Identifier: MIT */
#include "common/keys.h"

#include "common/file.h"
#include "common/mem.h"
#include "tests/unit/folder.h"
#include "tests/unit/forks.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>

/* RFC 7748, section 6.1: Alice's keys. */
static const char alice_file[] = "msg-key-v1\n"
                                 "public: x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\n"
                                 "secret: dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo\n";
#define ALICE "x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"

static void test_parse(void)
{
    struct noise_public key, again;
    char text[KEY_TEXT_LEN + 1];
    CU_ASSERT_EQUAL_FATAL(key_parse(SLICE(ALICE), &key), 0);
    CU_ASSERT_EQUAL(key.bytes[0], 0x85);
    CU_ASSERT_EQUAL(key.bytes[31], 0x6A);
    key_format(&key, text);
    CU_ASSERT_STRING_EQUAL(text, ALICE);
    CU_ASSERT_EQUAL(key_parse(slice_of(text), &again), 0);
    CU_ASSERT_TRUE(key_equal(&key, &again));
    again.bytes[31] ^= 1;
    CU_ASSERT_FALSE(key_equal(&key, &again));
}

static void test_parse_refuses(void)
{
    static const struct slice bad[] = {
        SLICE(""),
        SLICE("x25519:"),
        SLICE("x25519"),
        SLICE("hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"),
        SLICE("X25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"),
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTm"),   /* 42 */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmoA"), /* 44 */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo="), /* padding */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmp"),  /* an unused bit set */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmq"),  /* the other one */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"),  /* not the URL alphabet */
        SLICE("x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xD8"
              "AAAA"), /* 1.0.18 reads it */
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2 Og0mOBr066SpjqqbTmo"),
        SLICE("x25519:hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\0"),
    };
    struct noise_public key = {{42}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CU_ASSERT_EQUAL(key_parse(bad[i], &key), -EBADMSG);
    CU_ASSERT_EQUAL(key.bytes[0], 42);
}

static void test_file_text(void)
{
    struct noise_keypair key;
    const char *reason = NULL;
    char text[KEY_FILE_LEN + 1];
    CU_ASSERT_EQUAL(strlen(alice_file), KEY_FILE_LEN);
    CU_ASSERT_EQUAL_FATAL(key_file_parse(slice_of(alice_file), &key, &reason), 0);
    CU_ASSERT_EQUAL(key.secret.bytes[0], 0x77);
    CU_ASSERT_EQUAL(key.public.bytes[0], 0x85);
    CU_ASSERT_PTR_NULL(reason);
    key_file_format(&key, text);
    CU_ASSERT_STRING_EQUAL(text, alice_file);
}

/* Every single byte changed, every length but the right one: refused. */
static void test_file_text_refuses(void)
{
    struct noise_keypair key;
    char text[KEY_FILE_LEN + 2];
    for (size_t i = 0; i < KEY_FILE_LEN; i++) {
        const char *reason = NULL;
        memcpy(text, alice_file, sizeof(alice_file));
        text[i] = text[i] == 'Z' ? 'Y' : 'Z';
        CU_ASSERT_EQUAL(key_file_parse((struct slice){text, KEY_FILE_LEN}, &key, &reason),
                        -EBADMSG);
        CU_ASSERT_PTR_NOT_NULL(reason);
    }
    memcpy(text, alice_file, sizeof(alice_file));
    text[KEY_FILE_LEN] = '\n';
    for (size_t len = 0; len <= KEY_FILE_LEN + 1; len++) {
        const char *reason = NULL;
        int expected = len == KEY_FILE_LEN ? 0 : -EBADMSG;
        CU_ASSERT_EQUAL(key_file_parse((struct slice){text, len}, &key, &reason), expected);
    }
}

static void test_make(void)
{
    CLEANUP_KEY struct noise_keypair *one = NULL;
    CLEANUP_KEY struct noise_keypair *two = NULL;
    struct noise_public derived;
    CU_ASSERT_EQUAL_FATAL(key_make(&one), 0);
    CU_ASSERT_EQUAL_FATAL(key_make(&two), 0);
    CU_ASSERT_FALSE(key_equal(&one->public, &two->public));
    CU_ASSERT_EQUAL(noise_public_key(&one->secret, &derived), 0);
    CU_ASSERT_TRUE(key_equal(&one->public, &derived));
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_made_on_first_use(void)
{
    CLEANUP_KEY struct noise_keypair *one = NULL;
    CLEANUP_KEY struct noise_keypair *two = NULL;
    struct diag diag;
    bool made = false;
    folder_make();
    umask(0);
    CU_ASSERT_EQUAL(key_load(in_folder("a/b/identity"), &one, &diag), -ENOENT);
    CU_ASSERT_EQUAL_FATAL(key_load_or_make(in_folder("a/b/identity"), &one, &made, &diag), 0);
    CU_ASSERT_TRUE(made);
    CU_ASSERT_EQUAL(mode_of(in_folder("a/b/identity")), 0600);
    CU_ASSERT_EQUAL(mode_of(in_folder("a/b")), 0700);
    CU_ASSERT_EQUAL(mode_of(in_folder("a")), 0700);
    CU_ASSERT_EQUAL(rename(in_folder("a/b/identity"), in_folder("identity")), 0);
    CU_ASSERT_EQUAL(rmdir(in_folder("a/b")), 0); /* no temporary file was left */
    CU_ASSERT_EQUAL_FATAL(key_load_or_make(in_folder("identity"), &two, &made, &diag), 0);
    CU_ASSERT_FALSE(made);
    CU_ASSERT_EQUAL(memcmp(one, two, sizeof(*one)), 0);
    umask(022);
    folder_remove();
}

static void refused(int error, const char *path, const char *what)
{
    struct noise_keypair *key = NULL;
    struct diag diag = {""};
    CU_ASSERT_EQUAL(key_load_or_make(path, &key, NULL, &diag), error);
    CU_ASSERT_PTR_NULL(key);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, what));
}

static void test_modes_refused(void)
{
    char command[PATH_MAX + 32];
    const char *path;
    struct noise_keypair *key;
    folder_make();
    path = in_folder("identity");
    put_file(path, alice_file, 0640);
    snprintf(command, sizeof(command), "run: chmod 600 %s", path);
    refused(-EPERM, path, command);
    chmod(path, 0604);
    refused(-EPERM, path, command);
    chmod(path, 0600);
    chmod(folder, 0750);
    snprintf(command, sizeof(command), "run: chmod 700 %s", folder);
    refused(-EPERM, path, command);
    chmod(folder, 0700);
    CU_ASSERT_EQUAL(key_load(path, &key, NULL), 0);
    key_free(key);
    chmod(path, 0400);
    CU_ASSERT_EQUAL(key_load(path, &key, NULL), 0);
    key_free(key);
    folder_remove();
}

static void test_owners_refused(void)
{
    char command[PATH_MAX + 32];
    if (geteuid() != 0)
        return; /* nobody else can give a file away */
    folder_make();
    put_file(in_folder("identity"), alice_file, 0600);
    CU_ASSERT_EQUAL(chown(in_folder("identity"), 12345, 0), 0);
    snprintf(command, sizeof(command), "run: chown 0 %s", in_folder("identity"));
    refused(-EPERM, in_folder("identity"), command);
    CU_ASSERT_EQUAL(chown(in_folder("identity"), 0, 0), 0);
    CU_ASSERT_EQUAL(chown(folder, 12345, 0), 0);
    refused(-EPERM, in_folder("identity"), "belongs to uid 12345");
    refused(-EPERM, in_folder("new"), "belongs to uid 12345");
    refused(-EPERM, in_folder("a/b/new"), "nothing is made there by uid 0");
    CU_ASSERT_EQUAL(access(in_folder("a"), F_OK), -1);
    folder_remove();
}

static void test_not_a_key_file(void)
{
    folder_make();
    put_file(in_folder("identity"), "hello\n", 0600);
    refused(-EBADMSG, in_folder("identity"), "not a key file");
    CU_ASSERT_EQUAL(mkdir(in_folder("dir"), 0700), 0);
    refused(-EINVAL, in_folder("dir"), "not a regular file");
    CU_ASSERT_EQUAL(mkfifo(in_folder("fifo"), 0600), 0);
    refused(-EINVAL, in_folder("fifo"), "not a regular file");
    CU_ASSERT_EQUAL(truncate(in_folder("identity"), 4096), 0);
    refused(-EBADMSG, in_folder("identity"), "not a key file");
    CU_ASSERT_EQUAL(truncate(in_folder("identity"), 4097), 0);
    refused(-EFBIG, in_folder("identity"), "longer than 4096 bytes");
    folder_remove();
}

/* Many at once make one key, and all read that one. */
static void test_race(void)
{
    enum { MAKERS = 12 };
    struct noise_public keys[MAKERS];
    int ends[2];
    folder_make();
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fork_begin();
    for (int i = 0; i < MAKERS; i++)
        if (fork_one()) {
            struct noise_keypair *key;
            if (key_load_or_make(in_folder("x/identity"), &key, NULL, NULL) < 0 ||
                write(ends[1], &key->public, sizeof(key->public)) != sizeof(key->public))
                _exit(1);
            _exit(0);
        }
    CU_ASSERT_EQUAL(fork_end(MAKERS), 0);
    CU_ASSERT_EQUAL_FATAL(read(ends[0], keys, sizeof(keys)), (ssize_t)sizeof(keys));
    for (int i = 1; i < MAKERS; i++)
        CU_ASSERT_TRUE(key_equal(&keys[0], &keys[i]));
    close(ends[0]);
    close(ends[1]);
    folder_remove();
}

static void test_replace(void)
{
    struct stat st;
    folder_make();
    CU_ASSERT_EQUAL(file_replace(in_folder("f"), SLICE("one\n"), 0640, NULL), 0);
    CU_ASSERT_EQUAL(mode_of(in_folder("f")), 0640);
    chmod(in_folder("f"), 0604);
    CU_ASSERT_EQUAL(file_replace(in_folder("f"), SLICE("two\n"), 0640, NULL), 0);
    CU_ASSERT_STRING_EQUAL(get_file(in_folder("f")), "two\n");
    CU_ASSERT_EQUAL(mode_of(in_folder("f")), 0604);
    CU_ASSERT_EQUAL(file_replace(in_folder("no/f"), SLICE("x"), 0640, NULL), -ENOENT);
    CU_ASSERT_EQUAL(stat(folder, &st), 0);
    CU_ASSERT_EQUAL(st.st_nlink, 2);
    folder_remove();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_parse),          UNIT_TEST(test_parse_refuses),
        UNIT_TEST(test_file_text),      UNIT_TEST(test_file_text_refuses),
        UNIT_TEST(test_make),           UNIT_TEST(test_made_on_first_use),
        UNIT_TEST(test_modes_refused),  UNIT_TEST(test_owners_refused),
        UNIT_TEST(test_not_a_key_file), UNIT_TEST(test_race),
        UNIT_TEST(test_replace),        UNIT_END,
    };
    if (sodium_init() < 0)
        return 2;
    return unit_run("keys", tests);
}
