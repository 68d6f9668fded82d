/* SPDX-License-Identifier: MIT */
#include "client/json.h"

#include "common/text.h"
#include "protocol/utf8.h"

#include <inttypes.h>

void json_open(FILE *out)
{
    fputs("{\"schema\":1", out);
}

void json_close(FILE *out)
{
    fputs("}\n", out);
}

/* JSON knows UTF-16 units only. */
static void put_escape(FILE *out, uint32_t code)
{
    if (code > 0xFFFF)
        fprintf(out, "\\u%04X\\u%04X", (unsigned)(0xD7C0 + (code >> 10)),
                (unsigned)(0xDC00 + (code & 0x3FF)));
    else
        fprintf(out, "\\u%04X", (unsigned)code);
}

static void put_code(FILE *out, struct slice bytes, uint32_t code)
{
    if (code == '"' || code == '\\')
        fprintf(out, "\\%c", (int)code);
    else if (text_is_unprintable(code))
        put_escape(out, code);
    else
        fwrite(bytes.ptr, 1, bytes.len, out);
}

void json_string(FILE *out, const char *key, struct slice value)
{
    fprintf(out, ",\"%s\":\"", key);
    while (value.len) {
        uint32_t code = 0;
        size_t len = utf8_next(value, &code);
        if (len)
            put_code(out, (struct slice){value.ptr, len}, code);
        else
            fputs("\\uFFFD", out);
        value = slice_from(value, len ? len : 1);
    }
    fputc('"', out);
}

void json_number(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, ",\"%s\":%" PRIu64, key, value);
}

void json_bool(FILE *out, const char *key, bool value)
{
    fprintf(out, ",\"%s\":%s", key, value ? "true" : "false");
}
