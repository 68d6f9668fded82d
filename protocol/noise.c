/* SPDX-License-Identifier: MIT */
#include "protocol/noise.h"

#include "protocol/hkdf.h"
#include "protocol/limits.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static_assert(NOISE_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES && NOISE_TAG == LIM_AEAD_TAG &&
                  NOISE_HASH == HKDF_HASH && NOISE_KEY == crypto_scalarmult_BYTES &&
                  NOISE_KEY == crypto_aead_chacha20poly1305_ietf_KEYBYTES,
              "sizes of the suite");

/* ---- CipherState (5.1) ----------------------------------------------------------------------- */

static void cipher_key(struct noise_cipher *cipher, const uint8_t key[static NOISE_KEY])
{
    memcpy(cipher->key, key, NOISE_KEY);
    cipher->nonce = 0;
    cipher->keyed = true;
}

/* ChaChaPoly's nonce: four zero bytes, then the counter in little-endian order (12.3). */
static void nonce_bytes(uint64_t counter, uint8_t out[static 12])
{
    memset(out, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(counter >> 8 * i);
}

static int cipher_ready(const struct noise_cipher *cipher)
{
    if (!cipher->keyed)
        return -EPROTO;
    return cipher->nonce == UINT64_MAX ? -EOVERFLOW : 0; /* the last nonce is reserved (5.1) */
}

/* out takes len + NOISE_TAG; may be in. */
static ssize_t seal(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_len,
                    const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    int r = cipher_ready(cipher);

    if (r < 0)
        return r;
    nonce_bytes(cipher->nonce, nonce);
    if (crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, ad_len, NULL, nonce,
                                                  cipher->key) != 0)
        return -EMSGSIZE;
    cipher->nonce++;
    return (ssize_t)(len + NOISE_TAG);
}

/* len counts the tag, so out takes len - NOISE_TAG; may be in. */
static ssize_t open_sealed(struct noise_cipher *cipher, const uint8_t *ad, size_t ad_len,
                           const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    int r = cipher_ready(cipher);

    if (r < 0)
        return r;
    nonce_bytes(cipher->nonce, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len, ad, ad_len, nonce,
                                                  cipher->key) != 0)
        return -EBADMSG;
    cipher->nonce++;
    return (ssize_t)(len - NOISE_TAG);
}

/* ---- SymmetricState (5.2) -------------------------------------------------------------------- */

static void mix_hash(struct noise_handshake *hs, const uint8_t *data, size_t len)
{
    hkdf_hash(hs->hash, sizeof(hs->hash), data, len, hs->hash);
}

static void mix_key(struct noise_handshake *hs, const uint8_t input[static NOISE_KEY])
{
    uint8_t key[NOISE_HASH];

    hkdf(hs->chaining_key, input, NOISE_KEY, hs->chaining_key, key);
    cipher_key(&hs->cipher, key);
    sodium_memzero(key, sizeof(key));
}

static ssize_t encrypt_and_hash(struct noise_handshake *hs, const uint8_t *in, size_t len,
                                uint8_t *out)
{
    ssize_t n = (ssize_t)len;

    if (hs->cipher.keyed)
        n = seal(&hs->cipher, hs->hash, sizeof(hs->hash), in, len, out);
    else if (len > 0)
        memcpy(out, in, len);
    if (n >= 0)
        mix_hash(hs, out, (size_t)n);
    return n;
}

static ssize_t decrypt_and_hash(struct noise_handshake *hs, const uint8_t *in, size_t len,
                                uint8_t *out)
{
    ssize_t n = (ssize_t)len;

    if (hs->cipher.keyed)
        n = open_sealed(&hs->cipher, hs->hash, sizeof(hs->hash), in, len, out);
    else if (len > 0)
        memcpy(out, in, len);
    if (n >= 0)
        mix_hash(hs, in, len);
    return n;
}

/* ---- HandshakeState (5.3): the pattern is data ----------------------------------------------- */

enum token { TOKEN_END, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE };

static const uint8_t pattern_xx[NOISE_MESSAGES][5] = {
    {TOKEN_E},                              /* -> */
    {TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES}, /* <- */
    {TOKEN_S, TOKEN_SE},                    /* -> */
};
static const char protocol_name[] = "Noise_XX_25519_ChaChaPoly_BLAKE2b";

/* Where in the message a token stands; lengths were checked for the whole message before. */
struct cursor {
    const uint8_t *in;
    uint8_t *out;
};

