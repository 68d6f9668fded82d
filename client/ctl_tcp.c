/* SPDX-License-Identifier: MIT */
#include "client/ctl_tcp.h"

#include "client/call.h"
#include "common/log.h"
#include "common/mem.h"

#define LISTENS 0x0A /* TCP_LISTEN, in the kernel's numbers */

/* `  0: 00000000:1A57 00000000:0000 0A ...`: local and remote address, state. */
bool ctl_tcp_listens(const char *line, unsigned port)
{
    unsigned at, state;

    return sscanf(line, " %*u: %*32[0-9A-F]:%4x %*32[0-9A-F]:%*4x %2x", &at, &state) == 2 &&
           at == port && state == LISTENS;
}

static bool listed(const char *path)
{
    CLEANUP_FILE FILE *file = fopen(path, "re");
    char line[256];

    while (file && fgets(line, sizeof(line), file)) {
        if (ctl_tcp_listens(line, CALL_PORT))
            return true;
    }
    return false;
}

void ctl_tcp_hint(void)
{
    struct config config;
    struct diag diag;

    if (config_load(CONFIG_FILE, false, &config, &diag) == 0 && config.listen[0] != '\0')
        return;
    if (!listed("/proc/net/tcp") && !listed("/proc/net/tcp6"))
        log_notice("no other host can reach msgd here yet; run: " CTL_TCP_ON);
}
