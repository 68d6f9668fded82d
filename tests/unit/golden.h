/* SPDX-License-Identifier: MIT */
/*
 * Files of tests/fuzz/corpus: what ssh-keygen made for the fuzz targets is read by unit tests too.
 */
#ifndef MSG_TESTS_UNIT_GOLDEN_H
#define MSG_TESTS_UNIT_GOLDEN_H

#include "protocol/slice.h"

#include <stdio.h>
#include <stdlib.h>

/* A small file, 64 of them at a time. */
static inline struct slice golden(const char *name)
{
    static char texts[64][8192];
    static unsigned next;
    char *text = texts[next++ % 64], path[4096];
    const char *corpus = getenv("FUZZ_CORPUS");

    snprintf(path, sizeof(path), "%s/%s", corpus ? corpus : "tests/fuzz/corpus", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        abort();
    }
    size_t len = fread(text, 1, sizeof(texts[0]), file);
    fclose(file);
    return (struct slice){text, len};
}

#endif
