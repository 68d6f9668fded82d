/* SPDX-License-Identifier: MIT */
#include "client/trust.h"

#include "common/endorsement.h"
#include "common/keys.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/text.h"

#include <fcntl.h>
#include <strings.h>
#include <time.h>

#define TRIES 3

void trust_host_init(struct trust_host *trust, const struct call_server *server, const char *file)
{
    *trust = (struct trust_host){.shown = server->name, .files = {file, SYSTEM_KNOWN_HOSTS}};
    if (known_host_name(trust->name, server->host, server->port) < 0) {
        trust->broken = true;
        diag_set(&trust->diag, -EINVAL, "%s: no name a key could be kept for", server->host);
    }
    for (size_t i = 0; server->host[i] && i + 1 < sizeof(trust->host); i++)
        trust->host[i] =
            (char)(server->host[i] >= 'A' && server->host[i] <= 'Z' ? server->host[i] + 'a' - 'A'
                                                                    : server->host[i]);
}

/* What says so first counts. */
static void believe(struct trust_host *trust, enum trust_by by, const char *file, size_t line)
{
    if (trust->by != TRUST_BY_NOTHING)
        return;
    trust->by = by;
    snprintf(trust->where, sizeof(trust->where), "%s:%zu", file, line);
}

static enum known_host look_up(struct trust_host *trust, const struct noise_public *key)
{
    struct known_host_match match = {.verdict = KNOWN_HOST_UNKNOWN};

    if (trust->broken)
        return KNOWN_HOST_UNKNOWN;
    if (known_hosts_lookup(trust->files, trust->name, key, &match, &trust->diag) < 0) {
        trust->broken = true;
        return KNOWN_HOST_UNKNOWN;
    }
    if (match.verdict == KNOWN_HOST_CHANGED)
        snprintf(trust->changed, sizeof(trust->changed), "%s:%zu", match.file, match.line);
    if (match.verdict == KNOWN_HOST_TRUSTED)
        believe(trust, TRUST_BY_PIN, match.file, match.line);
    return match.verdict;
}

/* ---- what endorses a key --------------------------------------------------------------------- */

static bool is_marked(struct trust_host *trust, enum known_host_mark mark,
                      const struct any_key *key)
{
    struct known_host_match match;
    int r = known_hosts_marked(trust->files, mark, trust->host, key, &match, &trust->diag);

    if (r < 0)
        trust->broken = true;
    if (r > 0 && mark == KNOWN_HOST_REVOKED)
        snprintf(trust->changed, sizeof(trust->changed), "%s:%zu", match.file, match.line);
    if (r > 0 && mark == KNOWN_HOST_CA)
        believe(trust, TRUST_BY_ORGANISATION, match.file, match.line);
    return r > 0;
}

static bool is_revoked(struct trust_host *trust, const struct any_key *key)
{
    trust->revoked |= is_marked(trust, KNOWN_HOST_REVOKED, key);
    return trust->revoked;
}

/* An entry that says something about this key, now, and is signed. */
static bool read_entry(struct slice entry, const struct noise_public *key,
                       struct endorsed *ret_endorsed)
{
    const char *reason;

    return endorsement_open(entry, ret_endorsed, &reason) == 0 &&
           ret_endorsed->is.kind == ENDORSEMENT_HOST && key_equal(&ret_endorsed->is.key, key) &&
           endorsement_time(&ret_endorsed->is, (int64_t)time(NULL)) == 0 &&
           endorsement_verify(ret_endorsed, NULL);
}

/* Whoever endorses it could be one that ssh has as revoked. */
static bool is_unsure(struct trust_host *trust)
{
    if (trust->ssh_fault.text[0]) {
        trust->broken = true;
        trust->diag = trust->ssh_fault;
    }
    return trust->broken;
}

/* The name is the organisation's to say; by ssh it is proved by the look-up. */
static bool is_vouched(struct trust_host *trust, const struct endorsed *endorsed)
{
    const struct any_key signer = any_key_ssh(&endorsed->sig.key);
    const struct ssh_host_line *line = NULL;
    enum ssh_host_verdict ssh = ssh_hosts_judge(&trust->ssh, &endorsed->sig.key, &line);

    if (ssh == SSH_HOST_REVOKED) {
        trust->revoked = true;
        snprintf(trust->changed, sizeof(trust->changed), "@revoked in the known_hosts of ssh");
    }
    if (trust->revoked || is_revoked(trust, &signer) || is_unsure(trust))
        return false;
    if (endorsement_names(&endorsed->is, slice_of(trust->host)) &&
        is_marked(trust, KNOWN_HOST_CA, &signer))
        return true;
    if (ssh == SSH_HOST_KNOWN)
        believe(trust, TRUST_BY_SSH, line->file, line->number);
    return ssh == SSH_HOST_KNOWN;
}

/* Every entry is looked at: one that is revoked outweighs another that is good. */
static bool is_endorsed(struct trust_host *trust, const struct noise_public *key,
                        const struct slice_list *end)
{
    struct endorsed endorsed;
    bool good = false;

    for (size_t i = 0; i < end->n; i++)
        if (read_entry(end->items[i], key, &endorsed))
            good |= is_vouched(trust, &endorsed);
    return good && !trust->revoked && !trust->broken;
}

