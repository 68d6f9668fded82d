/* SPDX-License-Identifier: MIT */
/* msgctl trust: the pin of a host's key in the caller's known_hosts. */
#include "client/ctl_server.h"
#include "client/ctl_untrust.h"
#include "client/json.h"
#include "common/log.h"

static void print_result(const struct ctl *ctl, const char *name, const struct noise_public *key,
                         const char *file)
{
    char text[KEY_TEXT_LEN + 1];
    key_format(key, text);
    if (!ctl->json) {
        printf("%s is trusted by the key %s (%s)\n", name, text, file);
        return;
    }
    json_open(stdout);
    json_string(stdout, "host", slice_of(name));
    json_string(stdout, "key", slice_of(text));
    json_string(stdout, "file", slice_of(file));
    json_close(stdout);
}

/* A pin beside such a line would say that the key is trusted, and it never was. */
static int check_revoked(const struct call_server *server, const struct noise_public *key,
                         const struct paths *paths, struct diag *ret_diag)
{
    const struct slice_list nothing = {NULL, 0};
    struct trust_host trust;

    trust_host_init(&trust, server, paths->known_hosts);
    trust_judge_host(&trust, key, &nothing);
    if (!trust.revoked)
        return 0;
    return diag_set(ret_diag, -EKEYREVOKED,
                    "that key is revoked (%s); its administrator can tell you the new one: msgctl "
                    "key show --host",
                    trust.changed);
}

/* The key is told us: nobody is called or asked. */
static int pin(const struct ctl *ctl, const struct call_server *server,
               const struct noise_public *key)
{
    char name[KNOWN_HOST_NAME];
    struct paths paths;
    struct diag diag;
    if (known_host_name(name, server->host, server->port) < 0) {
        log_error("%s is no name that a key can be kept for", server->host);
        return CTL_USAGE;
    }
    int r = paths_find(NULL, &paths, &diag);
    r = r < 0 ? r : check_revoked(server, key, &paths, &diag);
    r = r < 0 ? r : known_hosts_append(paths.known_hosts, name, key, &diag);
    if (r < 0) {
        log_error("%s", diag.text);
        if (r == -EEXIST)
            log_error("if the host really has a new key, run first: msgctl untrust %s",
                      ctl->words[0]);
        return CTL_FAILED;
    }
    print_result(ctl, name, key, paths.known_hosts);
    return CTL_OK;
}

/*
 * Calls the host for its key. Once that was judged, it does not matter what the host answers; and
 * one that was endorsed, or stands in the system's file, is pinned like one that was asked about.
 */
static int ask(const struct ctl *ctl, struct run *run)
{
    static const struct noise_public none;
    struct diag diag;
    const struct msg request = {.type = MSG_PING};
    struct exchange ping = {.message = NULL};
    run_start(run, &ping, &request);
    run_wait(run);
    bool trusted =
        ping.result.outcome == CALL_KEY_UNKNOWN
            ? run->signal == 0 && trust_ask(&run->trust, &ping.result)
            : ping.result.outcome != CALL_KEY_REFUSED && !key_equal(&ping.result.key, &none);
    if (!trusted)
        return run_failure(run, &ping, false, NULL);
    if (known_hosts_append(run->paths.known_hosts, run->trust.name, &ping.result.key, &diag) < 0) {
        log_error("%s", diag.text);
        return CTL_FAILED;
    }
    print_result(ctl, run->trust.name, &ping.result.key, run->paths.known_hosts);
    return CTL_OK;
}

static int trust_shown(const struct ctl *ctl)
{
    static struct run run;
    int status = ctl_begin(ctl, ctl->words[0], &run);
    status = status == CTL_OK ? ask(ctl, &run) : status;
    run_end(&run);
    return status;
}

int ctl_trust(const struct ctl *ctl)
{
    struct call_server server;
    struct noise_public key;
    if (ctl->given[CTL_LIST] ? ctl->n_words > 0 : ctl->n_words == 0) {
        log_error("trust wants: HOST [KEY], or --list alone");
        return CTL_USAGE;
    }
    if (ctl->given[CTL_LIST])
        return ctl_trust_list(ctl);
    if (ctl->n_words == 1)
        return trust_shown(ctl);
    if (key_parse(slice_of(ctl->words[1]), &key) < 0) {
        log_error("not a key, x25519: and 43 characters: %s", ctl->words[1]);
        return CTL_USAGE;
    }
    int status = ctl_find_server(ctl, ctl->words[0], &server);
    return status == CTL_OK ? pin(ctl, &server, &key) : status;
}
