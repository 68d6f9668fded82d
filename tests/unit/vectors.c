/* SPDX-License-Identifier: MIT */
#include "tests/unit/vectors.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *source_folder(void)
{
    const char *folder = getenv("srcdir"); /* automake's */

    return folder ? folder : ".";
}

FILE *vectors_open(const char *kind, const char *path)
{
    char command[4096];

    if (snprintf(command, sizeof(command), "/usr/bin/python3 -B '%s/tests/unit/vectors.py' %s '%s'",
                 source_folder(), kind, path) >= (int)sizeof(command))
        return NULL;
    return popen(command, "r");
}

FILE *vectors_open_ours(const char *name)
{
    char path[2048];

    snprintf(path, sizeof(path), "%s/protocol/vectors/%s", source_folder(), name);
    return vectors_open("flat", path);
}

bool vector_read(FILE *file, struct vector *ret_vector)
{
    char *line = NULL;
    size_t size = 0;

    ret_vector->n = 0;
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *equals = strchr(line, '=');
        if (equals == NULL && ret_vector->n > 0)
            break;
        if (equals == NULL)
            continue;
        if (ret_vector->n == sizeof(ret_vector->lines) / sizeof(ret_vector->lines[0]))
            abort();
        *equals = '\0';
        ret_vector->lines[ret_vector->n++] = (struct vector_line){line, equals + 1};
        line = NULL;
        size = 0;
    }
    free(line);
    return ret_vector->n > 0;
}

void vector_release(struct vector *vector)
{
    while (vector->n > 0)
        free(vector->lines[--vector->n].key);
}

__attribute__((format(printf, 2, 0))) static const char *look_up(const struct vector *vector,
                                                                 const char *format, va_list args)
{
    char key[128];

    vsnprintf(key, sizeof(key), format, args);
    for (size_t i = 0; i < vector->n; i++)
        if (strcmp(vector->lines[i].key, key) == 0)
            return vector->lines[i].value;
    return NULL;
}

static ssize_t from_hex(const char *hex, uint8_t *out, size_t capacity)
{
    size_t len;

    if (hex == NULL || sodium_hex2bin(out, capacity, hex, strlen(hex), NULL, &len, NULL) != 0)
        return -1;
    return (ssize_t)len;
}

const char *vector_get(const struct vector *vector, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *value = look_up(vector, format, args);
    va_end(args);
    return value;
}

ssize_t vector_bytes(const struct vector *vector, uint8_t *out, size_t capacity, const char *format,
                     ...)
{
    va_list args;

    va_start(args, format);
    const char *hex = look_up(vector, format, args);
    va_end(args);
    return from_hex(hex, out, capacity);
}

bool vector_is(const struct vector *vector, const uint8_t *bytes, size_t len, const char *format,
               ...)
{
    uint8_t expected[4096];
    va_list args;

    va_start(args, format);
    const char *hex = look_up(vector, format, args);
    va_end(args);
    return from_hex(hex, expected, sizeof(expected)) == (ssize_t)len &&
           memcmp(expected, bytes, len) == 0;
}
