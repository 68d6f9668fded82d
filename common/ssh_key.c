/* SPDX-License-Identifier: MIT */
#include "common/ssh_key.h"

#include <errno.h>
#include <sodium.h>

#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* What stands in a blob before the key itself. */
static const uint8_t head[SSH_KEY_BLOB - SSH_KEY] = {
    0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, SSH_KEY};

int ssh_key_from_blob(struct slice blob, struct ssh_key *ret_key)
{
    if (blob.len != SSH_KEY_BLOB || memcmp(blob.ptr, head, sizeof(head)) != 0)
        return -EBADMSG;
    memcpy(ret_key->bytes, blob.ptr + sizeof(head), SSH_KEY);
    return 0;
}

bool ssh_key_is_type(struct slice word)
{
    static const struct slice begins[] = {SLICE("ssh-"), SLICE("ecdsa-"), SLICE("sk-")};

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (slice_begins(word, begins[i]))
            return true;
    return false;
}

void ssh_key_format(const struct ssh_key *key, char out[static SSH_KEY_TEXT_LEN + 1])
{
    uint8_t blob[SSH_KEY_BLOB];

    memcpy(blob, head, sizeof(head));
    memcpy(blob + sizeof(head), key->bytes, SSH_KEY);
    memcpy(out, SSH_KEY_TYPE " ", sizeof(SSH_KEY_TYPE));
    sodium_bin2base64(out + sizeof(SSH_KEY_TYPE), SSH_KEY_TEXT_LEN + 1 - sizeof(SSH_KEY_TYPE), blob,
                      sizeof(blob), BASE64);
}

/* libsodium 1.0.18 takes bytes above 0x7F for letters: only what the key is written as is read. */
static bool is_written_so(const struct ssh_key *key, struct slice base64)
{
    char text[SSH_KEY_TEXT_LEN + 1];

    ssh_key_format(key, text);
    return slice_eq(slice_of(text + sizeof(SSH_KEY_TYPE)), base64);
}

int ssh_key_parse(struct slice type, struct slice base64, struct ssh_key *ret_key)
{
    uint8_t blob[SSH_KEY_BLOB];
    struct ssh_key key;
    size_t len = 0;

    if (!slice_eq(type, SLICE(SSH_KEY_TYPE)))
        return ssh_key_is_type(type) ? -ENOTSUP : -EBADMSG;
    if (base64.len != SSH_KEY_TEXT_LEN - sizeof(SSH_KEY_TYPE))
        return -EBADMSG;
    if (sodium_base642bin(blob, sizeof(blob), base64.ptr, base64.len, NULL, &len, NULL, BASE64) < 0)
        return -EBADMSG;
    if (ssh_key_from_blob((struct slice){(const char *)blob, len}, &key) < 0 ||
        !is_written_so(&key, base64))
        return -EBADMSG;
    *ret_key = key;
    return 0;
}

bool ssh_key_equal(const struct ssh_key *a, const struct ssh_key *b)
{
    return memcmp(a->bytes, b->bytes, SSH_KEY) == 0;
}