static int mix_dh(struct noise_handshake *hs, const struct noise_secret *ours,
                  const struct noise_public *theirs)
{
    uint8_t shared[NOISE_KEY];
    int r = crypto_scalarmult(shared, ours->bytes, theirs->bytes);

    if (r == 0)
        mix_key(hs, shared);
    sodium_memzero(shared, sizeof(shared));
    return r == 0 ? 0 : -EBADMSG; /* a point of low order */
}

static int step_ee(struct noise_handshake *hs, struct cursor *at)
{
    (void)at;
    return mix_dh(hs, &hs->ephemeral.secret, &hs->remote_ephemeral);
}

/* es: the initiator's ephemeral with the responder's static key. */
static int step_es(struct noise_handshake *hs, struct cursor *at)
{
    (void)at;
    return hs->initiator ? mix_dh(hs, &hs->ephemeral.secret, &hs->remote_static)
                         : mix_dh(hs, &hs->static_keys->secret, &hs->remote_ephemeral);
}

static int step_se(struct noise_handshake *hs, struct cursor *at)
{
    (void)at;
    return hs->initiator ? mix_dh(hs, &hs->static_keys->secret, &hs->remote_ephemeral)
                         : mix_dh(hs, &hs->ephemeral.secret, &hs->remote_static);
}

static int write_e(struct noise_handshake *hs, struct cursor *at)
{
    memcpy(at->out, hs->ephemeral.public.bytes, NOISE_KEY);
    mix_hash(hs, at->out, NOISE_KEY);
    at->out += NOISE_KEY;
    return 0;
}

static int read_e(struct noise_handshake *hs, struct cursor *at)
{
    memcpy(hs->remote_ephemeral.bytes, at->in, NOISE_KEY);
    mix_hash(hs, at->in, NOISE_KEY);
    at->in += NOISE_KEY;
    return 0;
}

static int write_s(struct noise_handshake *hs, struct cursor *at)
{
    ssize_t n = encrypt_and_hash(hs, hs->static_keys->public.bytes, NOISE_KEY, at->out);

    if (n < 0)
        return (int)n;
    at->out += n;
    return 0;
}

static int read_s(struct noise_handshake *hs, struct cursor *at)
{
    size_t len = NOISE_KEY + (hs->cipher.keyed ? NOISE_TAG : 0);
    ssize_t n = decrypt_and_hash(hs, at->in, len, hs->remote_static.bytes);

    if (n < 0)
        return (int)n;
    at->in += len;
    return 0;
}

typedef int step_fn(struct noise_handshake *hs, struct cursor *at);

static const struct {
    step_fn *write;
    step_fn *read;
    uint8_t size; /* in the message, before its tag */
    bool keys;    /* what follows is encrypted */
} steps[] = {
    [TOKEN_E] = {write_e, read_e, NOISE_KEY, false},
    [TOKEN_S] = {write_s, read_s, NOISE_KEY, false},
    [TOKEN_EE] = {step_ee, step_ee, 0, true},
    [TOKEN_ES] = {step_es, step_es, 0, true},
    [TOKEN_SE] = {step_se, step_se, 0, true},
};

size_t noise_overhead(unsigned message)
{
    size_t size = 0;
    bool keyed = message > 0; /* message 2 brings the first key and no later one takes it away */

    assert(message < NOISE_MESSAGES);
    for (const uint8_t *token = pattern_xx[message]; *token != TOKEN_END; token++) {
        /* An ephemeral key is sent in the clear, with or without a key. */
        size += steps[*token].size + (*token == TOKEN_S && keyed ? NOISE_TAG : 0);
        keyed = keyed || steps[*token].keys;
    }
    return size + (keyed ? NOISE_TAG : 0);
}

int noise_public_key(const struct noise_secret *secret, struct noise_public *ret_public)
{
    struct noise_public public;

    if (crypto_scalarmult_base(public.bytes, secret->bytes) != 0)
        return -EINVAL;
    *ret_public = public;
    return 0;
}

int noise_init(struct noise_handshake *hs, bool initiator, const struct noise_keypair *static_keys,
               const struct noise_secret *ephemeral, const uint8_t *prologue, size_t prologue_len)
{
    static_assert(sizeof(protocol_name) - 1 <= NOISE_HASH, "a longer name would be hashed (5.2)");

    *hs = (struct noise_handshake){.static_keys = static_keys, .initiator = initiator};
    hs->ephemeral.secret = *ephemeral;
    memcpy(hs->hash, protocol_name, sizeof(protocol_name) - 1);
    memcpy(hs->chaining_key, hs->hash, sizeof(hs->chaining_key));
    mix_hash(hs, prologue, prologue_len);
    if (noise_public_key(&hs->ephemeral.secret, &hs->ephemeral.public) < 0) {
        noise_wipe(hs);
        return -EINVAL;
    }
    return 0;
}

