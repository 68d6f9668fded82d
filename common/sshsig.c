/* SPDX-License-Identifier: MIT */
#include "common/sshsig.h"

#include <errno.h>
#include <sodium.h>

#define MAGIC "SSHSIG"
#define HASH  "sha512"
#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END   "-----END SSH SIGNATURE-----"

/* ---- the envelope ---------------------------------------------------------------------------- */

static uint32_t big_endian(const char *bytes)
{
    const uint8_t *b = (const uint8_t *)bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The next string, a length of four bytes and that many; false if it does not fit. */
static bool take(struct slice *rest, struct slice *ret_string)
{
    if (rest->len < 4)
        return false;
    uint32_t len = big_endian(rest->ptr);
    struct slice behind = slice_from(*rest, 4);

    if (len > behind.len)
        return false;
    *ret_string = (struct slice){behind.ptr, len};
    *rest = slice_from(behind, len);
    return true;
}

/* The next string, which must be this one. */
static bool take_word(struct slice *rest, struct slice word)
{
    struct slice string;

    return take(rest, &string) && slice_eq(string, word);
}

static bool take_head(struct slice *rest)
{
    static const char head[] = {'S', 'S', 'H', 'S', 'I', 'G', 0, 0, 0, 1};

    return slice_take(rest, (struct slice){head, sizeof(head)});
}

static bool take_key(struct slice *rest, struct ssh_key *key)
{
    struct slice blob;

    return take(rest, &blob) && ssh_key_from_blob(blob, key) == 0;
}

static bool take_signature(struct slice *rest, uint8_t out[static SSHSIG_SIGNATURE])
{
    struct slice blob, bytes;

    if (!take(rest, &blob) || !take_word(&blob, SLICE(SSH_KEY_TYPE)) || !take(&blob, &bytes) ||
        bytes.len != SSHSIG_SIGNATURE || blob.len != 0)
        return false;
    memcpy(out, bytes.ptr, SSHSIG_SIGNATURE);
    return true;
}

int sshsig_parse(struct slice envelope, struct slice name_space, struct sshsig *ret_sig,
                 const char **ret_reason)
{
    struct slice rest = envelope;
    struct sshsig sig;
    const char *reason = NULL;

    if (!take_head(&rest))
        reason = "not a signature of ssh";
    else if (!take_key(&rest, &sig.key))
        reason = "the key that signed is not ssh-ed25519";
    else if (!take_word(&rest, name_space))
        reason = "signed in another namespace";
    else if (!take_word(&rest, SLICE("")))
        reason = "the signature's reserved field is not empty";
    else if (!take_word(&rest, SLICE(HASH)))
        reason = "the signature's hash is not sha512";
    else if (!take_signature(&rest, sig.signature))
        reason = "not a signature of ssh-ed25519";
    else if (rest.len != 0)
        reason = "bytes behind the signature";
    if (reason) {
        *ret_reason = reason;
        return -EBADMSG;
    }
    *ret_sig = sig;
    return 0;
}

/* ---- the armour ------------------------------------------------------------------------------ */

/* libsodium 1.0.18 takes bytes above 0x7F for letters. */
static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.ptr[i] >= 0x80)
            return false;
    return true;
}

int sshsig_dearmor(struct slice text, uint8_t out[static SSHSIG_MAX], size_t *ret_len,
                   size_t *ret_taken)
{
    const struct slice begin = SLICE(BEGIN), end = SLICE(END);
    struct slice body = text;
    const char *stop;
    size_t len = 0;

    if (!slice_take(&body, begin))
        return -EBADMSG;
    stop = memmem(body.ptr, body.len, end.ptr, end.len);
    if (!stop || stop == body.ptr || stop[-1] != '\n')
        return -EBADMSG;
    body.len = (size_t)(stop - body.ptr);
    size_t taken = begin.len + body.len + end.len;
    if (taken > SSHSIG_TEXT_MAX || (taken < text.len && text.ptr[taken] != '\n'))
        return -EBADMSG;
    if (!is_ascii(body))
        return -EBADMSG;
    if (sodium_base642bin(out, SSHSIG_MAX, body.ptr, body.len, "\n", &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) < 0)
        return -EBADMSG;
    *ret_len = len;
    *ret_taken = taken + (taken < text.len);
    return 0;
}

/* ---- what was signed ------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *out, struct slice string)
{
    const uint8_t len[4] = {0, 0, (uint8_t)(string.len >> 8), (uint8_t)string.len};

    memcpy(out, len, sizeof(len));
    if (string.len)
        memcpy(out + sizeof(len), string.ptr, string.len);
    return out + sizeof(len) + string.len;
}

bool sshsig_verify(const struct sshsig *sig, struct slice name_space, struct slice message)
{
    uint8_t digest[crypto_hash_sha512_BYTES], signed_bytes[SSHSIG_MAX], *end = signed_bytes;

    if (name_space.len > 64 ||
        crypto_hash_sha512(digest, (const uint8_t *)message.ptr, message.len))
        return false;
    memcpy(end, MAGIC, sizeof(MAGIC) - 1);
    end = put(end + sizeof(MAGIC) - 1, name_space);
    end = put(end, SLICE(""));
    end = put(end, SLICE(HASH));
    end = put(end, (struct slice){(const char *)digest, sizeof(digest)});
    return crypto_sign_verify_detached(sig->signature, signed_bytes, (size_t)(end - signed_bytes),
                                       sig->key.bytes) == 0;
}
