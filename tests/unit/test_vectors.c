/* SPDX-License-Identifier: MIT */
/* Noise against published vectors, and against the project's own with every intermediate value. */
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XX     "Noise_XX_25519_ChaChaPoly_BLAKE2b"
#define GO     "/usr/share/gocode/src/github.com/flynn/noise/vectors.txt"
#define BUFFER 1024

static void get_secret(const struct vector *vector, struct noise_secret *ret_secret,
                       const char *key)
{
    CU_ASSERT_EQUAL_FATAL(vector_bytes(vector, ret_secret->bytes, NOISE_KEY, "%s", key), NOISE_KEY);
}

static struct noise_keypair get_pair(const struct vector *vector, const char *key)
{
    struct noise_keypair pair;

    get_secret(vector, &pair.secret, key);
    CU_ASSERT_EQUAL(noise_public_key(&pair.secret, &pair.public), 0);
    return pair;
}

/* ---- published vectors ----------------------------------------------------------------------- */

struct both {
    struct noise_keypair keys[2]; /* 0: the initiator's */
    struct noise_handshake hs[2];
    struct noise_cipher send[2], receive[2];
};

static void begin(const struct vector *vector, struct both *both)
{
    static const char *const static_key[] = {"init_static", "resp_static"};
    static const char *const ephemeral_key[] = {"gen_init_ephemeral", "gen_resp_ephemeral"};
    uint8_t prologue[BUFFER];
    ssize_t len = vector_bytes(vector, prologue, sizeof(prologue), "prologue");

    for (int i = 0; i < 2; i++) {
        struct noise_secret ephemeral;
        get_secret(vector, &ephemeral, ephemeral_key[i]);
        both->keys[i] = get_pair(vector, static_key[i]);
        CU_ASSERT_EQUAL(noise_init(&both->hs[i], i == 0, &both->keys[i], &ephemeral, prologue,
                                   len < 0 ? 0 : (size_t)len),
                        0);
    }
}

/* A handshake message for number < 3, then a transport message, from end `from` to the other. */
static void pass(const struct vector *vector, struct both *both, int number, int from)
{
    uint8_t payload[BUFFER], message[BUFFER], back[BUFFER];
    ssize_t len = vector_bytes(vector, payload, sizeof(payload), "msg_%d_payload", number), n, m;

    CU_ASSERT_FATAL(len >= 0);
    if (number < NOISE_MESSAGES) {
        n = noise_write(&both->hs[from], payload, (size_t)len, message, BUFFER);
        m = noise_read(&both->hs[1 - from], message, (size_t)n, back, BUFFER);
    } else {
        n = noise_encrypt(&both->send[from], payload, (size_t)len, message, BUFFER);
        m = noise_decrypt(&both->receive[1 - from], message, (size_t)n, back, BUFFER);
    }
    CU_ASSERT_FATAL(n >= 0);
    CU_ASSERT(vector_is(vector, message, (size_t)n, "msg_%d_ciphertext", number));
    CU_ASSERT(m == len && memcmp(back, payload, (size_t)len) == 0);
}

static void replay(const struct vector *vector)
{
    const char *first = vector_get(vector, "transport");
    int shift = first && strcmp(first, "resp") == 0 ? 1 : 0, number = NOISE_MESSAGES;
    struct both both;

    begin(vector, &both);
    for (int i = 0; i < NOISE_MESSAGES; i++)
        pass(vector, &both, i, i % 2);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(noise_split(&both.hs[i], &both.send[i], &both.receive[i]), 0);
        if (vector_get(vector, "handshake_hash"))
            CU_ASSERT(vector_is(vector, both.hs[i].hash, NOISE_HASH, "handshake_hash"));
    }
    for (; vector_get(vector, "msg_%d_payload", number); number++)
        pass(vector, &both, number, (number - NOISE_MESSAGES + shift) % 2);
    CU_ASSERT(number > NOISE_MESSAGES);
}

/* Replays each XX vector of our suite; returns how many there were. */
static int replay_file(FILE *file)
{
    struct vector vector;
    int count = 0;

    for (; vector_read(file, &vector); vector_release(&vector)) {
        const char *name = vector_get(&vector, "handshake");
        if (name == NULL || strcmp(name, XX) != 0)
            continue;
        replay(&vector);
        count++;
    }
    return count;
}

