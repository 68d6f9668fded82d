/* SPDX-License-Identifier: MIT */
#include "client/ctl_self.h"

#include "client/ctl_server.h"
#include "client/ctl_tcp.h"
#include "client/json.h"
#include "common/log.h"
#include "common/text.h"

#define GRANTED_STRING 256

/* What msgd answered, copied out of its frame. */
struct self {
    const struct ctl *ctl;
    char did[GRANTED_STRING], user[GRANTED_STRING], rights[GRANTED_STRING];
    char host[KEY_TEXT_LEN + 1]; /* empty: none */
    unsigned port;
    uint64_t most;
    size_t n_keys;
};

static void format_key(struct slice bytes, char out[static KEY_TEXT_LEN + 1])
{
    struct noise_public key;

    memcpy(key.bytes, bytes.ptr, sizeof(key.bytes)); /* the decoder has looked at its size */
    key_format(&key, out);
}

/* ---- the list -------------------------------------------------------------------------------- */

static void print_key(const struct self *self, const struct msg_own *own)
{
    char key[KEY_TEXT_LEN + 1], why[TEXT_ESCAPED(LIM_CODE)];

    format_key(own->key, key);
    if (self->ctl->json) {
        json_open(stdout);
        json_string(stdout, "key", slice_of(key));
        json_string(stdout, "user", slice_of(self->user));
        json_string(stdout, "why", own->why);
        json_close(stdout);
        return;
    }
    text_escape(own->why, TEXT_ONE_LINE, why, sizeof(why));
    printf("%s%s%s%s\n", key, own->why.len ? " (does not count: " : "", why,
           own->why.len ? ")" : "");
}

static void on_message(void *context, const struct msg *msg)
{
    struct self *self = context;
    const struct msg_granted *granted = &msg->u.granted;

    if (msg->type != MSG_GRANTED)
        return;
    slice_copy(self->did, sizeof(self->did), granted->did);
    slice_copy(self->user, sizeof(self->user), granted->user);
    slice_copy(self->rights, sizeof(self->rights), granted->perm);
    if (granted->host.len > 0)
        format_key(granted->host, self->host);
    self->port = (unsigned)granted->port;
    self->most = granted->most;
    self->n_keys = granted->keys.n;
    for (size_t i = 0; i < granted->keys.n && self->ctl->given[CTL_LIST]; i++)
        print_key(self, &granted->keys.items[i]);
}

/* ---- what went wrong ------------------------------------------------------------------------- */

/* The administrator's way, where a user's own is closed. */
static void tell_forbidden(const struct run *run, const char *reason, const char *key)
{
    if (geteuid() == 0) {
        log_error(
            "keys do not count as root; run this as yourself, or let the owner of a key in by "
            "name: msgctl authorize --all --who --override %s NAME",
            key);
        return;
    }
    log_error("msgd does not take a key of your own: %s", reason);
    log_error("this host's administrator can run: msgctl authorize %s %s; or set own_keys, see "
              "msgd.conf(5)",
              key, run->me);
}

static int tell_too_often(const struct call_result *result)
{
    log_error("you have asked msgd too often; try again in %llu s",
              (unsigned long long)(result->retry_ms + 999) / 1000);
    return CTL_NO_SERVER;
}

