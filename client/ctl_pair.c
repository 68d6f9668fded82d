/* SPDX-License-Identifier: MIT */
/*
 * msgctl pair: ssh, which both ends trust already, brings our key to a host and its key to us.
 * There it is the user's own msgctl that lets our key count as him; here the host's key is kept
 * under the name that was typed. Nothing of ssh's own is weakened, and no secret passes.
 */
#include "client/ctl_server.h"
#include "client/ctl_tcp.h"
#include "client/json.h"
#include "client/pair_answer.h"
#include "client/server.h"
#include "client/tool.h"
#include "common/known_hosts.h"
#include "common/log.h"
#include "common/text.h"

#include <signal.h>

#define REMOTE "msgctl authorize --self - --json"
#define TO_SSH 384 /* user@host */

struct pair {
    const struct ctl *ctl;
    struct run run;
    const char *host;    /* as typed, without the user */
    char target[TO_SSH]; /* for ssh; fit for a shell, too */
    struct pair_answer answer;
    char name[TEXT_ESCAPED(256)]; /* the host's, for lines */
    char you[TEXT_ESCAPED(256)];  /* as the host has greeted us */
};

/* ---- who and where --------------------------------------------------------------------------- */

static int take_words(struct pair *pair)
{
    const char *word = pair->ctl->words[0], *at = strrchr(word, '@');
    const struct call_server *server = &pair->run.server;
    size_t user = at ? (size_t)(at - word) : 0;
    int len;

    if (at && (user > 200 || !pair_is_plain((struct slice){word, user}, "._-+@"))) {
        log_error("not a user's name that can be given to ssh: %.*s", (int)user, word);
        return CTL_USAGE;
    }
    pair->host = at ? at + 1 : word;
    if (pair->host[0] == '\0') {
        log_error("pair wants a host: [USER@]HOST");
        return CTL_USAGE;
    }
    int status = ctl_begin(pair->ctl, pair->host, &pair->run);
    if (status != CTL_OK)
        return status;
    len = snprintf(pair->target, sizeof(pair->target), "%.*s%s%s", (int)user, word, at ? "@" : "",
                   server->host);
    if (!pair_is_plain(slice_of(server->host), "._-:%") || len < 0 ||
        (size_t)len >= sizeof(pair->target)) {
        log_error("not a host that can be given to ssh: %s", server->host);
        return CTL_USAGE;
    }
    text_escape(slice_of(pair->host), TEXT_ONE_LINE, pair->name, sizeof(pair->name));
    return CTL_OK;
}

/* ---- what is left undone --------------------------------------------------------------------- */

static char undone[1024];
static size_t undone_len;

static void prepare_undone(const struct pair *pair)
{
    int len =
        snprintf(undone, sizeof(undone),
                 "\nmsgctl: interrupted. Whether %s has taken your key is not known; run the same "
                 "command again, or take it back: ssh %s msgctl revoke --self %s\n",
                 pair->name, pair->target, pair->run.key);

    undone_len = len > 0 && (size_t)len < sizeof(undone) ? (size_t)len : 0;
}

static void on_interrupt(int number)
{
    (void)!write(STDERR_FILENO, undone, undone_len);
    _exit(128 + number);
}

static void tell_half(const struct pair *pair)
{
    log_error("%s has taken your key all the same; to take it back: ssh %s msgctl revoke --self %s",
              pair->name, pair->target, pair->run.key);
}

/* ---- by ssh ---------------------------------------------------------------------------------- */

static bool has_ssh(void)
{
    static const char *const argv[] = {"ssh", "-V", NULL};
    const struct tool tool = {.argv = argv, .timeout_ms = 5000, .quiet = true};
    char out[256];
    size_t len;

    return tool_run(&tool, out, sizeof(out), &len) != -ENOENT;
}

/* By the exit status: ssh's 255, a shell's 126 and 127, else msgctl's own. */
static int tell_ssh(const struct pair *pair, int r)
{
    const char *host = pair->name;

    if (r == 255)
        log_error("ssh cannot log in to %s, as it says above; this must work first: ssh %s true",
                  host, pair->target);
    else if (r == -ENOENT || r == 126)
        log_error("msgctl is not installed on %s, or not in the PATH that ssh finds there; its "
                  "administrator can install msg",
                  host);
    else if (r == CTL_USAGE)
        log_error("msgctl on %s is of another version than this one, which is " PACKAGE_VERSION
                  ", and does not know authorize --self; bring both up to date",
                  host);
    else if (r == CTL_NO_SERVER)
        log_error(
            "that was msgctl on %s: its msgd does not answer; its administrator can run there: "
            "systemctl enable --now msgd.socket",
            host);
    else if (r == CTL_FAILED)
        log_error("that was msgctl on %s: it has not taken your key %s", host, pair->run.key);
    else
        log_error(
            "ssh to %s was ended before it was done; run the same command again, or take your "
            "key back: ssh %s msgctl revoke --self %s",
            host, pair->target, pair->run.key);
    return CTL_NO_SERVER;
}

