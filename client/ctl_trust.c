/* SPDX-License-Identifier: MIT */
/* msgctl trust: the pin of a host's key in the caller's known_hosts. */
#include "client/ctl.h"
#include "client/json.h"
#include "client/server.h"
#include "common/keys.h"
#include "common/known_hosts.h"
#include "common/log.h"
#include "common/msg_conf.h"
#include "common/paths.h"

/* HOST as `msg /SERVER:HOST` would take it: an alias of msg.conf stands for what it names. */
static int find_server(const char *typed, const struct paths *paths, struct call_server *ret_server)
{
    struct msg_conf conf;
    struct diag diag;
    const char *error = NULL;
    if (msg_conf_load(paths->msg_conf, &conf, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    const char *alias = msg_conf_alias(&conf, typed);
    bool good = server_parse(alias ? alias : typed, ret_server, &error);
    msg_conf_free(&conf);
    if (!good)
        log_error("%s: %s", typed, error);
    return good ? CTL_OK : CTL_USAGE;
}

static void print_result(const struct ctl *ctl, const char *name, const char *key, const char *file)
{
    if (!ctl->json) {
        printf("%s is trusted by the key %s (%s)\n", name, key, file);
        return;
    }
    json_open(stdout);
    json_string(stdout, "host", slice_of(name));
    json_string(stdout, "key", slice_of(key));
    json_string(stdout, "file", slice_of(file));
    json_close(stdout);
}

static int pin(const struct ctl *ctl, const struct call_server *server, const struct paths *paths,
               const struct noise_public *key)
{
    char name[KNOWN_HOST_NAME], text[KEY_TEXT_LEN + 1];
    struct diag diag;
    if (known_host_name(name, server->host, server->port) < 0) {
        log_error("%s is no name that a key can be kept for", server->host);
        return CTL_USAGE;
    }
    int r = known_hosts_append(paths->known_hosts, name, key, &diag);
    if (r < 0) {
        log_error("%s", diag.text);
        if (r == -EEXIST)
            log_error("if the host really has a new key, take that line out first");
        return CTL_FAILED;
    }
    key_format(key, text);
    print_result(ctl, name, text, paths->known_hosts);
    return CTL_OK;
}

int ctl_trust(const struct ctl *ctl)
{
    struct call_server server;
    struct noise_public key;
    struct paths paths;
    struct diag diag;
    if (key_parse(slice_of(ctl->words[1]), &key) < 0) {
        log_error("not a key, x25519: and 43 characters: %s", ctl->words[1]);
        return CTL_USAGE;
    }
    if (paths_find(ctl->given[CTL_CONFIG], &paths, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    int status = find_server(ctl->words[0], &paths, &server);
    return status == CTL_OK ? pin(ctl, &server, &paths, &key) : status;
}