/* False: it is none of GRANT's own. */
static bool tell(const struct run *run, const struct call_result *result, const char *key)
{
    char reason[TEXT_ESCAPED(LIM_NOTE)];
    const char *code = result->outcome == CALL_ERROR ? result->code : "";

    text_escape(slice_of(result->message), TEXT_ONE_LINE, reason, sizeof(reason));
    if (strcmp(code, "forbidden") == 0)
        tell_forbidden(run, reason, key);
    else if (strcmp(code, "too-many") == 0)
        log_error(
            "you have as many keys of your own here as you may; to list them: msgctl authorize "
            "--self --list; to take one back: msgctl revoke --self KEY");
    else if (strcmp(code, "conflict") == 0)
        log_error("another user of this host has authorized that key already; if it is yours, its "
                  "administrator can run: msgctl authorize %s %s",
                  key, run->me);
    else if (strcmp(code, "revoked") == 0)
        log_error("%s is revoked on this host; on the other computer, move ~/.config/msg/identity "
                  "out of the way: msgctl key makes another",
                  key);
    else if (strcmp(code, "no-target") == 0)
        log_error(
            "you have no such key of your own here: %s; to list them: msgctl authorize --self "
            "--list",
            key);
    else if (strcmp(code, "internal") == 0)
        log_error("msgd could not do it (%s); its log says why: journalctl -u msgd", reason);
    else if (strcmp(code, "unsupported") == 0)
        log_error(
            "the msgd that runs here is older than this msgctl and knows no keys of one's own; "
            "once both are of one version: systemctl restart msgd");
    return *code && strcmp(code, "busy") != 0 && strcmp(code, "shutting-down") != 0 &&
           strcmp(code, "unauthorized") != 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/*
 * An exit status; *ret_self is filled with CTL_OK. key: what the request names, for what is said.
 */
static int ask(const struct ctl *ctl, const struct msg *request, const char *key, struct run *run,
               struct self *ret_self)
{
    struct exchange exchange = {
        .message = on_message, .context = ret_self, .give_up_ms = LIM_HANDSHAKE};
    int status = ctl_begin(ctl, NULL, run);

    *ret_self = (struct self){.ctl = ctl};
    if (status != CTL_OK)
        return status;
    run_exchange(run, &exchange, request);
    if (run->signal == 0 && exchange.result.outcome == CALL_RESULT)
        return CTL_OK;
    if (run->signal == 0 && exchange.result.outcome == CALL_ERROR &&
        strcmp(exchange.result.code, "rate-limited") == 0)
        return tell_too_often(&exchange.result);
    if (run->signal == 0 && tell(run, &exchange.result, key))
        return CTL_FAILED;
    return run_failure(run, &exchange, false, NULL);
}

static bool only(const struct ctl *ctl, unsigned allowed)
{
    for (size_t i = 0; i < CTL_OPTIONS; i++) {
        if (ctl->given[i] && !(allowed & 1u << i)) {
            log_error(
                "with --self only --list, --socket and --json go: the key has your own rights");
            return false;
        }
    }
    return true;
}

#define BIT(ID) (1u << CTL_##ID)
#define ALWAYS  (BIT(SELF) | BIT(SOCKET) | BIT(JSON))

/* The key as it was typed, or, for `-` or nothing, the first line of standard input. */
static int read_key(const struct ctl *ctl, struct noise_public *ret_key)
{
    const char *word = ctl->n_words > 0 ? ctl->words[0] : "-";
    char line[256] = "";

    if (strcmp(word, "-") == 0) {
        if (isatty(STDIN_FILENO))
            fputs("Key of your other computer (there: msgctl key): ", stderr);
        if (!fgets(line, sizeof(line), stdin))
            line[0] = '\0';
        word = line + strspn(line, " \t");
        line[strcspn(line, "\r\n")] = '\0';
    }
    struct slice text = slice_of(word);
    while (text.len && strchr(" \t", text.ptr[text.len - 1]))
        text.len--;
    if (key_parse(text, ret_key) == 0)
        return CTL_OK;
    log_error("that is no key of msg's, x25519: and 43 characters; the other computer tells it: "
              "msgctl key");
    return CTL_USAGE;
}

/* ---- authorize --self ------------------------------------------------------------------------ */

static void print_json(const struct run *run, const struct self *self, const char *key)
{
    json_open(stdout);
    json_string(stdout, "key", slice_of(key));
    json_string(stdout, "result", slice_of(self->did));
    json_string(stdout, "user", slice_of(self->user));
    json_string(stdout, "rights", slice_of(self->rights));
    json_string(stdout, "host", slice_of(run->host));
    json_string(stdout, "host_key", slice_of(self->host));
    json_number(stdout, "port", self->port);
    json_close(stdout);
}

static void print_words(const struct run *run, const struct self *self, const char *key)
{
    char host[TEXT_ESCAPED(256)], user[TEXT_ESCAPED(GRANTED_STRING)], port[16] = "";

    text_escape(slice_of(run->host), TEXT_ONE_LINE, host, sizeof(host));
    text_escape(slice_of(self->user), TEXT_ONE_LINE, user, sizeof(user));
    if (self->port != 0 && self->port != CALL_PORT)
        snprintf(port, sizeof(port), ":%u", self->port);
    if (strcmp(self->did, "listed") == 0)
        printf("%s stands in authorized_keys of %s: what its administrator says there counts\n",
               key, host);
    else
        printf("%s counts as %s on %s from now on\n", key, user, host);
    printf("On the other computer, type\n  msgctl trust %s%s %s\n  msg %s /SERVER:%s%s hello\n",
           host, port, self->host, user, host, port);
    if (self->port == 0)
        log_notice("no other host can reach msgd here yet; its administrator can run: " CTL_TCP_ON);
}

static int add(const struct ctl *ctl)
{
    static struct run run;
    struct noise_public key;
    struct self self;
    char text[KEY_TEXT_LEN + 1];
    int status = read_key(ctl, &key);

    if (status != CTL_OK)
        return status;
    key_format(&key, text);
    const struct msg request = {.type = MSG_GRANT,
                                .u.grant.add = {(const char *)key.bytes, sizeof(key.bytes)}};
    status = ask(ctl, &request, text, &run, &self);
    if (status == CTL_OK && ctl->json)
        print_json(&run, &self, text);
    else if (status == CTL_OK)
        print_words(&run, &self, text);
    run_end(&run);
    return status;
}

static int list(const struct ctl *ctl)
{
    static struct run run;
    struct self self;
    const struct msg request = {.type = MSG_GRANT};
    int status = ask(ctl, &request, "", &run, &self);

    if (status == CTL_OK && self.n_keys == 0)
        log_notice("you have authorized no key of your own on this host");
    run_end(&run);
    return status;
}

int ctl_self_authorize(const struct ctl *ctl)
{
    if (!only(ctl, ALWAYS | BIT(LIST)))
        return CTL_USAGE;
    if (ctl->n_words > (ctl->given[CTL_LIST] ? 0 : 1)) {
        log_error("authorize --self wants: %s",
                  ctl->given[CTL_LIST] ? "--list alone" : "a KEY, and no name: it counts as you");
        return CTL_USAGE;
    }
    return ctl->given[CTL_LIST] ? list(ctl) : add(ctl);
}

/* ---- revoke --self --------------------------------------------------------------------------- */

int ctl_self_revoke(const struct ctl *ctl)
{
    static struct run run;
    struct noise_public key;
    struct self self;
    char text[KEY_TEXT_LEN + 1];
    int status = only(ctl, ALWAYS) ? read_key(ctl, &key) : CTL_USAGE;

    if (status != CTL_OK)
        return status;
    key_format(&key, text);
    const struct msg request = {.type = MSG_GRANT,
                                .u.grant.take = {(const char *)key.bytes, sizeof(key.bytes)}};
    status = ask(ctl, &request, text, &run, &self);
    if (status == CTL_OK && ctl->json) {
        json_open(stdout);
        json_string(stdout, "key", slice_of(text));
        json_string(stdout, "result", slice_of(self.did));
        json_close(stdout);
    } else if (status == CTL_OK) {
        printf("%s does not count as you any more; its connections are ended\n", text);
    }
    run_end(&run);
    return status;
}
