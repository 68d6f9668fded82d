/* SPDX-License-Identifier: MIT */
/* Our own words that people see (present_words.def), and how they are filled in. Pure. */
#ifndef MSG_DAEMON_PRESENT_WORDS_H
#define MSG_DAEMON_PRESENT_WORDS_H

#include <stddef.h>

enum word {
#define WORD(NAME, text) WORD_##NAME,
#include "daemon/present_words.def"
    WORDS
};

extern const char *const words[WORDS];

/* Puts a word into out with {1}..{4} replaced; cut where out ends, always terminated. */
void words_fill(char *out, size_t capacity, enum word word, const char *const *arguments);

#endif
