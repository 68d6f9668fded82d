/* SPDX-License-Identifier: MIT */
/*
 * Noise_XX_25519_ChaChaPoly_BLAKE2b (Noise specification, revision 34) as a table of steps over
 * libsodium. Randomness is an input: the caller gives the ephemeral secret, so that published
 * vectors run through the same code. All secrets live in the structs below; noise_wipe() and
 * noise_cipher_wipe() end them. Programs call sodium_init() before they call anything here.
 */
#ifndef MSG_PROTOCOL_NOISE_H
#define MSG_PROTOCOL_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOISE_KEY      32
#define NOISE_HASH     64
#define NOISE_TAG      16
#define NOISE_MESSAGES 3 /* of the XX handshake */

/* Different structs for different keys, so that the compiler tells them apart. */
struct noise_secret {
    uint8_t bytes[NOISE_KEY];
};
struct noise_public {
    uint8_t bytes[NOISE_KEY];
};

/* A static key as it is kept: its public half costs a scalar multiplication, so it is made once. */
struct noise_keypair {
    struct noise_secret secret;
    struct noise_public public;
};

struct noise_cipher {
    uint8_t key[NOISE_KEY];
    uint64_t nonce;
    bool keyed;
};

struct noise_handshake {
    struct noise_cipher cipher;
    uint8_t chaining_key[NOISE_HASH];
    uint8_t hash[NOISE_HASH];                /* after the last message: the handshake hash */
    const struct noise_keypair *static_keys; /* borrowed until noise_wipe() */
    struct noise_keypair ephemeral;
    struct noise_public remote_ephemeral;
    struct noise_public remote_static; /* valid once noise_knows_remote() */
    bool initiator;
    bool failed;
    uint8_t message; /* 0, 1, 2: the next one; NOISE_MESSAGES: done */
};

/* The public key of a secret. 0, or -EINVAL if the result is not a key (no clamped secret does). */
int noise_public_key(const struct noise_secret *secret, struct noise_public *ret_public);

/*
 * Starts a handshake and makes the ephemeral public key, which is one of the handshake's four
 * scalar multiplications. static_keys is borrowed until noise_wipe(); ephemeral is copied and is
 * never to be used again. 0 or -EINVAL.
 */
int noise_init(struct noise_handshake *hs, bool initiator, const struct noise_keypair *static_keys,
               const struct noise_secret *ephemeral, const uint8_t *prologue, size_t prologue_len);

/* Bytes that handshake message 0, 1 or 2 adds to its payload: 32, 96, 64. */
size_t noise_overhead(unsigned message);

/* Whose turn it is, and whether the handshake is done. Both are false once it has failed. */
bool noise_my_turn(const struct noise_handshake *hs);
bool noise_done(const struct noise_handshake *hs);
/* The initiator knows the responder's static key after message 2, the responder after message 3. */
bool noise_knows_remote(const struct noise_handshake *hs);

/*
 * The next message, to be written or read; returns the length written to out.
 * -EMSGSIZE: out too small, or message too short or beyond 65,535 bytes; -EBADMSG: it does not
 * authenticate or a DH result is all zero; -EPROTO: not our turn, done, or failed before: nothing
 * changed. After any other failure the handshake stays failed and its secrets are wiped: there is
 * no second try. Input and output must not overlap.
 */
ssize_t noise_write(struct noise_handshake *hs, const uint8_t *payload, size_t payload_len,
                    uint8_t *out, size_t capacity);
ssize_t noise_read(struct noise_handshake *hs, const uint8_t *message, size_t message_len,
                   uint8_t *out, size_t capacity);

/* After the last message: the two transport keys. 0 or -EPROTO. */
int noise_split(const struct noise_handshake *hs, struct noise_cipher *ret_send,
                struct noise_cipher *ret_receive);
/* Wipes everything but the borrowed static keys; what is left is a failed handshake. */
void noise_wipe(struct noise_handshake *hs);

/*
 * Transport messages, no associated data. The length written, or -EMSGSIZE (out too small, or not
 * the length of a Noise message), -EBADMSG (does not authenticate: the nonce stays, out holds no
 * plaintext), -EOVERFLOW (2^64 - 1 messages), -EPROTO (no key, or wiped).
 * encrypt: out takes len + NOISE_TAG. In place (out == in) is allowed.
 */
ssize_t noise_encrypt(struct noise_cipher *cipher, const uint8_t *in, size_t len, uint8_t *out,
                      size_t capacity);
ssize_t noise_decrypt(struct noise_cipher *cipher, const uint8_t *in, size_t len, uint8_t *out,
                      size_t capacity);
void noise_cipher_wipe(struct noise_cipher *cipher);

#endif
