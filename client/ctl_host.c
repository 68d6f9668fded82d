/* SPDX-License-Identifier: MIT */
#include "client/ctl_host.h"

#include "client/call.h"
#include "client/ctl_tcp.h"
#include "client/ctl_trust_files.h"
#include "common/keys.h"
#include "common/log.h"
#include "common/mem.h"

#include <netinet/in.h>
#include <sys/stat.h>

#define LOGIN_DEFS "/etc/login.defs"

static bool take_path(const struct ctl *ctl, enum ctl_option option, const char *key,
                      struct config *config)
{
    struct diag diag;

    if (!ctl->given[option] || config_set(config, key, ctl->given[option], &diag) == 0)
        return true;
    log_error("%s", diag.text);
    return false;
}

bool ctl_host_config(const struct ctl *ctl, struct config *ret_config)
{
    struct diag diag;

    if (config_load(CONFIG_FILE, false, ret_config, &diag) < 0) {
        log_error("%s", diag.text);
        return false;
    }
    if (!take_path(ctl, CTL_INVITATIONS, "invitations", ret_config) ||
        !take_path(ctl, CTL_HOST_KEY, "host_key", ret_config) ||
        !take_path(ctl, CTL_ENROLLED, "enrolled", ret_config) ||
        !take_path(ctl, CTL_GRANTED, "granted", ret_config))
        return false;
    if (config_complete(ret_config, LOGIN_DEFS, &diag) == 0)
        return true;
    log_error("%s", diag.text);
    return false;
}

/* Root is _msgd meanwhile: a key file is believed by its owner alone. */
static int load_as_owner(const char *path, struct noise_keypair **ret_key, struct diag *ret_diag)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return diag_errno(ret_diag, mem_errno(), path);
    bool other = geteuid() == 0 && st.st_uid != 0;
    if (other && (setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0))
        return diag_errno(ret_diag, mem_errno(), path);
    int r = key_load(path, ret_key, ret_diag);
    if (other && (seteuid(0) < 0 || setegid(0) < 0))
        return diag_errno(ret_diag, mem_errno(), path);
    return r;
}

int ctl_host_read_key(const char *path, struct noise_public *ret_key, struct diag *ret_diag)
{
    CLEANUP_KEY struct noise_keypair *key = NULL;
    int r = load_as_owner(path, &key, ret_diag);

    if (r == 0)
        *ret_key = key->public;
    return r;
}

bool ctl_host_key(const char *path, struct noise_public *ret_key)
{
    struct diag diag;
    int r = ctl_host_read_key(path, ret_key, &diag);

    if (r < 0)
        ctl_say_refused(r, diag.text, NULL);
    if (r == -ENOENT)
        log_error(
            "msgd makes this host's key when it first listens for other hosts; run: " CTL_TCP_ON);
    return r == 0;
}

static unsigned port_of(const struct config *config)
{
    struct slice rest = slice_of(config->listen);
    struct sockaddr_storage address;

    if (!config_listen_next(&rest, &address))
        return CALL_PORT;
    return ntohs(address.ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

void ctl_host_name(const struct config *config, char out[static CTL_HOST_NAME])
{
    unsigned port = port_of(config);

    if (port == CALL_PORT)
        snprintf(out, CTL_HOST_NAME, "%s", config->name);
    else
        snprintf(out, CTL_HOST_NAME, "%s:%u", config->name, port);
}
