/* SPDX-License-Identifier: MIT */
#include "common/keys.h"

#include "common/file.h"
#include "common/mem.h"
#include "protocol/limits.h"

#include <fcntl.h>
#include <sodium.h>

#define BASE64_LEN 43
#define BASE64     sodium_base64_VARIANT_URLSAFE_NO_PADDING

#define PREFIX      "x25519:"
#define FILE_HEAD   "msg-key-v1\npublic: "
#define FILE_MIDDLE "\nsecret: "

_Static_assert(KEY_TEXT_LEN == sizeof(PREFIX) - 1 + BASE64_LEN, "a key's text");
_Static_assert(KEY_FILE_LEN ==
                   sizeof(FILE_HEAD) - 1 + KEY_TEXT_LEN + sizeof(FILE_MIDDLE) - 1 + BASE64_LEN + 1,
               "a key file");

/*
 * Exactly 43 characters for exactly 32 bytes, and only those that the bytes are written as:
 * libsodium 1.0.18 takes some bytes above 0x7F for letters.
 */
static bool read_base64(struct slice text, uint8_t out[static NOISE_KEY])
{
    char canonical[BASE64_LEN + 1];
    size_t len = 0;
    if (text.len != BASE64_LEN ||
        sodium_base642bin(out, NOISE_KEY, text.ptr, text.len, NULL, &len, NULL, BASE64) != 0 ||
        len != NOISE_KEY)
        return false;
    sodium_bin2base64(canonical, sizeof(canonical), out, NOISE_KEY, BASE64);
    bool same = sodium_memcmp(canonical, text.ptr, BASE64_LEN) == 0;
    sodium_memzero(canonical, sizeof(canonical));
    return same;
}

int key_parse(struct slice text, struct noise_public *ret_key)
{
    struct noise_public key;
    if (!slice_take(&text, SLICE(PREFIX)) || !read_base64(text, key.bytes))
        return -EBADMSG;
    *ret_key = key;
    return 0;
}

void key_format(const struct noise_public *key, char out[static KEY_TEXT_LEN + 1])
{
    memcpy(out, PREFIX, sizeof(PREFIX) - 1);
    sodium_bin2base64(out + sizeof(PREFIX) - 1, BASE64_LEN + 1, key->bytes, NOISE_KEY, BASE64);
}

bool key_equal(const struct noise_public *a, const struct noise_public *b)
{
    return sodium_memcmp(a->bytes, b->bytes, NOISE_KEY) == 0;
}

void key_free(struct noise_keypair *key)
{
    sodium_free(key);
}

int key_make(struct noise_keypair **ret_key)
{
    CLEANUP_KEY struct noise_keypair *key = sodium_malloc(sizeof(*key));
    if (!key)
        return -ENOMEM;
    randombytes_buf(key->secret.bytes, sizeof(key->secret.bytes));
    int r = noise_public_key(&key->secret, &key->public);
    if (r < 0)
        return r;
    *ret_key = TAKE(key);
    return 0;
}

static const char *read_file(struct slice text, struct noise_keypair *ret_key)
{
    struct noise_public derived;
    if (!slice_take(&text, SLICE(FILE_HEAD)))
        return "not a key file: its first line is not msg-key-v1, or no public: follows";
    if (text.len < KEY_TEXT_LEN ||
        key_parse((struct slice){text.ptr, KEY_TEXT_LEN}, &ret_key->public) < 0)
        return "its public key is broken";
    text = slice_from(text, KEY_TEXT_LEN);
    if (!slice_take(&text, SLICE(FILE_MIDDLE)) || text.len != BASE64_LEN + 1 ||
        text.ptr[BASE64_LEN] != '\n' ||
        !read_base64((struct slice){text.ptr, BASE64_LEN}, ret_key->secret.bytes))
        return "its secret key is broken";
    if (noise_public_key(&ret_key->secret, &derived) < 0 || !key_equal(&derived, &ret_key->public))
        return "its public key is not that of its secret key";
    return NULL;
}

int key_file_parse(struct slice text, struct noise_keypair *ret_key, const char **ret_reason)
{
    struct noise_keypair key;
    const char *reason = read_file(text, &key);
    if (reason)
        *ret_reason = reason;
    else
        *ret_key = key;
    sodium_memzero(&key, sizeof(key));
    return reason ? -EBADMSG : 0;
}

