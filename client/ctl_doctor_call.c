/* SPDX-License-Identifier: MIT */
/* msgctl doctor: what the host itself answers, from its first byte to who is logged in. */
#include "client/ctl_doctor.h"
#include "client/server.h"
#include "common/mem.h"

#include <time.h>

static void on_welcome(void *context, const struct msg *msg)
{
    struct patient *patient = context;
    const struct msg_welcome *welcome = &msg->u.welcome;

    if (msg->type != MSG_WELCOME)
        return;
    patient->welcome = true;
    patient->version = welcome->v;
    slice_copy(patient->name, sizeof(patient->name), welcome->name);
    slice_copy(patient->you, sizeof(patient->you), welcome->you);
}

/* One call tells what several checks want to know. False: a signal came. */
static bool call(struct patient *patient, struct finding *finding)
{
    const struct msg request = {.type = MSG_PING};

    patient->ping = (struct exchange){.message = on_welcome, .context = patient};
    run_start(patient->run, &patient->ping, &request);
    run_wait(patient->run);
    if (patient->run->signal != 0)
        finding->state = CHECK_STOPPED;
    return patient->run->signal == 0;
}

static const char *cause_of(const struct call_result *result)
{
    return result->outcome == CALL_TIMED_OUT ? "no answer in 5 s" : print_cause(result->error);
}

/* ---- this host ------------------------------------------------------------------------------- */

/* Nobody answered at all. */
static bool is_silent(const struct call_result *result)
{
    return result->outcome == CALL_UNREACHABLE || result->outcome == CALL_TIMED_OUT ||
           result->outcome == CALL_NOT_MSGD || result->outcome == CALL_REFUSED;
}

void doctor_SOCKET(void *context, struct finding *finding)
{
    struct patient *patient = context;
    const char *path = patient->run->server.socket;
    const struct call_result *result = &patient->ping.result;

    if (!call(patient, finding))
        return;
    if (!is_silent(result)) {
        check_ok(finding, "%s", path);
        return;
    }
    if (result->outcome == CALL_NOT_MSGD || result->outcome == CALL_REFUSED)
        check_fail(finding, "%s: what answers is not this msgd, or too old or new", path);
    else
        check_fail(finding, "%s: %s", path, cause_of(result));
    if (strcmp(path, SERVER_SOCKET) != 0)
        check_mend(finding, "msgd-present --with-msgd --socket %s", path);
    else if (result->outcome == CALL_UNREACHABLE)
        check_mend_as_root(finding, "systemctl restart msgd.socket");
    else
        check_mend_as_root(finding, "systemctl restart msgd.service");
}

void doctor_SERVER(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    const char *path = patient->run->server.socket;
    const struct call_result *result = &patient->ping.result;

    if (result->outcome != CALL_BAD_SERVER) {
        check_ok(finding, "run by root, by _msgd, or by you");
        return;
    }
    check_fail(finding, "runs as uid %u, not as root or _msgd: it is not believed%s",
               (unsigned)result->uid,
               result->uid == 65534 ? "; another user namespace, such as a container's?" : "");
    if (strcmp(path, SERVER_SOCKET) == 0)
        check_mend_as_root(finding, "systemctl restart msgd.socket");
    else
        check_mend(finding, "env -u MSG_SOCKET msgctl doctor");
}

/* ---- another host ---------------------------------------------------------------------------- */

static bool has_key(const struct call_result *result)
{
    static const struct noise_public none;

    return !key_equal(&result->key, &none);
}

static void tell_refusal(const struct patient *patient, struct finding *finding,
                         const struct peer_refusal *refusal)
{
    if (refusal->code == PEER_REFUSE_BUSY) {
        check_fail(finding, "%s is busy; it asks for %u s", patient->host,
                   (unsigned)refusal->wait_s);
        check_mend(finding, "sleep %u; msgctl doctor %s",
                   refusal->wait_s > 0 ? (unsigned)refusal->wait_s : 1, patient->host);
    } else if (refusal->code == PEER_REFUSE_VERSION) {
        check_fail(finding, "%s speaks the versions %u to %u of the protocol, and msgctl 1",
                   patient->host, (unsigned)refusal->lowest, (unsigned)refusal->highest);
    } else {
        check_fail(finding, "%s refuses this kind of connection (code %u)", patient->host,
                   (unsigned)refusal->code);
    }
    if (!finding->mend[0])
        check_mend_there(finding, AS_ROOT, "make install enable");
}

