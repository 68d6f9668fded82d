/* SPDX-License-Identifier: MIT */
/*
 * What a server tells a client: frames as PROTOCOL.md has them, each a u16 length and its bytes,
 * all given to the three who listen. Whatever they say, what is printed holds no control but the
 * ends of lines, no event makes more deliveries than there can be, and the exit status is one of
 * ours.
 */
#include "client/inbox.h"
#include "client/reached.h"
#include "client/who.h"
#include "common/mem.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

struct listeners {
    struct outcome *outcome;
    struct who who;
    struct inbox inbox;
};

static void hear(struct listeners *listeners, const struct msg *msg)
{
    demand(who_take(&listeners->who, msg) == 0);
    demand(inbox_take(&listeners->inbox, msg) == 0);
    outcome_message(listeners->outcome, msg);
    demand(listeners->outcome->n_places <= LIM_DELIVERIES);
    demand(listeners->who.n <= LIM_SESSIONS && listeners->inbox.n <= INBOX_MAX);
}

static void hear_all(struct listeners *listeners, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        size_t len = wire_length(data);
        struct msg_fault fault;
        struct wire_doc doc;
        struct msg msg;
        data += 2;
        size -= 2;
        len = len < size ? len : size;
        if (msg_decode(&msg, &doc, data, len, &fault) == 0) {
            hear(listeners, &msg);
            wire_release(&doc);
        }
        data += len;
        size -= len;
    }
}

static void check_printed(const char *text, size_t len)
{
    demand(utf8_valid((struct slice){text, len}));
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        demand((c >= 0x20 && c != 0x7F) || c == '\n' || c == '\t');
    }
}

static void tell(struct listeners *listeners, const struct speaker *speaker, unsigned choice)
{
    struct call_result result = {.outcome = choice & 1 ? CALL_ERROR : CALL_RESULT,
                                 .code = "no-target"};
    char waiting[300];
    int status = outcome_finish(listeners->outcome, &result);

    demand(status >= EXIT_DONE && status <= EXIT_UNKNOWN);
    if (outcome_waiting_for(listeners->outcome, waiting, sizeof(waiting)))
        demand(strlen(waiting) < sizeof(waiting));
    who_remark(&listeners->who, listeners->outcome);
    inbox_print(&listeners->inbox, speaker);
    for (size_t i = 0; i < listeners->inbox.n; i++)
        inbox_print_full(&listeners->inbox.messages[i], speaker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct msg_selector TO[] = {
        {.name = SLICE("bob")}, {.all = true}, {.session = SLICE("pts/1")}, {.name = SLICE("7")}};
    struct call_server server = {.local = true};
    unsigned choice = size > 0 ? data[0] : 0;
    char *printed = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&printed, &len);
    struct speaker speaker = {stream, stream, !(choice & 32), {.host = SLICE("h2")}};
    struct outcome_config config = {.speaker = &speaker,
                                    .server = &server,
                                    .to = {TO, 1 + (choice >> 1) % ARRAY_SIZE(TO)},
                                    .wait = choice & 8,
                                    .each = choice & 16,
                                    .several = choice & 64};
    struct listeners listeners = {.outcome = outcome_new(&config)};

    demand(stream && listeners.outcome);
    if (size > 0)
        hear_all(&listeners, data + 1, size - 1);
    tell(&listeners, &speaker, choice);
    fclose(stream);
    check_printed(printed, len);
    free(printed);
    outcome_free(listeners.outcome);
    who_release(&listeners.who);
    inbox_release(&listeners.inbox);
    return 0;
}
