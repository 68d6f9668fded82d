/* SPDX-License-Identifier: MIT */
#include "daemon/popup_keys.h"

#include <stddef.h>

#define ESC '\033'

void keys_start(struct keys *keys, unsigned answers, uint64_t now_ms)
{
    *keys = (struct keys){.answers = answers, .last_ms = now_ms};
}

static bool decides(const struct keys *keys, char key)
{
    if (key == ESC)
        return true;
    return keys->answers == 0 ? key == 'o' : key >= '1' && key < '1' + (int)keys->answers;
}

static struct keys_step decide(const struct keys *keys)
{
    if (keys->pending == ESC)
        return (struct keys_step){.verdict = KEYS_DISMISSED};
    if (keys->pending == 'o')
        return (struct keys_step){.verdict = KEYS_CONFIRMED};
    return (struct keys_step){.verdict = KEYS_ANSWERED, .answer = (unsigned)(keys->pending - '1')};
}

/* ---- scrolling ------------------------------------------------------------------------------- */

static void scroll_to(struct keys_step *step, bool to_top)
{
    *step = (struct keys_step){.to_top = to_top, .to_end = !to_top};
}

/* The last byte of a sequence: arrows, Home and End, or by number those and the page keys. */
static void end_sequence(const struct keys *keys, char final, struct keys_step *step)
{
    char parameter = keys->at == KEYS_CSI ? keys->parameter : 0;
    if (final == 'A' || final == 'B')
        step->rows += final == 'B' ? 1 : -1;
    else if (final == 'H' || final == 'F')
        scroll_to(step, final == 'H');
    else if (final == '~' && (parameter == '5' || parameter == '6'))
        step->pages += parameter == '6' ? 1 : -1;
    else if (final == '~' && (parameter == '1' || parameter == '4'))
        scroll_to(step, parameter == '1');
}

/* A byte of an escape sequence. A key pressed with Meta is ESC and the key: it means nothing. */
static void take_sequence(struct keys *keys, char byte, struct keys_step *step)
{
    if (keys->at == KEYS_ESCAPE) {
        keys->at = byte == '[' ? KEYS_CSI : byte == 'O' ? KEYS_SS3 : KEYS_GROUND;
        keys->parameter = 0;
    } else if (keys->at == KEYS_CSI && byte >= 0x20 && byte < 0x40) {
        keys->parameter = byte;
    } else {
        end_sequence(keys, byte, step);
        keys->at = KEYS_GROUND;
    }
}

/* ---- the step -------------------------------------------------------------------------------- */

static void take(struct keys *keys, char byte, struct keys_step *step)
{
    if (keys->at != KEYS_GROUND)
        take_sequence(keys, byte, step);
    else if (byte == ESC)
        keys->at = KEYS_ESCAPE;
    else if (byte == ' ')
        step->pages++;
    else if (byte == 'b')
        step->pages--;
}

static struct keys_step take_bytes(struct keys *keys, struct slice bytes, uint64_t now_ms)
{
    struct keys_step step = {.verdict = KEYS_UNDECIDED};
    bool alone = bytes.len == 1 && now_ms >= keys->last_ms + KEYS_ALONE_MS &&
                 keys->at == KEYS_GROUND && decides(keys, bytes.ptr[0]);
    keys->last_ms = now_ms;
    keys->pending = 0;
    if (!keys->counting)
        return step;
    if (alone)
        keys->pending = bytes.ptr[0];
    for (size_t i = 0; i < bytes.len; i++)
        take(keys, bytes.ptr[i], &step);
    return step;
}

struct keys_step keys_step(struct keys *keys, struct slice bytes, uint64_t now_ms)
{
    struct keys_step step = {.verdict = KEYS_UNDECIDED};
    if (bytes.len > 0)
        return take_bytes(keys, bytes, now_ms);
    if (now_ms >= keys->last_ms + KEYS_ALONE_MS) {
        if (keys->pending != 0)
            step = decide(keys);
        keys->pending = 0;
        keys->at = KEYS_GROUND;
    }
    if (now_ms >= keys->last_ms + KEYS_STILL_MS)
        keys->counting = true;
    return step;
}

uint64_t keys_due(const struct keys *keys)
{
    if (!keys->counting)
        return keys->last_ms + KEYS_STILL_MS;
    return keys->pending != 0 || keys->at != KEYS_GROUND ? keys->last_ms + KEYS_ALONE_MS
                                                         : KEYS_NEVER;
}
