/* SPDX-License-Identifier: MIT */
/*
 * Whatever is typed, however fast: what decides was a key that is shown, pressed after the keyboard
 * had been still, with nothing before or after it for a while; and time alone decides nothing.
 */
#include <stdlib.h>

#include "daemon/popup_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

struct typist {
    struct keys keys;
    uint64_t now, last, before; /* before: the silence before the last bytes */
    bool still;                 /* the keyboard was, before the last bytes */
    size_t len;
    char first;
};

static void judge(const struct typist *typist, struct keys_step step)
{
    if (step.verdict == KEYS_UNDECIDED)
        return;
    demand(typist->still && typist->len == 1 && typist->before >= KEYS_ALONE_MS &&
           typist->now - typist->last >= KEYS_ALONE_MS);
    if (step.verdict == KEYS_CONFIRMED)
        demand(typist->keys.answers == 0 && typist->first == 'o');
    else if (step.verdict == KEYS_ANSWERED)
        demand(step.answer < typist->keys.answers && typist->first == (char)('1' + step.answer));
    else
        demand(typist->first == '\033');
}

static void type(struct typist *typist, struct slice bytes)
{
    typist->still = typist->keys.counting;
    typist->before = typist->now - typist->last;
    typist->len = bytes.len;
    typist->first = bytes.ptr[0];
    typist->last = typist->now;
    struct keys_step step = keys_step(&typist->keys, bytes, typist->now);
    demand(step.verdict == KEYS_UNDECIDED);
    demand(typist->keys.counting == typist->still);
}

static void wait(struct typist *typist, uint64_t ms)
{
    uint64_t end = typist->now + ms;
    while (keys_due(&typist->keys) <= end) {
        typist->now = keys_due(&typist->keys);
        judge(typist, keys_step(&typist->keys, (struct slice){0}, typist->now));
        demand(keys_due(&typist->keys) > typist->now);
    }
    typist->now = end;
}

/* How many answers; then again and again a gap, in 16 ms, how many bytes, and these. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct typist typist = {.now = 1000, .last = 1000};
    if (size < 1)
        return 0;
    keys_start(&typist.keys, data[0] % 10, typist.now);
    for (size_t at = 1; at + 2 < size;) {
        size_t len = 1 + data[at + 1] % 4;
        len = len < size - at - 2 ? len : size - at - 2;
        wait(&typist, data[at] * 16);
        type(&typist, (struct slice){(const char *)data + at + 2, len});
        at += 2 + len;
    }
    wait(&typist, 5000);
    return 0;
}
