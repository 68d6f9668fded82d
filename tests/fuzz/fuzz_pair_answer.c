/* SPDX-License-Identifier: MIT */
/* What ssh brings from another host: what is taken of it is fit to show, and was there. */
#include "client/pair_answer.h"
#include "common/keys.h"
#include "common/text.h"

#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void demand_there(const uint8_t *data, size_t size, const struct noise_public *key)
{
    char text[KEY_TEXT_LEN + 1];

    key_format(key, text);
    demand(memmem(data, size, text + 7, KEY_TEXT_LEN - 7) || memchr(data, '\\', size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair_answer answer;

    demand(sodium_init() >= 0);
    (void)pair_is_plain((struct slice){(const char *)data, size}, "._-");
    if (!pair_answer_read((struct slice){(const char *)data, size}, &answer))
        return 0;
    demand(strlen(answer.user) <= LIM_NAME && strlen(answer.result) <= LIM_CODE);
    demand(text_check_line(slice_of(answer.user), NULL) == 0);
    demand(text_check_line(slice_of(answer.result), NULL) == 0);
    demand_there(data, size, &answer.key);
    demand_there(data, size, &answer.host);
    return 0;
}
