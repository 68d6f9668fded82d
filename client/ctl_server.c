/* SPDX-License-Identifier: MIT */
#include "client/ctl_server.h"

#include "client/server.h"
#include "common/log.h"

bool ctl_name_server(const struct msg_conf *conf, const char *host, struct call_server *ret_server,
                     const char **ret_error)
{
    const char *alias = msg_conf_alias(conf, host);

    return server_parse(alias ? alias : host, ret_server, ret_error);
}

static int find_remote(const char *host, const struct msg_conf *conf,
                       struct call_server *ret_server)
{
    const char *error = NULL;
    if (ctl_name_server(conf, host, ret_server, &error))
        return CTL_OK;
    log_error("%s: %s", host, error);
    return CTL_USAGE;
}

int ctl_find_server(const struct ctl *ctl, const char *host, struct call_server *ret_server)
{
    struct paths paths;
    struct msg_conf conf;
    struct diag diag;
    if (!host && server_local(ctl->given[CTL_SOCKET], getenv("MSG_SOCKET"), ret_server))
        return CTL_OK;
    if (!host) {
        log_error("the path of the socket is too long");
        return CTL_USAGE;
    }
    if (paths_find(NULL, &paths, &diag) < 0 || msg_conf_load(paths.msg_conf, &conf, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    int status = find_remote(host, &conf, ret_server);
    msg_conf_free(&conf);
    return status;
}

int ctl_begin(const struct ctl *ctl, const char *host, struct run *ret_run)
{
    int status = ctl_find_server(ctl, host, &ret_run->server);
    ret_run->speaker.out = stdout;
    ret_run->speaker.err = stderr;
    ret_run->speaker.base.program = SLICE("msgctl");
    return status == CTL_OK ? run_begin(ret_run) : status;
}
