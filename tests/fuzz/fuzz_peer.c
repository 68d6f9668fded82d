/* SPDX-License-Identifier: MIT */
/*
 * One peer and whatever its other side, its owner and the clock may do, in any order. Each step
 * takes no more than it was given, writes no more than there is room for, and after the end nothing
 * comes. Whatever the peer writes, an honest other end reads without complaint.
 *
 * Input: flags (server or client, plain or Noise, handshake done before or not), then again and
 * again a deed (u8), a size (u8) and, where it takes bytes, as many of them.
 */
#include "protocol/peer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum flag { AS_CLIENT = 1, PLAIN = 2, OPENED = 4, REJECTED = 8, ENROL = 16 };
enum deed { RAW, SEALED, SEND, LATER, VERDICT, REFUSE, END, REQUESTS, HONEST, DEEDS };

struct input {
    const uint8_t *at;
    size_t left;
};

static struct peer target, honest;
static struct peer_scratch target_scratch, honest_scratch;
static struct noise_keypair keys[2];
static uint64_t now;
static bool over, tampered; /* tampered: before the transport, so the honest end cannot follow */

/* What target wrote and honest has not read, and the other way round. */
static uint8_t to_honest[1 << 18], to_target[1 << 18];
static size_t to_honest_len, to_target_len;

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void step(struct peer_input input, struct peer_output *ret_output)
{
    bool was_over = over;

    peer_step(&target, &input, now, ret_output);
    require(ret_output->consumed <= input.len);
    require(ret_output->write_len <= sizeof(target_scratch.out));
    require(!was_over || (ret_output->action == PEER_NOTHING && ret_output->write_len == 0));
    require(ret_output->wake_at == 0 || !over);
    over = over || ret_output->action == PEER_CLOSE;
    require(!ret_output->error || ret_output->write_len == 0);
    if (to_honest_len + ret_output->write_len > sizeof(to_honest))
        return;
    if (ret_output->write_len > 0)
        memcpy(to_honest + to_honest_len, ret_output->write, ret_output->write_len);
    to_honest_len += ret_output->write_len;
}

static void simple_step(enum peer_input_kind kind)
{
    struct peer_output output;

    step((struct peer_input){.kind = kind}, &output);
}

static void give_verdict(bool reject, bool may_enrol)
{
    struct peer_output output;

    step((struct peer_input){.kind = PEER_VERDICT,
                             .reject = reject ? "unauthorized" : NULL,
                             .may_enrol = may_enrol},
         &output);
}

static void honest_step(struct peer_input input, struct peer_output *ret_output)
{
    peer_step(&honest, &input, now, ret_output);
    if (to_target_len + ret_output->write_len > sizeof(to_target))
        return;
    if (ret_output->write_len > 0)
        memcpy(to_target + to_target_len, ret_output->write, ret_output->write_len);
    to_target_len += ret_output->write_len;
}

/* The honest end reads all; it may say why it is unhappy, but never that it was sent nonsense. */
static void honest_reads(void)
{
    struct peer_output output;
    size_t read = 0;

    for (;;) {
        honest_step((struct peer_input){.kind = PEER_BYTES,
                                        .bytes = to_honest + read,
                                        .len = to_honest_len - read},
                    &output);
        read += output.consumed;
        if (output.action == PEER_ASK_KEY)
            honest_step((struct peer_input){.kind = PEER_VERDICT}, &output);
        if (output.action == PEER_CLOSE && !tampered)
            require(output.end != PEER_END_AUTH && output.end != PEER_END_GARBAGE);
        if (output.consumed == 0 && output.action == PEER_NOTHING && output.write_len == 0)
            break;
    }
    memmove(to_honest, to_honest + read, to_honest_len - read);
    to_honest_len -= read;
}

