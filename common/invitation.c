/* SPDX-License-Identifier: MIT */
#include "common/invitation.h"

#include "common/keys.h"
#include "common/lines.h"
#include "protocol/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX    "msg-invite:"
#define BASE64    sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define CHECK     4
#define PAYLOAD   (ENROL_ID + 4 + ENROL_SECRET + NOISE_KEY)
#define BYTES     (PAYLOAD + CHECK)
#define KEY_CHARS 43

/* An id and a key are to fit before it: enrolled.h. */
#define LINE_MAX_BYTES (LIM_TRUST_LINE - INVITATION_NAME - KEY_TEXT_LEN - 2)

_Static_assert(INVITATION_TEXT == sizeof(PREFIX) - 1 + (BYTES * 8 + 5) / 6, "an invitation's text");

/* Exactly `size` bytes, and only in the characters that they are written in. */
static bool read_base64(struct slice text, uint8_t *out, size_t size)
{
    char canonical[INVITATION_TEXT + 1];
    size_t len = 0;

    if (text.len != (size * 8 + 5) / 6 ||
        sodium_base642bin(out, size, text.ptr, text.len, NULL, &len, NULL, BASE64) != 0 ||
        len != size)
        return false;
    sodium_bin2base64(canonical, sizeof(canonical), out, size, BASE64);
    bool same = sodium_memcmp(canonical, text.ptr, text.len) == 0;
    sodium_memzero(canonical, sizeof(canonical));
    return same;
}

/* ---- the text -------------------------------------------------------------------------------- */

static void check_of(const uint8_t payload[static PAYLOAD], uint8_t ret_check[static CHECK])
{
    uint8_t hash[32];

    crypto_generichash(hash, sizeof(hash), payload, PAYLOAD, NULL, 0);
    memcpy(ret_check, hash, CHECK);
}

