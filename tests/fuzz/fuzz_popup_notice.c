/* SPDX-License-Identifier: MIT */
/*
 * Whatever a notification server says: shown once at most, one end at most and nothing after it;
 * an acknowledgement comes of an action with our id and a key that we offered, and of nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/popup_notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static bool offered(const char *key, unsigned answers, unsigned answer)
{
    if (answers == 0)
        return answer == 0 && (strcmp(key, "ok") == 0 || strcmp(key, "default") == 0);
    return answer >= 1 && answer <= answers && strncmp(key, "answer", 6) == 0 &&
           (unsigned)(key[6] - '0') == answer && key[7] == '\0';
}

/* One byte of how it is asked; then events: what, id, reason, and a key of so many bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct notice notice = {.answers = data[0] % 9, .wait = data[0] & 0x80};
    unsigned shown = 0, ends = 0;
    uint32_t id = 0;

    for (size_t at = 1; at + 4 <= size;) {
        char key[256];
        size_t len = data[at + 3] < size - at - 4 ? data[at + 3] : size - at - 4;
        struct notice_event event = {.said = (enum notice_said)(data[at] % (NOTICE_GONE + 1)),
                                     .id = data[at + 1],
                                     .reason = data[at + 2],
                                     .text = key};
        unsigned answer = 77;
        memcpy(key, data + at + 4, len);
        key[len] = '\0';
        enum notice_verdict verdict = notice_step(&notice, &event, &answer);
        if (verdict == NOTICE_SHOWN) {
            id = event.id;
            check(++shown == 1 && ends == 0 && id != 0 && event.said == NOTICE_TAKEN);
        } else if (verdict != NOTICE_NOTHING) {
            check(++ends == 1);
        }
        if (verdict == NOTICE_ACKNOWLEDGED)
            check(shown == 1 && event.said == NOTICE_ACTION && event.id == id &&
                  offered(key, notice.answers, answer));
        else
            check(answer == 77);
        at += 4 + len;
    }
    return 0;
}
