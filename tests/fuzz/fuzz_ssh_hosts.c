/* SPDX-License-Identifier: MIT */
/* What ssh-keygen and ssh-add print: a key is known only if its line is there. */
#include "client/ssh_hosts.h"
#include "client/ssh_sign.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct ssh_hosts hosts = {.n = 0};
    struct ssh_key key;

    if (sodium_init() < 0 || ssh_key_parse(SLICE("ssh-ed25519"), SLICE(BLOB), &key) < 0)
        abort();
    ssh_hosts_read(text, &hosts);
    bool there = size && memmem(data, size, BLOB, strlen(BLOB));
    if (hosts.n > SSH_HOSTS_KEYS ||
        (ssh_hosts_judge(&hosts, &key, NULL) != SSH_HOST_UNKNOWN && !there))
        abort();
    if (ssh_agent_choose(text, &key) && !memmem(data, size, "ssh-ed25519", 11))
        abort();
    return 0;
}
