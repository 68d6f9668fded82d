/* SPDX-License-Identifier: MIT */
/*
 * A peer on whose wire somebody sits: each message of the honest other end passes unchanged, is
 * changed in a byte, is cut, or is replaced. What passes unchanged is read; from message 2 on, what
 * does not is refused, and a refused handshake is over.
 *
 * Input, again and again: what to do with the next message (u8), where or how long (u16), with what
 * (u8, or as many bytes as it is long).
 */
#include "protocol/limits.h"
#include "protocol/noise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRANSPORT 4 /* messages after the handshake */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

struct end {
    struct noise_keypair keys;
    struct noise_handshake handshake;
    struct noise_cipher send, receive;
};

enum deed { PASS, CHANGE, CUT, REPLACE, DEEDS };

static uint8_t wire[LIM_FRAME], plain[LIM_FRAME];

static void require(bool truth)
{
    if (!truth)
        abort();
}

static unsigned take(struct input *input, unsigned bytes)
{
    unsigned number = 0;

    for (; bytes > 0 && input->left > 0; bytes--, input->left--)
        number = number << 8 | *input->at++;
    return number;
}

/* Does its deed on the message; returns its new length, and notes whether it is another one now. */
static size_t tamper(struct input *input, size_t len, bool *changed)
{
    enum deed deed = (enum deed)(take(input, 1) % DEEDS);
    size_t where = take(input, 2);

    if (deed == CHANGE) {
        uint8_t change = (uint8_t)take(input, 1);
        wire[where % len] ^= change;
        *changed |= change != 0;
    } else if (deed == CUT) {
        *changed = true;
        return where % len;
    } else if (deed == REPLACE) {
        where = where < input->left ? where : input->left;
        *changed |= where != len || memcmp(wire, input->at, len) != 0;
        if (where > 0)
            memcpy(wire, input->at, where);
        input->at += where;
        input->left -= where;
        return where;
    }
    return len;
}

/* Exactly as much memory as the message has, so that the sanitizer sees a read beyond it. */
static ssize_t read_exactly(struct end *end, size_t len, bool transport)
{
    uint8_t *message = malloc(len ? len : 1);
    ssize_t n;

    require(message != NULL);
    memcpy(message, wire, len);
    if (transport)
        n = noise_decrypt(&end->receive, message, len, plain, sizeof(plain));
    else
        n = noise_read(&end->handshake, message, len, plain, sizeof(plain));
    free(message);
    return n;
}

static void start(struct end *end, bool initiator)
{
    struct noise_secret ephemeral;

    memset(end->keys.secret.bytes, initiator ? 1 : 2, NOISE_KEY);
    memset(ephemeral.bytes, initiator ? 3 : 4, NOISE_KEY);
    require(noise_public_key(&end->keys.secret, &end->keys.public) == 0);
    require(noise_init(&end->handshake, initiator, &end->keys, &ephemeral, NULL, 0) == 0);
}

/* True if both ends are through. */
static bool shake_hands(struct end ends[2], struct input *input)
{
    static const uint8_t payload[] = "payload";
    bool bad = false; /* message 1 is in the clear: a change in it shows in message 2 */

    for (int i = 0; i < NOISE_MESSAGES; i++) {
        struct end *writer = &ends[i % 2], *reader = &ends[1 - i % 2];
        ssize_t n = noise_write(&writer->handshake, payload, sizeof(payload), wire, sizeof(wire));
        if (n < 0)
            require(bad && n == -EBADMSG); /* a point of low order */
        if (n < 0)
            return false;
        size_t len = tamper(input, (size_t)n, &bad);
        ssize_t m = read_exactly(reader, len, false);
        require(i == 0 || bad == (m < 0));
        if (m < 0) {
            require(!noise_my_turn(&reader->handshake) && !noise_done(&reader->handshake));
            return false;
        }
    }
    return true;
}

static void converse(struct end ends[2], struct input *input)
{
    for (int i = 0; i < TRANSPORT; i++) {
        struct end *from = &ends[i % 2], *to = &ends[1 - i % 2];
        bool bad = false;
        ssize_t n = noise_encrypt(&from->send, plain, (size_t)i, wire, sizeof(wire));
        require(n == i + NOISE_TAG);
        size_t len = tamper(input, (size_t)n, &bad);
        require(bad == (read_exactly(to, len, true) < 0));
        if (bad)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct end ends[2];

    for (int i = 0; i < 2; i++)
        start(&ends[i], i == 0);
    if (shake_hands(ends, &input)) {
        for (int i = 0; i < 2; i++)
            require(noise_split(&ends[i].handshake, &ends[i].send, &ends[i].receive) == 0);
        converse(ends, &input);
    }
    for (int i = 0; i < 2; i++)
        noise_wipe(&ends[i].handshake);
    return 0;
}
