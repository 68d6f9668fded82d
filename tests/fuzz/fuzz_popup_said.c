/* SPDX-License-Identifier: MIT */
/* Whatever is said of a dialog: an answer is one of those that were offered. */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/popup_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One byte of how many answers there are; then what was said. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *by = NULL;
    unsigned answer = 77, answers = size > 0 ? data[0] % 9 : 0;

    if (size < 1)
        return 0;
    struct slice text = {(const char *)data + 1, size - 1};
    enum said said = said_read(text, answers, &by, &answer);
    bool in_range = answers > 0 ? answer >= 1 && answer <= answers : answer == 0;
    if ((said == SAID_CONFIRMED) != (answer != 77) || (said == SAID_CONFIRMED && !in_range) ||
        (said == SAID_OPEN) != (by != NULL))
        abort();
    return 0;
}
