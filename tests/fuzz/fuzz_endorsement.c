/* SPDX-License-Identifier: MIT */
/* Statements, entries of the wire and files of them: what is read is written back byte for byte. */
#include "common/endorsement.h"

#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void use_statement(struct slice text)
{
    struct endorsement e;
    char back[ENDORSEMENT_STATEMENT];
    const char *reason = NULL;
    size_t len = 0;

    if (endorsement_parse(text, &e, &len, &reason) < 0) {
        demand(reason != NULL);
        return;
    }
    demand(len <= text.len && e.after < e.before);
    demand(endorsement_format(&e, back) == (int)len && memcmp(back, text.ptr, len) == 0);
    endorsement_names(&e, SLICE("h2"));
    endorsement_time(&e, 1767225600);
}

static void use_entry(struct slice entry)
{
    struct endorsed endorsed;
    const char *reason = NULL;

    if (endorsement_open(entry, &endorsed, &reason) == 0)
        endorsement_verify(&endorsed, NULL);
    else
        demand(reason != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    uint8_t entry[LIM_ENDORSEMENT];
    const char *reason = NULL;
    size_t len = 0;
    int r;

    demand(sodium_init() >= 0);
    use_statement(text);
    use_entry(text);
    while ((r = endorsement_next(&text, entry, &len, &reason)) > 0)
        use_entry((struct slice){(char *)entry, len});
    demand(r == 0 || reason != NULL);
    return 0;
}