int invitation_parse(struct slice text, struct invitation *ret_invitation)
{
    uint8_t bytes[BYTES], check[CHECK];
    const uint8_t *at = bytes;
    bool sound = slice_take(&text, SLICE(PREFIX)) && read_base64(text, bytes, sizeof(bytes));

    if (sound) {
        check_of(bytes, check);
        sound = memcmp(check, bytes + PAYLOAD, CHECK) == 0;
    }
    if (sound) {
        memcpy(ret_invitation->id, at, ENROL_ID);
        at += ENROL_ID;
        ret_invitation->until =
            (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
        memcpy(ret_invitation->secret, at + 4, ENROL_SECRET);
        memcpy(ret_invitation->host.bytes, at + 4 + ENROL_SECRET, NOISE_KEY);
    }
    sodium_memzero(bytes, sizeof(bytes));
    return sound ? 0 : -EBADMSG;
}

void invitation_format(const struct invitation *invitation, char out[static INVITATION_TEXT + 1])
{
    uint8_t bytes[BYTES], *at = bytes;

    at = mempcpy(at, invitation->id, ENROL_ID);
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(invitation->until >> shift);
    at = mempcpy(at, invitation->secret, ENROL_SECRET);
    at = mempcpy(at, invitation->host.bytes, NOISE_KEY);
    check_of(bytes, at);
    memcpy(out, PREFIX, sizeof(PREFIX) - 1);
    sodium_bin2base64(out + sizeof(PREFIX) - 1, INVITATION_TEXT + 2 - sizeof(PREFIX), bytes,
                      sizeof(bytes), BASE64);
    sodium_memzero(bytes, sizeof(bytes));
}

void invitation_id_format(const uint8_t id[static ENROL_ID], char out[static INVITATION_NAME + 1])
{
    sodium_bin2hex(out, INVITATION_NAME + 1, id, ENROL_ID);
}

int invitation_id_parse(struct slice text, uint8_t ret_id[static ENROL_ID])
{
    uint8_t id[ENROL_ID];
    char canonical[INVITATION_NAME + 1];
    size_t len = 0;

    if (text.len != INVITATION_NAME ||
        sodium_hex2bin(id, sizeof(id), text.ptr, text.len, NULL, &len, NULL) != 0 ||
        len != sizeof(id))
        return -EBADMSG;
    invitation_id_format(id, canonical);
    if (memcmp(canonical, text.ptr, INVITATION_NAME) != 0)
        return -EBADMSG;
    memcpy(ret_id, id, sizeof(id));
    return 0;
}

/* ---- the ticket ------------------------------------------------------------------------------ */

/* A line as it will be once there is a key to stand before it. */
#define WHOLE_LINE (KEY_TEXT_LEN + LIM_TRUST_LINE + 2)
static struct slice whole_line(struct slice line, char out[static WHOLE_LINE])
{
    static const struct noise_public anybody;

    key_format(&anybody, out);
    out[KEY_TEXT_LEN] = ' ';
    memcpy(out + KEY_TEXT_LEN + 1, line.ptr, line.len); /* with any NUL that it may hold */
    return (struct slice){out, KEY_TEXT_LEN + 1 + line.len};
}

int ticket_set_line(struct ticket *ticket, struct slice line, struct diag *ret_diag)
{
    char text[WHOLE_LINE];
    struct authorized_key key;
    struct slice whole;
    const char *reason;

    if (line.len > LINE_MAX_BYTES)
        return diag_set(ret_diag, -EBADMSG, "the line is longer than %d bytes", LINE_MAX_BYTES);
    struct lines lines = {.rest = whole_line(line, text)};
    size_t len = lines.rest.len;
    if (!lines_next(&lines, &whole, &reason))
        return diag_set(ret_diag, -EBADMSG, "%s", reason);
    if (whole.len != len)
        return diag_set(ret_diag, -EBADMSG, "a blank at the line's end, or a second line");
    int r = authorized_key_parse(whole, &key, ret_diag);
    if (r < 0)
        return r;
    memcpy(ticket->name, key.name, sizeof(ticket->name));
    memcpy(ticket->line, line.ptr, line.len);
    ticket->line[line.len] = '\0';
    return 0;
}

bool ticket_admits(const struct ticket *ticket, const struct sockaddr *address, int64_t now_s)
{
    char text[WHOLE_LINE];
    struct authorized_key key;

    return authorized_key_parse(whole_line(slice_of(ticket->line), text), &key, NULL) == 0 &&
           authorized_key_from(&key, address) && !authorized_key_expired(&key, now_s);
}

struct slice ticket_rights(const struct ticket *ticket)
{
    size_t len = strlen(ticket->line) - strlen(ticket->name);

    while (len > 0 && strchr(" \t", ticket->line[len - 1]))
        len--;
    return (struct slice){ticket->line, len};
}

/* The rest of the line that begins with the literal. */
static bool take_line(struct slice *text, struct slice literal, struct slice *ret_value)
{
    const char *end;

    if (!slice_take(text, literal) || text->len == 0)
        return false;
    end = memchr(text->ptr, '\n', text->len);
    if (!end)
        return false;
    *ret_value = (struct slice){text->ptr, (size_t)(end - text->ptr)};
    *text = slice_from(*text, ret_value->len + 1);
    return true;
}

static bool read_until(struct slice value, int64_t *ret_until)
{
    uint64_t until;

    if (!slice_number(value, UINT32_MAX, &until) || (value.ptr[0] == '0' && value.len > 1))
        return false;
    *ret_until = (int64_t)until;
    return true;
}

static int parse(struct slice text, struct ticket *ticket, struct diag *ret_diag)
{
    struct slice value;

    if (!take_line(&text, SLICE("msg-invitation-v1"), &value) || value.len > 0)
        return diag_set(ret_diag, -EBADMSG, "its first line is not msg-invitation-v1");
    if (!take_line(&text, SLICE("id: "), &value) || invitation_id_parse(value, ticket->id) < 0)
        return diag_set(ret_diag, -EBADMSG, "its second line is not `id: ` and 16 hex digits");
    if (!take_line(&text, SLICE("until: "), &value) || !read_until(value, &ticket->until))
        return diag_set(ret_diag, -EBADMSG, "its third line is not `until: ` and seconds");
    if (!take_line(&text, SLICE("key: "), &value) ||
        !read_base64(value, ticket->key.bytes, ENROL_KEY))
        return diag_set(ret_diag, -EBADMSG, "its fourth line is not `key: ` and 43 characters");
    if (!take_line(&text, SLICE("line: "), &value) || text.len > 0)
        return diag_set(ret_diag, -EBADMSG, "its fifth line is not `line: `, or not the last");
    return ticket_set_line(ticket, value, ret_diag);
}

int ticket_parse(struct slice text, struct ticket *ret_ticket, struct diag *ret_diag)
{
    struct ticket ticket;
    int r = parse(text, &ticket, ret_diag);

    if (r == 0)
        *ret_ticket = ticket;
    sodium_memzero(&ticket, sizeof(ticket));
    return r;
}

size_t ticket_format(const struct ticket *ticket, char out[static INVITATION_TICKET])
{
    char id[INVITATION_NAME + 1], key[KEY_CHARS + 1];

    invitation_id_format(ticket->id, id);
    sodium_bin2base64(key, sizeof(key), ticket->key.bytes, ENROL_KEY, BASE64);
    int len = snprintf(out, INVITATION_TICKET,
                       "msg-invitation-v1\nid: %s\nuntil: %" PRId64 "\nkey: %s\nline: %s\n", id,
                       ticket->until, key, ticket->line);
    sodium_memzero(key, sizeof(key));
    return (size_t)len;
}