static void test_json(void)
{
    const char *folder = getenv("NOISE_VECTORS");

    if (folder == NULL || *folder == '\0') {
        unit_skip("NOISE_VECTORS names no folder of published vectors");
        return;
    }
    FILE *file = vectors_open("published", folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(replay_file(file) > 0);
    CU_ASSERT_EQUAL(pclose(file), 0);
}

static void test_go(void)
{
    FILE *file = fopen(GO, "r");

    if (file == NULL) {
        unit_skip("golang-github-flynn-noise-dev is not installed");
        return;
    }
    CU_ASSERT(replay_file(file) > 0);
    fclose(file);
}

/* ---- our own: protocol/vectors/xx-session.json ----------------------------------------------- */

static struct vector session;

static void begin_ours(struct both *both)
{
    static const char *const roles[] = {"client", "server"};
    uint8_t prologue[8];
    char key[64];

    CU_ASSERT_EQUAL_FATAL(vector_bytes(&session, prologue, sizeof(prologue), "prologue"), 8);
    for (int i = 0; i < 2; i++) {
        struct noise_secret ephemeral;
        snprintf(key, sizeof(key), "keys.%s_static.private", roles[i]);
        both->keys[i] = get_pair(&session, key);
        CU_ASSERT(vector_is(&session, both->keys[i].public.bytes, NOISE_KEY,
                            "keys.%s_static.public", roles[i]));
        snprintf(key, sizeof(key), "keys.%s_ephemeral.private", roles[i]);
        get_secret(&session, &ephemeral, key);
        CU_ASSERT_EQUAL(noise_init(&both->hs[i], i == 0, &both->keys[i], &ephemeral, prologue, 8),
                        0);
        CU_ASSERT(vector_is(&session, both->hs[i].ephemeral.public.bytes, NOISE_KEY,
                            "keys.%s_ephemeral.public", roles[i]));
        CU_ASSERT(vector_is(&session, both->hs[i].hash, NOISE_HASH, "start.1.h"));
    }
}

/* ck, h and k at the end of a message: the values of its last step. */
static void check_values(const struct noise_handshake *hs, int number)
{
    int last = 0;

    while (vector_get(&session, "handshake.%d.steps.%d.h", number, last + 1))
        last++;
    CU_ASSERT(vector_is(&session, hs->chaining_key, NOISE_HASH, "handshake.%d.steps.%d.ck", number,
                        last));
    CU_ASSERT(vector_is(&session, hs->hash, NOISE_HASH, "handshake.%d.steps.%d.h", number, last));
    CU_ASSERT(vector_is(&session, hs->cipher.key, hs->cipher.keyed ? NOISE_KEY : 0,
                        "handshake.%d.steps.%d.k", number, last));
}

static void shake_hands(struct both *both)
{
    uint8_t payload[BUFFER], message[BUFFER], back[BUFFER];

    for (int i = 0; i < NOISE_MESSAGES; i++) {
        struct noise_handshake *writer = &both->hs[i % 2], *reader = &both->hs[1 - i % 2];
        ssize_t len = vector_bytes(&session, payload, BUFFER, "handshake.%d.payload", i);
        CU_ASSERT_FATAL(len >= 0);
        ssize_t n = noise_write(writer, payload, (size_t)len, message, BUFFER);
        CU_ASSERT_FATAL(n >= 0);
        CU_ASSERT(vector_is(&session, message, (size_t)n, "handshake.%d.message", i));
        CU_ASSERT_EQUAL(noise_read(reader, message, (size_t)n, back, BUFFER), len);
        CU_ASSERT(memcmp(back, payload, (size_t)len) == 0);
        check_values(writer, i);
        check_values(reader, i);
    }
}

static void test_session_handshake(void)
{
    struct both both;

    begin_ours(&both);
    shake_hands(&both);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(vector_is(&session, both.hs[i].hash, NOISE_HASH, "handshake_hash"));
        CU_ASSERT_EQUAL(noise_split(&both.hs[i], &both.send[i], &both.receive[i]), 0);
        CU_ASSERT(vector_is(&session, both.send[i].key, NOISE_KEY, "split.%s",
                            i == 0 ? "client_to_server" : "server_to_client"));
        CU_ASSERT_EQUAL(
            memcmp(both.hs[i].remote_static.bytes, both.keys[1 - i].public.bytes, NOISE_KEY), 0);
    }
}

static void test_session_transport(void)
{
    uint8_t plain[BUFFER], sealed[BUFFER];
    struct both both;
    int number = 0;

    begin_ours(&both);
    shake_hands(&both);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(noise_split(&both.hs[i], &both.send[i], &both.receive[i]), 0);
    for (; vector_get(&session, "transport.%d.from", number); number++) {
        int from = strcmp(vector_get(&session, "transport.%d.from", number), "client") != 0;
        ssize_t len = vector_bytes(&session, plain, BUFFER, "transport.%d.plaintext", number);
        CU_ASSERT_FATAL(len > 0);
        ssize_t n = noise_encrypt(&both.send[from], plain, (size_t)len, sealed, BUFFER);
        CU_ASSERT(n > 0 &&
                  vector_is(&session, sealed, (size_t)n, "transport.%d.ciphertext", number));
        CU_ASSERT_EQUAL(noise_decrypt(&both.receive[1 - from], sealed, (size_t)n, plain, BUFFER),
                        len);
        CU_ASSERT(vector_is(&session, plain, (size_t)len, "transport.%d.plaintext", number));
    }
    CU_ASSERT(number > 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(test_json),
        UNIT_TEST(test_go),
        UNIT_TEST(test_session_handshake),
        UNIT_TEST(test_session_transport),
        UNIT_END,
    };
    FILE *file = vectors_open_ours("xx-session.json");

    if (sodium_init() < 0 || file == NULL || !vector_read(file, &session) || pclose(file) != 0)
        return 1;
    int status = unit_run("vectors", tests);
    vector_release(&session);
    return status;
}
