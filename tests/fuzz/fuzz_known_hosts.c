/* SPDX-License-Identifier: MIT */
/* known_hosts: trusted is only what a line of the text says in so many words. */
#include "common/keys.h"
#include "common/known_hosts.h"
#include "common/mem.h"

#include <sodium.h>

#define KEY "x25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct known_host_match match;
    struct noise_public key;
    const char *reason = NULL;
    size_t line = 0;
    if (sodium_init() < 0 || key_parse(SLICE(KEY), &key) < 0)
        abort();
    if (known_hosts_search(text, "h1", &key, &match, &reason, &line) < 0) {
        if (!reason || line == 0)
            abort();
        return 0;
    }
    bool named = size && memmem(data, size, KEY, strlen(KEY)) && memmem(data, size, "h1", 2);
    if (match.verdict == KNOWN_HOST_TRUSTED && !named)
        abort();
    const struct any_key any = any_key_static(&key);
    bool held = known_hosts_search_marked(text, KNOWN_HOST_REVOKED, "h1", &any, &line, &reason) > 0;
    if (held && !(memmem(data, size, KEY, strlen(KEY)) && memmem(data, size, "@revoked", 8)))
        abort();
    if ((match.verdict == KNOWN_HOST_UNKNOWN) != (match.line == 0))
        abort();
    return 0;
}