void key_file_format(const struct noise_keypair *key, char out[static KEY_FILE_LEN + 1])
{
    char *at = out;
    memcpy(at, FILE_HEAD, sizeof(FILE_HEAD) - 1);
    at += sizeof(FILE_HEAD) - 1;
    key_format(&key->public, at);
    at += KEY_TEXT_LEN;
    memcpy(at, FILE_MIDDLE, sizeof(FILE_MIDDLE) - 1);
    at += sizeof(FILE_MIDDLE) - 1;
    sodium_bin2base64(at, BASE64_LEN + 1, key->secret.bytes, NOISE_KEY, BASE64);
    at[BASE64_LEN] = '\n';
    out[KEY_FILE_LEN] = '\0';
}

static int read_key(const char *path, struct noise_keypair *key, struct diag *ret_diag)
{
    char *text = NULL;
    const char *reason = NULL;
    size_t len = 0;
    int r = file_read(path, FILE_SECRET, LIM_KEY_FILE, &text, &len, NULL, ret_diag);
    if (r < 0)
        return r;
    r = key_file_parse((struct slice){text, len}, key, &reason);
    sodium_memzero(text, len);
    free(text);
    return r < 0 ? diag_set(ret_diag, r, "%s: %s", path, reason) : 0;
}

int key_load(const char *path, struct noise_keypair **ret_key, struct diag *ret_diag)
{
    const char *name;
    CLEANUP_FD int folder = file_open_folder(path, false, FILE_SECRET, &name, ret_diag);
    if (folder < 0)
        return folder;
    CLEANUP_KEY struct noise_keypair *key = sodium_malloc(sizeof(*key));
    if (!key)
        return diag_set(ret_diag, -ENOMEM, "%s: no memory can be locked for a secret key", path);
    int r = read_key(path, key, ret_diag);
    if (r < 0)
        return r;
    *ret_key = TAKE(key);
    return 0;
}

static int write_new(int folder, const char *temporary, const struct noise_keypair *key)
{
    char text[KEY_FILE_LEN + 1];
    CLEANUP_FD int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return mem_errno();
    key_file_format(key, text);
    ssize_t put = write(fd, text, KEY_FILE_LEN);
    int r = put == KEY_FILE_LEN ? 0 : put < 0 ? mem_errno() : -EIO;
    sodium_memzero(text, sizeof(text));
    return r == 0 && fsync(fd) < 0 ? mem_errno() : r;
}

/* Makes the file whole under a name of its own, then links it: of two makers one gets -EEXIST. */
static int publish(int folder, const char *name, const struct noise_keypair *key)
{
    char temporary[32];
    snprintf(temporary, sizeof(temporary), ".key.%08x%08x", randombytes_random(),
             randombytes_random());
    int r = write_new(folder, temporary, key);
    if (r == -EEXIST)
        return -EAGAIN; /* somebody's file, not ours to remove */
    if (r == 0 && linkat(folder, temporary, folder, name, 0) < 0)
        r = mem_errno();
    unlinkat(folder, temporary, 0);
    return r == 0 && fsync(folder) < 0 ? mem_errno() : r;
}

static int make_key(const char *path, struct noise_keypair **ret_key, struct diag *ret_diag)
{
    const char *name;
    CLEANUP_KEY struct noise_keypair *key = NULL;
    CLEANUP_FD int folder = file_open_folder(path, true, FILE_SECRET, &name, ret_diag);
    if (folder < 0)
        return folder;
    int r = key_make(&key);
    r = r < 0 ? r : publish(folder, name, key);
    if (r < 0)
        return diag_errno(ret_diag, r, path);
    *ret_key = TAKE(key);
    return 0;
}

int key_load_or_make(const char *path, struct noise_keypair **ret_key, bool *ret_made,
                     struct diag *ret_diag)
{
    int r = key_load(path, ret_key, ret_diag);
    bool missing = r == -ENOENT;
    if (missing)
        r = make_key(path, ret_key, ret_diag);
    bool made = missing && r == 0;
    if (missing && r == -EEXIST) /* another process was first: its key is the one */
        r = key_load(path, ret_key, ret_diag);
    if (r == 0 && ret_made)
        *ret_made = made;
    return r;
}