static bool running(const struct noise_handshake *hs)
{
    return !hs->failed && hs->message < NOISE_MESSAGES;
}

bool noise_my_turn(const struct noise_handshake *hs)
{
    return running(hs) && (hs->message % 2 == 0) == hs->initiator;
}

bool noise_done(const struct noise_handshake *hs)
{
    return !hs->failed && hs->message == NOISE_MESSAGES;
}

bool noise_knows_remote(const struct noise_handshake *hs)
{
    return !hs->failed && hs->message >= (hs->initiator ? 2 : 3);
}

/* Ends a message: the next one is due, or the handshake has failed for good. */
static ssize_t finish(struct noise_handshake *hs, ssize_t result)
{
    if (result < 0)
        noise_wipe(hs);
    else
        hs->message++;
    return result;
}

static ssize_t write_message(struct noise_handshake *hs, const uint8_t *payload, size_t len,
                             uint8_t *out)
{
    struct cursor at = {.out = out};
    ssize_t n;

    for (const uint8_t *token = pattern_xx[hs->message]; *token != TOKEN_END; token++) {
        int r = steps[*token].write(hs, &at);
        if (r < 0)
            return r;
    }
    n = encrypt_and_hash(hs, payload, len, at.out);
    return n < 0 ? n : at.out - out + n;
}

static ssize_t read_message(struct noise_handshake *hs, const uint8_t *message, size_t len,
                            uint8_t *out)
{
    struct cursor at = {.in = message};

    for (const uint8_t *token = pattern_xx[hs->message]; *token != TOKEN_END; token++) {
        int r = steps[*token].read(hs, &at);
        if (r < 0)
            return r;
    }
    return decrypt_and_hash(hs, at.in, len - (size_t)(at.in - message), out);
}

ssize_t noise_write(struct noise_handshake *hs, const uint8_t *payload, size_t payload_len,
                    uint8_t *out, size_t capacity)
{
    size_t overhead;

    if (!noise_my_turn(hs))
        return -EPROTO;
    overhead = noise_overhead(hs->message);
    if (payload_len > LIM_FRAME - overhead || capacity < payload_len + overhead)
        return finish(hs, -EMSGSIZE);
    return finish(hs, write_message(hs, payload, payload_len, out));
}

ssize_t noise_read(struct noise_handshake *hs, const uint8_t *message, size_t message_len,
                   uint8_t *out, size_t capacity)
{
    size_t overhead;

    if (!running(hs) || noise_my_turn(hs))
        return -EPROTO;
    overhead = noise_overhead(hs->message);
    if (message_len < overhead || message_len > LIM_FRAME || capacity < message_len - overhead)
        return finish(hs, -EMSGSIZE);
    return finish(hs, read_message(hs, message, message_len, out));
}

int noise_split(const struct noise_handshake *hs, struct noise_cipher *ret_send,
                struct noise_cipher *ret_receive)
{
    uint8_t first[NOISE_HASH];
    uint8_t second[NOISE_HASH];

    if (!noise_done(hs))
        return -EPROTO;
    hkdf(hs->chaining_key, NULL, 0, first, second);
    cipher_key(ret_send, hs->initiator ? first : second);
    cipher_key(ret_receive, hs->initiator ? second : first);
    sodium_memzero(first, sizeof(first));
    sodium_memzero(second, sizeof(second));
    return 0;
}

void noise_wipe(struct noise_handshake *hs)
{
    sodium_memzero(hs, sizeof(*hs));
    hs->failed = true;
}

/* ---- transport ------------------------------------------------------------------------------- */

ssize_t noise_encrypt(struct noise_cipher *cipher, const uint8_t *in, size_t len, uint8_t *out,
                      size_t capacity)
{
    if (len > LIM_PLAINTEXT || capacity < len + NOISE_TAG)
        return -EMSGSIZE;
    return seal(cipher, NULL, 0, in, len, out);
}

ssize_t noise_decrypt(struct noise_cipher *cipher, const uint8_t *in, size_t len, uint8_t *out,
                      size_t capacity)
{
    if (len < NOISE_TAG || len > LIM_FRAME || capacity < len - NOISE_TAG)
        return -EMSGSIZE;
    return open_sealed(cipher, NULL, 0, in, len, out);
}

void noise_cipher_wipe(struct noise_cipher *cipher)
{
    sodium_memzero(cipher, sizeof(*cipher));
}
