/* SPDX-License-Identifier: MIT */
/* A `present` as msgd sent it: what passes lies within the datagram and is fit to be shown. */
#include <stdlib.h>

#include "common/text.h"
#include "daemon/present_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct slice part, const uint8_t *data, size_t size)
{
    const char *begin = (const char *)data;

    if (part.len > 0 && (part.ptr < begin || part.ptr + part.len > begin + size))
        abort();
}

static void check_answers(struct slice answers)
{
    struct slice label;
    size_t count = 0;

    while (present_answers_next(&answers, &label)) {
        if (label.len == 0 || label.len > LIM_ANSWER || text_check_line(label, NULL) < 0)
            abort();
        count++;
    }
    if (count > LIM_ANSWERS || answers.len > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boundary_message message;
    struct present_texts texts;
    const char *reason;

    if (boundary_decode(&message, BOUNDARY_TO_PRESENTER, data, size, &reason) < 0 ||
        message.verb != BOUNDARY_PRESENT || present_texts_read(&message, &texts, &reason) < 0)
        return 0;
    check_within(texts.sender, data, size);
    check_within(texts.title, data, size);
    check_within(texts.answers, data, size);
    check_within(texts.body, data, size);
    check_answers(texts.answers);
    if (texts.sender.len + texts.title.len + texts.answers.len + texts.body.len !=
            message.text_len ||
        text_check_line(texts.sender, NULL) < 0 || text_check(texts.body, NULL) < 0)
        abort();
    return 0;
}
