/* SPDX-License-Identifier: MIT */
/* Envelopes, binary and armoured: what is read has one form, and nothing unsigned verifies. */
#include "common/sshsig.h"

#include <sodium.h>
#include <stdlib.h>

#define SPACE SLICE("msg-endorse-v1")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct slice envelope)
{
    struct sshsig sig;
    const char *reason = NULL;

    if (sshsig_parse(envelope, SPACE, &sig, &reason) < 0) {
        if (!reason)
            abort();
        return;
    }
    if (envelope.len != 170 + SPACE.len ||
        memcmp(envelope.ptr + envelope.len - SSHSIG_SIGNATURE, sig.signature, SSHSIG_SIGNATURE))
        abort();
    if (sshsig_verify(&sig, SPACE, SLICE("never signed")))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    uint8_t envelope[SSHSIG_MAX];
    size_t len = 0, taken = 0;

    if (sodium_init() < 0)
        abort();
    use(text);
    if (sshsig_dearmor(text, envelope, &len, &taken) == 0) {
        if (len > sizeof(envelope) || taken > size)
            abort();
        use((struct slice){(char *)envelope, len});
    }
    return 0;
}
