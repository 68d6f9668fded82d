/* SPDX-License-Identifier: MIT */
/* msgctl ping: whether a host's msgd answers, and as whom it knows the caller. */
#include "client/ctl_server.h"
#include "client/ctl_tcp.h"
#include "client/json.h"
#include "common/log.h"
#include "common/text.h"

struct ping {
    char name[256], you[256];
};

static void on_message(void *context, const struct msg *msg)
{
    struct ping *ping = context;
    if (msg->type != MSG_WELCOME)
        return;
    slice_copy(ping->name, sizeof(ping->name), msg->u.welcome.name);
    slice_copy(ping->you, sizeof(ping->you), msg->u.welcome.you);
}

static void print_json(const struct ping *ping, const struct run *run, const char *address,
                       uint64_t took_us)
{
    json_open(stdout);
    json_string(stdout, "host", slice_of(run->server.local ? ping->name : run->server.name));
    json_string(stdout, "address", slice_of(address));
    json_string(stdout, "name", slice_of(ping->name));
    json_string(stdout, "you", slice_of(ping->you));
    json_number(stdout, "took_us", took_us);
    json_close(stdout);
}

static void print_words(const struct ping *ping, const char *address, uint64_t took_us)
{
    char name[TEXT_ESCAPED(255)], you[TEXT_ESCAPED(255)];
    text_escape(slice_of(ping->name), TEXT_ONE_LINE, name, sizeof(name));
    text_escape(slice_of(ping->you), TEXT_ONE_LINE, you, sizeof(you));
    printf("msgd on %s (%s) answers in %.1f ms; it knows you as %s\n", name, address,
           (double)took_us / 1000, you);
}

/*
 * Where its host is there, TCP may not be switched on; on another port that is not the unit's
 * doing. Who was refused by msgd itself was told what mends it.
 */
static void hint(const struct run *run, const struct call_result *result)
{
    bool there = !run->server.local && result->outcome == CALL_UNREACHABLE;

    if (there && run->server.port == CALL_PORT && result->error == -ECONNREFUSED)
        log_notice("if msgd runs there, its administrator can run: " CTL_TCP_ON);
    else if (result->outcome == CALL_NOT_MSGD)
        log_notice("where it fails, step by step: msgctl doctor %s", run->server.name);
}

int ctl_ping(const struct ctl *ctl)
{
    static struct run run;
    struct ping ping = {{0}, {0}};
    struct exchange exchange = {.message = on_message, .context = &ping};
    struct msg request = {.type = MSG_PING};
    int status = ctl_begin(ctl, ctl->n_words > 0 ? ctl->words[0] : NULL, &run);
    uint64_t started = uv_hrtime();
    if (status == CTL_OK) {
        run_exchange(&run, &exchange, &request);
        uint64_t took_us = (uv_hrtime() - started) / 1000;
        if (run.signal != 0 || exchange.result.outcome != CALL_RESULT) {
            status = run_failure(&run, &exchange, false, NULL);
            hint(&run, &exchange.result);
        } else if (ctl->json) {
            print_json(&ping, &run, exchange.result.address, took_us);
        } else {
            print_words(&ping, exchange.result.address, took_us);
        }
    }
    run_end(&run);
    return status;
}
