/* SPDX-License-Identifier: MIT */
/* A key file that is accepted is, byte for byte, the one that its key is written as. */
#include "common/keys.h"
#include "common/mem.h"

#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct noise_keypair pair;
    struct noise_public public;
    const char *reason = NULL;
    char file[KEY_FILE_LEN + 1], key[KEY_TEXT_LEN + 1];
    if (sodium_init() < 0)
        abort();
    if (key_file_parse(text, &pair, &reason) == 0) {
        key_file_format(&pair, file);
        if (!slice_eq(slice_of(file), text))
            abort();
    } else if (!reason)
        abort();
    if (key_parse(text, &public) == 0) {
        key_format(&public, key);
        if (!slice_eq(slice_of(key), text))
            abort();
    }
    return 0;
}
