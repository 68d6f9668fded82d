/* SPDX-License-Identifier: MIT */
#include "protocol/utf8.h"

/* The length a first byte announces, the bits it carries, the lowest code that needs the length. */
static size_t utf8_lead(uint8_t byte, uint32_t *ret_bits, uint32_t *ret_lowest)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t lowest;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if ((byte & forms[i].mask) == forms[i].lead) {
            *ret_bits = byte & (uint8_t)~forms[i].mask;
            *ret_lowest = forms[i].lowest;
            return i + 1;
        }
    return 0;
}

size_t utf8_next(struct slice text, uint32_t *ret_code)
{
    uint32_t code = 0, lowest = 0;
    size_t len = text.len ? utf8_lead((uint8_t)text.ptr[0], &code, &lowest) : 0;
    if (len == 0 || len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (byte & 0x3F);
    }
    if (code < lowest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return len;
}

bool utf8_valid(struct slice text)
{
    uint32_t code;
    while (text.len) {
        size_t len = utf8_next(text, &code);
        if (len == 0)
            return false;
        text = slice_from(text, len);
    }
    return true;
}
