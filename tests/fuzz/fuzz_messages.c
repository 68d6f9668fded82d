/* SPDX-License-Identifier: MIT */
/*
 * Whatever decodes can be encoded, decodes again, and is then the same; whatever is refused is
 * refused with words that an ERROR can carry. Input: a frame's plaintext, and the same bytes as the
 * payload of either hello.
 */
#include "protocol/messages.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t once[LIM_PLAINTEXT], twice[LIM_PLAINTEXT];

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void require_same(ssize_t n, ssize_t m)
{
    require(n > 0 && n == m && memcmp(once, twice, (size_t)n) == 0);
}

/* The refusal goes back to the sender as an ERROR on the message's id, or as a GOAWAY. */
static void check_fault(const struct msg_fault *fault)
{
    struct msg error = {
        .type = MSG_ERROR,
        .u.error = {.code = slice_of(fault->code), .at = slice_of(fault->at)},
    };

    require(msg_encode(&error, once, sizeof(once)) > 0);
}

static void check_message(const uint8_t *data, size_t size)
{
    struct msg msg, again;
    struct msg_fault fault;
    struct wire_doc doc, doc_again;
    int result = msg_decode(&msg, &doc, data, size, &fault);

    if (result < 0) {
        require(result == -EBADMSG);
        check_fault(&fault);
        return;
    }
    if (msg_sender(msg.type) != 0) {
        ssize_t n = msg_encode(&msg, once, sizeof(once));
        require(n > 0 && msg_decode(&again, &doc_again, once, (size_t)n, &fault) == 0);
        require(again.type == msg.type && again.id == msg.id);
        require_same(n, msg_encode(&again, twice, sizeof(twice)));
        wire_release(&doc_again);
    }
    wire_release(&doc);
}

#define CHECK_HELLO(number)                                                                        \
    static void check_hello##number(const uint8_t *data, size_t size)                              \
    {                                                                                              \
        struct msg_hello##number hello, again;                                                     \
        struct wire_doc doc, doc_again;                                                            \
                                                                                                   \
        if (msg_decode_hello##number(&hello, &doc, data, size) < 0)                                \
            return;                                                                                \
        ssize_t n = msg_encode_hello##number(&hello, once, sizeof(once));                          \
        require(n > 0 && msg_decode_hello##number(&again, &doc_again, once, (size_t)n) == 0);      \
        require_same(n, msg_encode_hello##number(&again, twice, sizeof(twice)));                   \
        wire_release(&doc_again);                                                                  \
        wire_release(&doc);                                                                        \
    }
CHECK_HELLO(2)
CHECK_HELLO(3)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LIM_PLAINTEXT) /* no frame has more */
        return 0;
    check_message(data, size);
    check_hello2(data, size);
    check_hello3(data, size);
    return 0;
}