void trust_ask_ssh(struct trust_host *trust)
{
    if (!trust->broken && !trust_has_name(trust))
        ssh_hosts_find(trust->host, &trust->ssh, &trust->ssh_fault);
}

enum call_judgement trust_judge_host(struct trust_host *trust, const struct noise_public *key,
                                     const struct slice_list *end)
{
    const struct any_key any = any_key_static(key);
    enum known_host verdict = look_up(trust, key);

    if (is_revoked(trust, &any) || trust->broken || verdict == KNOWN_HOST_CHANGED)
        return CALL_UNTRUSTED;
    if (verdict == KNOWN_HOST_TRUSTED || is_endorsed(trust, key, end))
        return CALL_TRUSTED;
    return trust->revoked || trust->broken ? CALL_UNTRUSTED : CALL_ASK;
}

bool trust_has_name(struct trust_host *trust)
{
    const struct noise_public nobodys = {{0}};

    return look_up(trust, &nobodys) != KNOWN_HOST_UNKNOWN;
}

/* ---- asking ---------------------------------------------------------------------------------- */

enum trust_answer trust_answer(const char *typed, const struct noise_public *key)
{
    struct slice word = slice_of(typed);
    struct noise_public pasted;

    while (word.len > 0 && strchr(" \t", word.ptr[0]))
        word = slice_from(word, 1);
    while (word.len > 0 && strchr(" \t\r\n", word.ptr[word.len - 1]))
        word.len--;
    if (word.len == 3 && strncasecmp(word.ptr, "yes", 3) == 0)
        return TRUST_ANSWER_YES;
    if (word.len == 2 && strncasecmp(word.ptr, "no", 2) == 0)
        return TRUST_ANSWER_NO;
    if (key_parse(word, &pasted) == 0)
        return key_equal(&pasted, key) ? TRUST_ANSWER_YES : TRUST_ANSWER_OTHER_KEY;
    return TRUST_ANSWER_AGAIN;
}

static void put_question(FILE *terminal, const struct trust_host *trust,
                         const struct call_result *result)
{
    char key[KEY_TEXT_LEN + 1], shown[TEXT_ESCAPED(256)];

    key_format(&result->key, key);
    text_escape(slice_of(trust->shown), TEXT_ONE_LINE, shown, sizeof(shown));
    fprintf(terminal,
            "The key of %s (%s) is not known here. It shows\n"
            "  %s\n"
            "Its administrator can tell you the right one: msgctl key show --host\n"
            "Who can ssh there says no, and needs nobody: msgctl pair %s\n",
            shown, result->address, key, shown);
}

static bool ask_at(FILE *terminal, const struct noise_public *key)
{
    char typed[256];

    for (int i = 0; i < TRIES; i++) {
        fputs("Trust this key (yes, no, or paste the right key)? ", terminal);
        fflush(terminal);
        if (!fgets(typed, sizeof(typed), terminal))
            return false;
        switch (trust_answer(typed, key)) {
        case TRUST_ANSWER_YES:
            return true;
        case TRUST_ANSWER_NO:
            return false;
        case TRUST_ANSWER_OTHER_KEY:
            fputs("That is another key: this host is not the one it claims to be.\n", terminal);
            return false;
        case TRUST_ANSWER_AGAIN:
            break;
        }
    }
    return false;
}

bool trust_ask(struct trust_host *trust, const struct call_result *result)
{
    CLEANUP_FD int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    CLEANUP_FILE FILE *terminal = fd < 0 ? NULL : fdopen(fd, "r+");

    if (!terminal)
        return false;
    TAKE_FD(fd);
    put_question(terminal, trust, result);
    trust->declined = !ask_at(terminal, &result->key);
    if (trust->declined)
        return false;
    if (known_hosts_append(trust->files[0], trust->name, &result->key, &trust->diag) < 0)
        trust->broken = true;
    return !trust->broken;
}

/* ---- what to say ----------------------------------------------------------------------------- */

bool trust_is_systems(const struct trust_host *trust)
{
    static const char file[] = SYSTEM_KNOWN_HOSTS ":";

    return strncmp(trust->changed, file, strlen(file)) == 0;
}

enum line trust_line(const struct trust_host *trust, enum call_outcome outcome,
                     struct line_fields *fields)
{
    if (outcome != CALL_KEY_UNKNOWN && outcome != CALL_KEY_REFUSED)
        return LINES;
    if (trust->broken) {
        fields->message = slice_of(trust->diag.text);
        return LINE_KEY_FILE_BAD;
    }
    if (outcome == CALL_KEY_REFUSED) {
        fields->file = slice_of(trust->changed);
        return trust->revoked            ? LINE_KEY_OUT
               : trust_is_systems(trust) ? LINE_KEY_CHANGED_FOR_ALL
                                         : LINE_KEY_CHANGED;
    }
    return trust->declined ? LINE_KEY_DECLINED : LINE_KEY_UNKNOWN;
}