/* Bytes for the target, in memory of exactly their size; what it does not take yet is kept. */
static size_t target_reads(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    struct peer_output output;
    size_t read = 0;

    require(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    do {
        step((struct peer_input){.kind = PEER_BYTES, .bytes = copy + read, .len = len - read},
             &output);
        read += output.consumed;
    } while (output.consumed > 0 && read < len && output.action != PEER_CLOSE);
    free(copy);
    return read;
}

static void target_reads_honest(void)
{
    size_t read = target_reads(to_target, to_target_len);

    memmove(to_target, to_target + read, to_target_len - read);
    to_target_len -= read;
}

/* The bytes as one frame, sealed by the honest end where the connection is. */
static void sealed(const uint8_t *bytes, size_t len)
{
    uint8_t frame[2 + 256 + NOISE_TAG];
    ssize_t n = (ssize_t)len;

    if (target.suite == PEER_SUITE_PLAIN && len > 0)
        memcpy(frame + 2, bytes, len);
    else if (target.suite == PEER_SUITE_NOISE)
        n = noise_encrypt(&honest.send, bytes, len, frame + 2, sizeof(frame) - 2);
    if (n <= 0)
        return;
    wire_put_length(frame, (size_t)n);
    target_reads(frame, 2 + (size_t)n);
}

static void send_something(unsigned which)
{
    static const char inst[16], pad[1000] = "pad";
    const struct msg messages[] = {
        {MSG_NOOP, 0, {.noop.pad = {pad, sizeof(pad)}}},
        {MSG_WELCOME,
         0,
         {.welcome = {.v = 1, .inst = {inst, 16}, .name = SLICE("h"), .you = SLICE("y")}}},
        {MSG_WHO, which, {.who.to.n = 0}},
        {MSG_ERROR, which, {.error.code = SLICE("busy")}},
        {MSG_ERROR, which, {.error.code = SLICE("")}}, /* cannot be encoded */
        {99, which, {.noop.pad.len = 0}},
    };
    struct peer_output output;

    step((struct peer_input){.kind = PEER_SEND, .msg = &messages[which % 6]}, &output);
}

static void act(enum deed deed, uint8_t number, struct input *input)
{
    size_t len = number < input->left ? number : input->left;

    if (deed == RAW || deed == SEALED) {
        tampered = tampered || deed == RAW || !peer_is_open(&honest);
        if (deed == RAW)
            target_reads(input->at, len);
        else
            sealed(input->at, len);
        input->at += len;
        input->left -= len;
    } else if (deed == SEND) {
        send_something(number);
    } else if (deed == LATER) {
        now += (uint64_t)number * 1000;
        simple_step(PEER_TICK);
    } else if (deed == VERDICT) {
        give_verdict(number % 2, number & 2);
    } else if (deed == REFUSE) {
        simple_step(PEER_REFUSE);
    } else if (deed == END) {
        simple_step(PEER_EOF);
    } else if (deed == REQUESTS) {
        peer_set_requests(&target, number, now);
    } else {
        target_reads_honest();
        honest_reads();
    }
}

static void begin(struct peer *peer, struct peer_scratch *scratch, enum peer_role role,
                  uint8_t flags)
{
    struct noise_secret ephemeral;
    struct peer_config config = {
        .role = role,
        .suite = flags & PLAIN ? PEER_SUITE_PLAIN : PEER_SUITE_NOISE,
        .static_keys = &keys[role == PEER_CLIENT],
        .ephemeral = &ephemeral,
        .agent = SLICE("fuzz"),
        .scratch = scratch,
    };

    memset(ephemeral.bytes, role == PEER_CLIENT ? 3 : 4, NOISE_KEY);
    require(peer_begin(peer, &config, now) == 0);
}

static void begin_both(uint8_t flags)
{
    struct peer_output output;

    now = 1000;
    over = tampered = false;
    to_honest_len = to_target_len = 0;
    for (int i = 0; i < 2; i++) {
        memset(keys[i].secret.bytes, 1 + i, NOISE_KEY);
        if (keys[i].public.bytes[0] == 0)
            require(noise_public_key(&keys[i].secret, &keys[i].public) == 0);
    }
    begin(&target, &target_scratch, flags & AS_CLIENT ? PEER_CLIENT : PEER_SERVER, flags);
    begin(&honest, &honest_scratch, flags & AS_CLIENT ? PEER_SERVER : PEER_CLIENT, flags);
    simple_step(PEER_START);
    honest_step((struct peer_input){.kind = PEER_START}, &output);
}

static void open_both(uint8_t flags)
{
    for (int i = 0; i < 4; i++) {
        honest_reads();
        target_reads_honest();
        give_verdict(flags & REJECTED, flags & ENROL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    if (size == 0)
        return 0;
    begin_both(data[0]);
    if (data[0] & OPENED)
        open_both(data[0]);
    for (input.at++, input.left--; input.left >= 2;) {
        enum deed deed = (enum deed)(input.at[0] % DEEDS);
        uint8_t number = input.at[1];
        input.at += 2;
        input.left -= 2;
        act(deed, number, &input);
    }
    honest_reads();
    peer_wipe(&target);
    peer_wipe(&honest);
    return 0;
}
