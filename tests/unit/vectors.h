/* SPDX-License-Identifier: MIT */
/*
 * Test vectors as lines of KEY=VALUE: the Go library's own file, or JSON made into such lines by
 * vectors.py. A vector is a run of lines that ends at a blank one.
 */
#ifndef MSG_TESTS_VECTORS_H
#define MSG_TESTS_VECTORS_H

#include "protocol/noise.h"

#include <stdio.h>

struct vector {
    struct vector_line {
        char *key; /* owns the line; value points into it */
        const char *value;
    } lines[512];
    size_t n;
};

/* vectors.py KIND PATH as a stream of lines, to be ended with pclose(); or NULL. */
FILE *vectors_open(const char *kind, const char *path);
/* A file of the source tree: protocol/vectors/NAME as `flat` lines. */
FILE *vectors_open_ours(const char *name);
/* False at the end. vector_release() frees what was read. */
bool vector_read(FILE *file, struct vector *ret_vector);
void vector_release(struct vector *vector);

/* NULL if there is no such key; the key is made as printf does. */
const char *vector_get(const struct vector *vector, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The length of hex bytes; -1 if absent or beyond capacity. */
ssize_t vector_bytes(const struct vector *vector, uint8_t *out, size_t capacity, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
/* True if the value is the hex of exactly these bytes. */
bool vector_is(const struct vector *vector, const uint8_t *bytes, size_t len, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