static int judge_answer(struct pair *pair, struct slice printed)
{
    if (pair_answer_read(printed, &pair->answer) &&
        key_equal(&pair->answer.key, &pair->run.identity->public))
        return CTL_OK;
    log_error(
        "what %s answers by ssh is not msgctl's: another version may be installed there, or its "
        "login prints something else; look at: ssh %s msgctl --version",
        pair->name, pair->target);
    log_error("if your key was taken there, this takes it back: ssh %s msgctl revoke --self %s",
              pair->target, pair->run.key);
    return CTL_NO_SERVER;
}

/* `--` and the checks above keep what was typed from being an option of ssh's. */
static int bring_key(struct pair *pair)
{
    const char *const argv[] = {"ssh", "-T", "--", pair->target, REMOTE, NULL};
    static char out[PAIR_ANSWER], input[KEY_TEXT_LEN + 2];
    const struct sigaction interrupted = {.sa_handler = on_interrupt};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before[3];
    size_t len = 0;

    if (!has_ssh()) {
        log_error("there is no ssh on this computer; install openssh-client, or type on %s: %s %s",
                  pair->name, "msgctl authorize --self", pair->run.key);
        return CTL_FAILED;
    }
    snprintf(input, sizeof(input), "%s\n", pair->run.key);
    const struct tool tool = {.argv = argv, .input = slice_of(input), .timeout_ms = -1};
    prepare_undone(pair);
    for (int i = 0; i < 3; i++) {
        sigaction(signals[i], &interrupted, &before[i]);
        if (before[i].sa_handler == SIG_IGN) /* by nohup */
            sigaction(signals[i], &before[i], NULL);
    }
    int r = tool_run(&tool, out, sizeof(out), &len);
    for (int i = 0; i < 3; i++)
        sigaction(signals[i], &before[i], NULL);
    if (r != 0 && r != -EFBIG)
        return tell_ssh(pair, r);
    return judge_answer(pair, (struct slice){out, r == 0 ? len : 0});
}

/* ---- the pin --------------------------------------------------------------------------------- */

/* Where msgd listens on another port than was typed, that is part of the name. */
static int take_port(struct pair *pair)
{
    struct call_server *server = &pair->run.server;
    char named[sizeof(server->host) + sizeof("[]:65535")];
    const char *error;

    if (pair->answer.port == 0 || server->port != CALL_PORT || pair->answer.port == CALL_PORT)
        return CTL_OK;
    snprintf(named, sizeof(named), strchr(server->host, ':') ? "[%s]:%u" : "%s:%u", server->host,
             pair->answer.port);
    if (!server_parse(named, server, &error))
        return CTL_USAGE;
    memcpy(pair->run.host, server->name, sizeof(pair->run.host));
    pair->run.speaker.base.host = slice_of(pair->run.host);
    trust_host_init(&pair->run.trust, server, pair->run.paths.known_hosts);
    text_escape(slice_of(server->name), TEXT_ONE_LINE, pair->name, sizeof(pair->name));
    return CTL_OK;
}

static int pin(struct pair *pair)
{
    struct run *run = &pair->run;
    const struct slice_list nothing = {NULL, 0};
    struct exchange never = {.result = {.outcome = CALL_KEY_REFUSED, .key = pair->answer.host}};
    struct diag diag;

    switch (trust_judge_host(&run->trust, &pair->answer.host, &nothing)) {
    case CALL_TRUSTED:
        return CTL_OK;
    case CALL_UNTRUSTED:
        run_failure(run, &never, false, NULL);
        tell_half(pair);
        return CTL_NO_SERVER;
    case CALL_ASK:
        break;
    }
    if (known_hosts_append(run->paths.known_hosts, run->trust.name, &pair->answer.host, &diag) == 0)
        return CTL_OK;
    log_error("%s", diag.text);
    tell_half(pair);
    return CTL_FAILED;
}

