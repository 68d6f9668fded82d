/* SPDX-License-Identifier: MIT */
/*
 * What a caller hands in from elsewhere: a text in some charset, and the name of a server. What
 * passes is fit to be sent; what does not is refused with words that are fit to print.
 */
#include "client/message.h"
#include "client/server.h"
#include "common/mem.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_message(struct slice raw, enum message_kind kind, const char *charset)
{
    struct message_error error = {""};
    char *text = NULL;
    size_t len = 0;

    if (message_clean(raw, kind, charset, &text, &len, &error) < 0) {
        demand(!text && text_check_line(slice_of(error.text), NULL) == 0);
        return;
    }
    demand(len > 0 && len <= LIM_TEXT && text_check((struct slice){text, len}, NULL) == 0);
    demand(kind != MESSAGE_TITLE || !memchr(text, '\n', len));
    free(text);
}

static void check_server(const char *typed)
{
    struct call_server server;
    const char *error = NULL;

    if (!server_parse(typed, &server, &error)) {
        demand(error && error[0]);
        return;
    }
    demand(server.host[0] && server.port > 0 && !server.local);
    demand(strlen(server.name) < sizeof(server.name) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const CHARSETS[] = {"UTF-8", "ISO-8859-15", "EUC-JP", "KOI8-R"};
    CLEANUP_FREE char *typed = calloc(1, size + 1);
    unsigned choice = size > 0 ? data[0] : 0;
    struct slice raw = {(const char *)data + (size > 0), size - (size > 0)};

    demand(typed != NULL);
    check_message(raw, (enum message_kind)(choice & 3), CHARSETS[choice >> 2 & 3]);
    if (raw.len > 0)
        memcpy(typed, raw.ptr, raw.len);
    check_server(typed);
    return 0;
}
