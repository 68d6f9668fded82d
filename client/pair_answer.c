/* SPDX-License-Identifier: MIT */
#include "client/pair_answer.h"

#include "common/keys.h"
#include "common/mem.h"
#include "common/text.h"

#define STRING 256 /* of the longest value that is kept */

/* Escapes are written out, in UTF-8; longer ones than fit are none. */
struct text {
    char bytes[STRING];
    size_t len;
    bool whole;
};

static bool take(struct slice *rest, char wanted)
{
    if (rest->len == 0 || rest->ptr[0] != wanted)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static void put(struct text *text, char byte)
{
    text->whole = text->whole && text->len + 1 < sizeof(text->bytes);
    if (text->whole)
        text->bytes[text->len++] = byte;
}

/* Four hex digits of a character that is neither NUL nor half of a pair. */
static bool take_unicode(struct slice *rest, struct text *text)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char byte = rest->len ? rest->ptr[0] : 'x';
        const char *found =
            byte ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + 32 : byte) : NULL;
        if (!found)
            return false;
        code = code << 4 | (uint32_t)(found - digits);
        *rest = slice_from(*rest, 1);
    }
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
        return false;
    if (code >= 0x800)
        put(text, (char)(0xE0 | code >> 12));
    if (code >= 0x80)
        put(text, (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F) : 0xC0 | code >> 6));
    put(text, (char)(code >= 0x80 ? 0x80 | (code & 0x3F) : code));
    return true;
}

static bool take_escape(struct slice *rest, struct text *text)
{
    static const char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char byte = rest->len ? rest->ptr[0] : '\0';
    const char *found = byte ? strchr(named, byte) : NULL;

    if (byte == 'u') {
        *rest = slice_from(*rest, 1);
        return take_unicode(rest, text);
    }
    if (!found)
        return false;
    put(text, meant[found - named]);
    *rest = slice_from(*rest, 1);
    return true;
}

static bool take_string(struct slice *rest, struct text *ret_text)
{
    *ret_text = (struct text){.whole = true};
    if (!take(rest, '"'))
        return false;
    while (rest->len && rest->ptr[0] != '"') {
        char byte = rest->ptr[0];
        if ((unsigned char)byte < 0x20)
            return false;
        *rest = slice_from(*rest, 1);
        if (byte != '\\')
            put(ret_text, byte);
        else if (!take_escape(rest, ret_text))
            return false;
    }
    return take(rest, '"');
}

/* A number, true, false or null, as it stands. */
static bool take_word(struct slice *rest, struct text *ret_text)
{
    *ret_text = (struct text){.whole = true};
    while (rest->len && strchr("abcdefghijklmnopqrstuvwxyz0123456789", rest->ptr[0]) &&
           rest->ptr[0]) {
        put(ret_text, rest->ptr[0]);
        *rest = slice_from(*rest, 1);
    }
    return ret_text->len > 0;
}

/* ---- the fields ------------------------------------------------------------------------------ */

enum { RESULT = 1, USER = 2, KEY = 4, HOST = 8, PORT = 16, EVERY = 31 };

static bool keep_text(const struct text *text, char *out, size_t capacity)
{
    struct slice value = {text->bytes, text->len};

    if (value.len >= capacity || text_check_line(value, NULL) < 0)
        return false;
    memcpy(out, value.ptr, value.len);
    out[value.len] = '\0';
    return true;
}

/* JSON has no zeros in front. */
static bool keep_port(struct slice digits, uint16_t *ret_port)
{
    uint64_t port;

    if (!slice_number(digits, UINT16_MAX, &port) || (digits.ptr[0] == '0' && digits.len > 1))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* Which of the fields it was; 0: another; -1: one of them, and wrong. */
static int keep(struct pair_answer *answer, struct slice name, const struct text *text, bool string)
{
    struct slice value = {text->bytes, text->len};

    if (slice_eq(name, SLICE("port")))
        return !string && text->whole && keep_port(value, &answer->port) ? PORT : -1;
    if (slice_eq(name, SLICE("result")))
        return string && text->whole && keep_text(text, answer->result, sizeof(answer->result))
                   ? RESULT
                   : -1;
    if (slice_eq(name, SLICE("user")))
        return string && text->whole && keep_text(text, answer->user, sizeof(answer->user)) ? USER
                                                                                            : -1;
    if (slice_eq(name, SLICE("key")))
        return string && text->whole && key_parse(value, &answer->key) == 0 ? KEY : -1;
    if (slice_eq(name, SLICE("host_key")))
        return string && text->whole && key_parse(value, &answer->host) == 0 ? HOST : -1;
    return 0;
}

static bool read_line(struct slice line, struct pair_answer *answer)
{
    int seen = 0;

    if (!take(&line, '{'))
        return false;
    do {
        struct text name, value;
        bool string;
        if (!take_string(&line, &name) || !take(&line, ':'))
            return false;
        string = line.len && line.ptr[0] == '"';
        if (string ? !take_string(&line, &value) : !take_word(&line, &value))
            return false;
        int field =
            keep(answer, (struct slice){name.bytes, name.whole ? name.len : 0}, &value, string);
        if (field < 0 || (seen & field))
            return false;
        seen |= field;
    } while (take(&line, ','));
    return take(&line, '}') && line.len == 0 && seen == EVERY;
}

bool pair_answer_read(struct slice text, struct pair_answer *ret_answer)
{
    text.len = text.len < PAIR_ANSWER ? text.len : PAIR_ANSWER;
    while (text.len) {
        struct pair_answer answer = {.port = 0};
        if (read_line(slice_of_line(slice_take_line(&text)), &answer)) {
            *ret_answer = answer;
            return true;
        }
    }
    return false;
}

bool pair_is_plain(struct slice name, const char *beyond)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    bool good = name.len > 0 && name.ptr[0] != '-';

    for (size_t i = 0; i < name.len; i++)
        good = good && name.ptr[i] && (strchr(plain, name.ptr[i]) || strchr(beyond, name.ptr[i]));
    return good;
}
