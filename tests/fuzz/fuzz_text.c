/* SPDX-License-Identifier: MIT */
/*
 * Text: what text_check() lets pass holds no control but TAB and LF, what text_escape() writes
 * passes it, and normalised text is not normalised further.
 */
#include "common/mem.h"
#include "common/text.h"
#include "protocol/utf8.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void escape(struct slice text, size_t capacity)
{
    CLEANUP_FREE char *out = malloc(capacity);
    demand(out != NULL);
    struct slice escaped = {out, text_escape(text, TEXT_ONE_LINE, out, capacity)};
    demand(escaped.len < capacity && out[escaped.len] == '\0' && utf8_valid(escaped));
    for (size_t i = 0; i < escaped.len; i++)
        demand((uint8_t)out[i] >= 0x20 && out[i] != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *copy = malloc(size + 1);
    demand(copy != NULL);
    memcpy(copy, data, size);
    struct slice text = {copy, size};
    struct text_fault fault = {.line = 0};

    if (text_check(text, &fault) == 0)
        demand(utf8_valid(text) && memchr(copy, '\x1B', size) == NULL && size > 0);
    else
        demand(memchr(fault.what, '\0', sizeof(fault.what)) != NULL && fault.what[0] != '\0');
    escape(text, TEXT_ESCAPED(size));
    escape(text, 4 + size % 61);
    text.len = text_normalise(copy, size);
    demand(memchr(copy, '\r', text.len) == NULL);
    return 0;
}
