/* SPDX-License-Identifier: MIT */
/*
 * A target file: whatever it holds, what comes out are selectors that a server would read, none
 * twice, within the limits; or a refusal whose text is fit to print.
 */
#include "client/targets.h"
#include "common/mem.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_selector(const struct msg_selector *s)
{
    const struct slice values[] = {s->user, s->session, s->id, s->name};
    unsigned set = s->all;

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        set += values[i].ptr != NULL;
        demand(values[i].len <= LIM_NAME);
        demand(!values[i].ptr || text_check_line(values[i], NULL) == 0);
    }
    demand(set == 1 && !s->me);
}

static void check_requests(const struct targets *targets)
{
    size_t requests = 0;

    for (size_t from = 0; from < targets->n; requests++) {
        struct msg_selector_list list = targets_request(targets, from);
        demand(list.n > 0 && list.n <= LIM_SELECTORS);
        from += list.n;
    }
    demand(requests <= TARGETS_REQUESTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct targets targets;
    struct targets_fault fault = {.what = ""};

    if (targets_from_file((struct slice){(const char *)data, size}, &targets, &fault) < 0) {
        demand(fault.what[0] != '\0' && strlen(fault.what) < sizeof(fault.what));
        demand(text_check_line(slice_of(fault.what), NULL) == 0);
        return 0;
    }
    demand(targets.n > 0 && targets.n <= LIM_TARGETS && size <= LIM_TARGET_FILE);
    for (size_t i = 0; i < targets.n; i++)
        check_selector(&targets.items[i]);
    check_requests(&targets);
    targets_release(&targets);
    return 0;
}
