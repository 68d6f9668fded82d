/* SPDX-License-Identifier: MIT */
/* Whatever tmux prints as its list: a client that is found has a size and a version to be said. */
#include <stdlib.h>

#include "daemon/popup_clients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client client;
    if (client_find((struct slice){(const char *)data, size}, "/dev/pts/3", &client) < 0)
        return 0;
    demand(client.columns >= 1 && client.columns <= CLIENTS_SIZE);
    demand(client.lines >= 1 && client.lines <= CLIENTS_SIZE);
    demand(memchr(client.version, '\0', CLIENTS_VERSION) != NULL && client.version[0] != '\0');
    for (const char *at = client.version; *at != '\0'; at++)
        demand(*at > ' ' && *at < 0x7f);
    return 0;
}
