/* SPDX-License-Identifier: MIT */
/* The file of sent messages: whatever is found in it is written back as it was. */
#include "client/sent.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct call_server server;
    struct sent sent, same;
    char line[SENT_LINE];

    if (sodium_init() < 0)
        abort();
    sent_search(text, "7q", &sent);
    if (sent_search(text, "", &sent) < 0)
        return 0;
    sent_server(&sent, &server);
    if (sent_format(&sent, line) < 0 || sent_parse(slice_of(line), &same) < 0 ||
        memcmp(sent.uid, same.uid, SENT_UID) != 0 || strcmp(sent.server, same.server) != 0 ||
        sent.at_s != same.at_s || sent.wait != same.wait || sent.each != same.each)
        abort();
    return 0;
}