void doctor_HANDSHAKE(void *context, struct finding *finding)
{
    struct patient *patient = context;
    const struct call_result *result = &patient->ping.result;
    unsigned port = patient->run->server.port;
    char key[KEY_TEXT_LEN + 1];

    if (!call(patient, finding))
        return;
    if (has_key(result)) {
        key_format(&result->key, key);
        check_ok(finding, "%s shows the key %s", result->address, key);
    } else if (result->outcome == CALL_REFUSED) {
        tell_refusal(patient, finding, &result->refusal);
    } else if (result->outcome == CALL_NOT_MSGD) {
        check_fail(finding, "what listens at %s is not msgd: %s", result->address,
                   verdict_of_call(result, &patient->run->server, false).words);
        check_mend_there(finding, AS_ROOT, "ss -ltnp sport = :%u", port);
    } else { /* systemd takes connections for a msgd that does not start */
        check_fail(finding, "%s takes the connection, and then: %s", result->address,
                   cause_of(result));
        check_mend_there(finding, AS_ROOT, "systemctl restart msgd.service");
    }
}

/* A pin that is to go, and the key that is to come; one's own goes before the system's. */
static void mend_pin(struct finding *finding, const struct trust_host *trust, const char *key)
{
    if (trust_is_systems(trust))
        check_mend(finding, "msgctl trust %s %s", trust->shown, key);
    else
        check_mend(finding, "msgctl untrust %s; msgctl trust %s %s", trust->shown, trust->shown,
                   key);
}

static void tell_distrust(struct finding *finding, const struct trust_host *trust, const char *key)
{
    static const char compare[] = "msgctl key show --host";

    if (trust->broken) {
        check_fail_diag(finding, &trust->diag);
    } else if (trust->revoked) {
        check_fail(finding, "%s is revoked (%s): that host needs a new key", key, trust->changed);
        check_mend_there(finding, AS_ROOT,
                         "mv /var/lib/msgd/host_key /var/lib/msgd/host_key.revoked && systemctl "
                         "restart msgd.service");
    } else if (trust->changed[0]) {
        check_fail(finding,
                   "HAS CHANGED: %s is not the key in %s. Somebody may be listening in: ask its "
                   "administrator what this prints there: %s. Only if it is the same key:",
                   key, trust->changed, compare);
        mend_pin(finding, trust, key);
    } else {
        check_fail(finding,
                   "not known: no line of known_hosts, no organisation's key and nothing that ssh "
                   "knows speaks for %s. If you can ssh there, type here: msgctl pair %s. Else "
                   "compare it with what this prints there: %s. If it is the same key:",
                   key, trust->shown, compare);
        check_mend(finding, "msgctl trust %s %s", trust->shown, key);
    }
}

void doctor_HOST_KEY(void *context, struct finding *finding)
{
    static const char *const BY[] = {
        [TRUST_BY_PIN] = "trusted by its line in known_hosts",
        [TRUST_BY_ORGANISATION] = "trusted by an organisation's key",
        [TRUST_BY_SSH] = "trusted by the host's ssh key, which your ssh knows",
    };
    const struct patient *patient = context;
    const struct trust_host *trust = &patient->run->trust;
    const struct call_result *result = &patient->ping.result;
    char key[KEY_TEXT_LEN + 1];

    key_format(&result->key, key);
    if (result->outcome == CALL_KEY_UNKNOWN || result->outcome == CALL_KEY_REFUSED)
        tell_distrust(finding, trust, key);
    else
        check_ok(finding, "%s (%s)", BY[trust->by], trust->where);
}

/* ---- who we are there ------------------------------------------------------------------------ */

static bool is_code(const struct call_result *result, const char *code)
{
    return result->outcome == CALL_ERROR && strcmp(result->code, code) == 0;
}

/* That he can mend himself. */
static void tell_ended(const struct run *run, struct finding *finding)
{
    time_t at = (time_t)run->endorsements.ended;
    struct tm parts;
    char day[16] = "";

    if (localtime_r(&at, &parts))
        strftime(day, sizeof(day), "%F", &parts);
    check_fail(
        finding,
        "%s does not know your key, and what endorsed it ended on %s. Have it signed anew, by "
        "who signed it, or by your ssh key:",
        run->server.name, day);
    check_mend(finding, "msgctl key endorse");
}

static void tell_key_refused(const struct run *run, struct finding *finding,
                             const struct call_result *result)
{
    if (is_code(result, "revoked")) {
        check_fail(finding, "%s has revoked your key; if you may have another, make one",
                   run->server.name);
        check_mend(finding, "mv %s %s.revoked && msgctl key make", run->paths.identity,
                   run->paths.identity);
        return;
    }
    if (run->endorsements.ended > 0 && is_code(result, "unauthorized")) {
        tell_ended(run, finding);
        return;
    }
    if (is_code(result, "expired")) /* what an administrator has ended is no user's to begin anew */
        check_fail(finding, "%s knew your key, until its last day", run->server.name);
    else
        check_fail(finding,
                   "%s does not know your key, nor who endorses it; if you can ssh there, type "
                   "here: msgctl pair %s. Else:",
                   run->server.name, run->server.name);
    check_mend_there(finding, AS_ROOT, "msgctl authorize %s %s", run->key, run->me);
}

