/* SPDX-License-Identifier: MIT */
/*
 * What is pasted, what lies in a ticket and what stands in the record of enrolments: whatever is
 * accepted is written back as it was read, and holds what it says.
 */
#include "common/enrolled.h"
#include "common/invitation.h"
#include "common/text.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void paste(struct slice text)
{
    struct invitation invitation;
    char again[INVITATION_TEXT + 1];

    if (invitation_parse(text, &invitation) < 0)
        return;
    invitation_format(&invitation, again);
    demand(slice_eq(slice_of(again), text));
}

static void ticket(struct slice text)
{
    struct ticket ticket;
    struct diag diag = {""};
    char again[INVITATION_TICKET];

    if (ticket_parse(text, &ticket, &diag) < 0) {
        demand(diag.text[0] != '\0');
        return;
    }
    demand(text_is_name(slice_of(ticket.name)));
    demand(ticket_rights(&ticket).len < strlen(ticket.line));
    size_t len = ticket_format(&ticket, again);
    demand(slice_eq((struct slice){again, len}, text));
}

static void record(struct slice text)
{
    struct enrolled enrolled;
    struct diag diag = {""};

    if (enrolled_parse("f", text, &enrolled, &diag) < 0) {
        demand(strncmp(diag.text, "f:", 2) == 0);
        return;
    }
    demand(enrolled.keys.count <= enrolled.count);
    for (size_t i = 0; i < enrolled.count; i++)
        demand(enrolled_used(&enrolled, enrolled.used[i].id));
    enrolled_free(&enrolled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};

    demand(sodium_init() >= 0);
    paste(text);
    ticket(text);
    record(text);
    return 0;
}