/* ---- trying it ------------------------------------------------------------------------------- */

static void on_message(void *context, const struct msg *msg)
{
    struct pair *pair = context;

    if (msg->type == MSG_WELCOME)
        text_escape(msg->u.welcome.you, TEXT_ONE_LINE, pair->you, sizeof(pair->you));
}

/* What to type: never a word of the host's that a shell could take for more than a name. */
static const char *receiver(const struct pair *pair)
{
    return pair_is_plain(slice_of(pair->answer.user), "._-") ? pair->answer.user : "USER";
}

static void tell_unreached(const struct pair *pair, const struct call_result *result)
{
    unsigned port = pair->run.server.port;

    if (result->outcome == CALL_KEY_REFUSED)
        log_error("ssh and msg do not reach the same host by the name %s", pair->name);
    else if (result->outcome == CALL_UNREACHABLE && result->error == -ECONNREFUSED)
        log_error("msgd there listens on port %u of another address, or its firewall refuses; its "
                  "administrator can look: ss -ltn sport = :%u",
                  port, port);
    else if (result->outcome == CALL_TIMED_OUT || result->outcome == CALL_UNREACHABLE)
        log_error("msg needs a way of its own to %s, TCP port %u; if only your ssh knows the name "
                  "(~/.ssh/config), give msg.conf an [alias] for its address",
                  pair->name, port);
    log_error("the keys are exchanged; once that is mended: msg %s /SERVER:%s hello",
              receiver(pair), pair->name);
}

static void print_json(const struct pair *pair, bool reached)
{
    const struct run *run = &pair->run;
    char key[KEY_TEXT_LEN + 1];

    key_format(&pair->answer.host, key);
    json_open(stdout);
    json_string(stdout, "host", slice_of(run->server.name));
    json_string(stdout, "host_key", slice_of(key));
    json_string(stdout, "user", slice_of(pair->answer.user));
    json_string(stdout, "result", slice_of(pair->answer.result));
    json_string(stdout, "file", slice_of(run->paths.known_hosts));
    json_bool(stdout, "listens", pair->answer.port != 0);
    json_bool(stdout, "reached", reached);
    json_close(stdout);
}

static void print_words(const struct pair *pair)
{
    char user[TEXT_ESCAPED(LIM_NAME)];

    text_escape(slice_of(pair->answer.user), TEXT_ONE_LINE, user, sizeof(user));
    if (strcmp(pair->answer.result, "listed") == 0)
        printf("%s and this computer know each other: its administrator lists your key as %s\n",
               pair->name, pair->you);
    else
        printf(
            "%s and this computer know each other: your key counts as %s there, and may do what %s "
            "may\n",
            pair->name, user, user);
    printf("Try it:\n  msg %s /SERVER:%s hello\n", receiver(pair), pair->name);
}

static int not_listening(const struct pair *pair)
{
    if (pair->ctl->json)
        print_json(pair, false);
    log_error("the keys are exchanged, but msgd on %s does not listen for other hosts yet; its "
              "administrator can run there: " CTL_TCP_ON,
              pair->name);
    log_error("then try it: msg %s /SERVER:%s hello", receiver(pair), pair->name);
    return CTL_NO_SERVER;
}

static int try_it(struct pair *pair)
{
    struct exchange exchange = {.message = on_message, .context = pair};
    const struct msg request = {.type = MSG_PING};

    if (pair->answer.port == 0)
        return not_listening(pair);
    run_exchange(&pair->run, &exchange, &request);
    bool reached = pair->run.signal == 0 && exchange.result.outcome == CALL_RESULT;
    if (pair->ctl->json)
        print_json(pair, reached);
    else if (reached)
        print_words(pair);
    if (reached)
        return CTL_OK;
    int status = run_failure(&pair->run, &exchange, false, NULL);
    tell_unreached(pair, &exchange.result);
    return status;
}

int ctl_pair(const struct ctl *ctl)
{
    static struct pair pair;
    int status;

    pair.ctl = ctl;
    status = take_words(&pair);
    if (status == CTL_OK && pair.run.trust.broken) {
        log_error("%s", pair.run.trust.diag.text);
        status = CTL_FAILED;
    }
    status = status == CTL_OK ? bring_key(&pair) : status;
    status = status == CTL_OK ? take_port(&pair) : status;
    status = status == CTL_OK ? pin(&pair) : status;
    status = status == CTL_OK ? try_it(&pair) : status;
    run_end(&pair.run);
    return status;
}