void doctor_YOU(void *context, struct finding *finding)
{
    const struct patient *patient = context;
    const struct run *run = patient->run;
    const struct call_result *result = &patient->ping.result;
    char word[260];

    if (result->outcome == CALL_RESULT) {
        check_ok(finding, "%s knows you as %s", patient->name, patient->you);
    } else if (!run->server.local && (is_code(result, "unauthorized") ||
                                      is_code(result, "revoked") || is_code(result, "expired"))) {
        tell_key_refused(run, finding, result);
    } else if (is_code(result, "unauthorized")) {
        check_fail(finding, "msgd does not know who %s is", run->me);
        check_mend(finding, "getent passwd \"$(id -u)\"");
    } else if (is_code(result, "busy") || is_code(result, "rate-limited")) {
        check_fail(finding, "has no time for you now (%s)", result->code);
        check_mend(finding, "sleep %u; msgctl doctor%s", (unsigned)(result->retry_ms / 1000 + 1),
                   doctor_host_word(patient, word));
    } else {
        check_fail(finding, "ends the call: %s",
                   result->outcome == CALL_ERROR ? result->code : cause_of(result));
        check_mend_there(finding, AS_ROOT, "journalctl -u msgd.service -n 20");
    }
}

void doctor_VERSION(void *context, struct finding *finding)
{
    const struct patient *patient = context;

    check_ok(finding, "msgctl " PACKAGE_VERSION " speaks the protocol's version 1, msgd there %u",
             (unsigned)patient->version);
}

/* ---- who is logged in ------------------------------------------------------------------------ */

#define SESSIONS_TOLD 8

struct listing {
    size_t n, told;
    char text[900];
};

static void add(struct listing *listing, const struct msg_session *s)
{
    size_t len = strlen(listing->text), room = sizeof(listing->text) - len;
    struct slice why = s->by.len ? s->by : s->why;

    if (++listing->n > SESSIONS_TOLD || room < 120)
        return;
    int put = snprintf(listing->text + len, room, "%s%.*s on %.*s by %.*s%s%.*s%s",
                       listing->told ? ", " : "", (int)s->user.len, s->user.ptr, (int)s->name.len,
                       s->name.ptr, (int)s->reach.len, s->reach.ptr,
                       why.len ? (s->by.len ? " (left out for " : " (") : "", (int)why.len,
                       why.len ? why.ptr : "", why.len ? ")" : "");
    if (put >= (int)room)
        listing->text[len] = '\0'; /* not half of one */
    else
        listing->told++;
}

static void on_sessions(void *context, const struct msg *msg)
{
    const struct msg_session_list *who = &msg->u.events.who;

    for (size_t i = 0; msg->type == MSG_EVENT && i < who->n; i++)
        add(context, &who->items[i]);
}

static void tell_sessions(const struct patient *patient, struct finding *finding,
                          const struct listing *listing)
{
    char word[260];

    if (listing->n == 0)
        check_ok(finding, "nobody is logged in");
    else if (listing->told == listing->n)
        check_ok(finding, "%s", listing->text);
    else
        check_ok(finding, "%s and %zu more: msgctl sessions%s", listing->text,
                 listing->n - listing->told, doctor_host_word(patient, word));
}

static void tell_no_sessions(const struct patient *patient, struct finding *finding,
                             const struct call_result *result)
{
    const struct run *run = patient->run;

    if (is_code(result, "forbidden") && run->server.local) {
        check_skip(finding, "%s may not ask who is logged in on this host", run->me);
    } else if (is_code(result, "forbidden")) {
        check_skip(finding,
                   "you may not ask who is logged in there, and may send to single users all the "
                   "same; root there can let you: msgctl authorize --who %s %s",
                   run->key, run->me);
    } else if (is_code(result, "no-presenter")) {
        check_fail(finding, "msgd has lost msgd-present, which shows messages");
        check_mend_there(finding, AS_ROOT, DOCTOR_RESTART_PRESENTER);
    } else {
        check_fail(finding, "no answer to the question who is logged in: %s",
                   result->outcome == CALL_ERROR ? result->code : cause_of(result));
        check_mend_there(finding, AS_ROOT, "journalctl -u msgd.service -n 20");
    }
}

void doctor_SESSIONS(void *context, struct finding *finding)
{
    struct patient *patient = context;
    struct listing listing = {.n = 0};
    const struct msg request = {.type = MSG_WHO};
    struct exchange who = {
        .message = on_sessions, .context = &listing, .give_up_ms = LIM_HANDSHAKE};

    run_start(patient->run, &who, &request);
    run_wait(patient->run);
    if (patient->run->signal != 0)
        finding->state = CHECK_STOPPED;
    else if (who.result.outcome == CALL_RESULT)
        tell_sessions(patient, finding, &listing);
    else
        tell_no_sessions(patient, finding, &who.result);
}
