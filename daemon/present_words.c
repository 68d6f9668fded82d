/* SPDX-License-Identifier: MIT */
#include "daemon/present_words.h"

#include <stdbool.h>
#include <stdio.h>

const char *const words[WORDS] = {
#define WORD(NAME, text) text,
#include "daemon/present_words.def"
};

void words_fill(char *out, size_t capacity, enum word word, const char *const *arguments)
{
    size_t used = 0;
    for (const char *at = words[word]; *at != '\0' && used + 1 < capacity; at++) {
        bool placed = at[0] == '{' && at[1] >= '1' && at[1] <= '4' && at[2] == '}';
        int len = placed ? snprintf(out + used, capacity - used, "%s", arguments[at[1] - '1'])
                         : snprintf(out + used, capacity - used, "%c", *at);
        used += len > 0 ? (size_t)len : 0;
        at += placed ? 2 : 0;
    }
}
