/* SPDX-License-Identifier: MIT */
/* Whatever a popup helper says: what passes is printable, known, and answers what was offered. */
#include <stdlib.h>

#include "common/text.h"
#include "daemon/present_heard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

/* One byte: whether there are answers; then the datagram. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice answers = size > 0 && data[0] & 1 ? SLICE("Yes\nNo\n") : (struct slice){NULL, 0};
    struct heard heard;

    if (size < 1 || heard_read(data + 1, size - 1, answers, &heard) < 0)
        return 0;
    if (heard.shown) {
        check(heard.by[0] == '\0' || text_check_line(slice_of(heard.by), NULL) == 0);
        check((heard.flags & ~(unsigned)(SHOWN_LOCKED | SHOWN_DO_NOT_DISTURB)) == 0);
        return 0;
    }
    bool answered = heard.how == ENDED_ACKNOWLEDGED && answers.len > 0;
    check(heard.why && heard.how != ENDED_SESSION_GONE && heard.how <= ENDED_FAILED);
    check(answered == (heard.answer.len > 0));
    check(!answered || slice_eq(heard.answer, SLICE("Yes")) || slice_eq(heard.answer, SLICE("No")));
    return 0;
}
