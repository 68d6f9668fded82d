/* SPDX-License-Identifier: MIT */
/*
 * msgctl join: an invitation is taken. The host must show the key that the invitation has, and
 * prove that it knows the invitation; only then is its key kept in known_hosts.
 */
#include "client/ctl_server.h"
#include "client/json.h"
#include "client/secret.h"
#include "common/invitation.h"
#include "common/known_hosts.h"
#include "common/log.h"
#include "common/text.h"

#include <sodium.h>
#include <time.h>

struct join {
    char you[256], rights[256];
    bool known; /* WELCOME came: the host knows the key without the invitation */
};

static void copy(char out[static 256], struct slice in)
{
    text_escape(in, TEXT_ONE_LINE, out, 256);
}

static void on_message(void *context, const struct msg *msg)
{
    struct join *join = context;

    if (msg->type == MSG_WELCOME) {
        join->known = true;
        copy(join->you, msg->u.welcome.you);
    } else if (msg->type == MSG_ENROLLED) {
        copy(join->you, msg->u.enrolled.you);
        copy(join->rights, msg->u.enrolled.perm);
    }
}

static int read_invitation(const char *host, struct invitation *ret_invitation)
{
    char prompt[320], buffer[512];
    struct slice line;

    snprintf(prompt, sizeof(prompt), "Invitation to %s (paste it; it is not shown): ", host);
    int r = secret_read(prompt, buffer, sizeof(buffer), &line);
    if (r == 0)
        r = invitation_parse(line, ret_invitation);
    sodium_memzero(buffer, sizeof(buffer));
    if (r == -ENODATA)
        log_error("no invitation was given");
    else if (r == -EBADMSG || r == -EMSGSIZE)
        log_error(
            "that is no invitation, msg-invite: and 86 characters; one may be wrong or missing");
    else if (r < 0)
        log_error("the invitation cannot be read: %s", strerror(-r));
    return r == 0                                             ? CTL_OK
           : r == -EBADMSG || r == -EMSGSIZE || r == -ENODATA ? CTL_USAGE
                                                              : CTL_FAILED;
}

/* ---- what became of it ----------------------------------------------------------------------- */

static void print_result(const struct ctl *ctl, const struct run *run, const struct join *join)
{
    if (!ctl->json) {
        printf("%s knows you as %s now, and its key is trusted (%s)%s%s\n", run->trust.name,
               join->you, run->paths.known_hosts, join->rights[0] ? "; your rights: " : "",
               join->rights);
        return;
    }
    json_open(stdout);
    json_string(stdout, "host", slice_of(run->trust.name));
    json_string(stdout, "you", slice_of(join->you));
    json_string(stdout, "rights", slice_of(join->rights));
    json_string(stdout, "file", slice_of(run->paths.known_hosts));
    json_close(stdout);
}

static int pin(const struct ctl *ctl, const struct run *run, const struct join *join,
               const struct noise_public *key)
{
    struct diag diag;
    char text[KEY_TEXT_LEN + 1];

    if (known_hosts_append(run->paths.known_hosts, run->trust.name, key, &diag) == 0) {
        print_result(ctl, run, join);
        return CTL_OK;
    }
    key_format(key, text);
    log_error("%s", diag.text);
    log_error("%s knows you as %s now; once that is mended, run: msgctl trust %s %s",
              run->trust.name, join->you, run->trust.shown, text);
    return CTL_FAILED;
}

/* The line for an answer that only join can explain; LINES: what run_failure() says will do. */
static enum line explain(const struct exchange *exchange, const struct join *join,
                         const struct invitation *invitation)
{
    const struct call_result *result = &exchange->result;
    bool error = result->outcome == CALL_ERROR;

    if (result->outcome == CALL_KEY_REFUSED)
        return LINE_INVITE_OTHER_HOST;
    if (error && join->known)
        return LINE_INVITE_NOT_NEEDED;
    if (error && strcmp(result->code, "unauthorized") == 0)
        return LINE_INVITE_NOT_OFFERED;
    if (error && strcmp(result->code, "invite-invalid") == 0 && time(NULL) > invitation->until)
        return LINE_INVITE_LATE;
    return LINES;
}

static int fail(struct run *run, const struct exchange *exchange, const struct join *join,
                const struct invitation *invitation)
{
    enum line line = explain(exchange, join, invitation);
    char key[KEY_TEXT_LEN + 1], until[64];
    time_t at = (time_t)invitation->until;
    struct tm parts;

    if (run->signal != 0 || line == LINES)
        return run_failure(run, exchange, false, NULL);
    key_format(&invitation->host, key);
    size_t len = localtime_r(&at, &parts) ? strftime(until, sizeof(until), "%F %H:%M", &parts) : 0;
    speak(&run->speaker, line,
          &(struct line_fields){.address = slice_of(exchange->result.address),
                                .user = slice_of(join->you),
                                .key = slice_of(line == LINE_INVITE_NOT_NEEDED ? key : run->key),
                                .at = {until, len}});
    return CTL_NO_SERVER;
}

/* ---- the call -------------------------------------------------------------------------------- */

/* A host that is known by another key stays so, whatever an invitation says. */
static int check_pin(struct run *run, const struct invitation *invitation)
{
    struct exchange never = {.result = {.outcome = CALL_KEY_REFUSED, .key = invitation->host}};
    const struct slice_list nothing = {NULL, 0};

    if (trust_judge_host(&run->trust, &invitation->host, &nothing) != CALL_UNTRUSTED)
        return CTL_OK;
    return run_failure(run, &never, false, NULL);
}

static int enrol(const struct ctl *ctl, struct run *run, const struct invitation *invitation)
{
    struct join join = {.known = false};
    struct enrol_key key;
    struct exchange exchange = {.message = on_message,
                                .context = &join,
                                .give_up_ms = LIM_HANDSHAKE,
                                .only = &invitation->host,
                                .invited = &key};
    const struct msg request = {.type = MSG_ENROL,
                                .u.enrol.id = {(const char *)invitation->id, ENROL_ID}};

    enrol_derive(invitation->id, invitation->secret, &key);
    run_exchange(run, &exchange, &request);
    sodium_memzero(&key, sizeof(key));
    if (run->signal != 0 || exchange.result.outcome != CALL_RESULT)
        return fail(run, &exchange, &join, invitation);
    return pin(ctl, run, &join, &invitation->host);
}

int ctl_join(const struct ctl *ctl)
{
    static struct run run;
    struct invitation invitation;
    int status = ctl_begin(ctl, ctl->words[0], &run);

    status = status == CTL_OK ? read_invitation(ctl->words[0], &invitation) : status;
    status = status == CTL_OK ? check_pin(&run, &invitation) : status;
    status = status == CTL_OK ? enrol(ctl, &run, &invitation) : status;
    sodium_memzero(&invitation, sizeof(invitation));
    run_end(&run);
    return status;
}
