/* SPDX-License-Identifier: MIT */
#include "client/trust.h"

#include "common/keys.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/text.h"

#include <fcntl.h>
#include <strings.h>

#define TRIES 3

void trust_host_init(struct trust_host *trust, const struct call_server *server, const char *file)
{
    *trust = (struct trust_host){.shown = server->name, .files = {file, SYSTEM_KNOWN_HOSTS}};
    if (known_host_name(trust->name, server->host, server->port) < 0) {
        trust->broken = true;
        diag_set(&trust->diag, -EINVAL, "%s: no name a key could be kept for", server->host);
    }
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
    return match.verdict;
}

enum call_judgement trust_judge_host(struct trust_host *trust, const struct noise_public *key)
{
    enum known_host verdict = look_up(trust, key);

    if (verdict == KNOWN_HOST_TRUSTED)
        return CALL_TRUSTED;
    return verdict == KNOWN_HOST_CHANGED || trust->broken ? CALL_UNTRUSTED : CALL_ASK;
}

bool trust_has_name(struct trust_host *trust)
{
    const struct noise_public nobodys = {{0}};

    return look_up(trust, &nobodys) != KNOWN_HOST_UNKNOWN;
}

/* ---- asking -------------------------------------------------------------------------------------
 */

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
            "Its administrator can tell you the right one: msgctl key show --host\n",
            shown, result->address, key);
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

/* ---- what to say --------------------------------------------------------------------------------
 */

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
        return LINE_KEY_CHANGED;
    }
    return trust->declined ? LINE_KEY_DECLINED : LINE_KEY_UNKNOWN;
}
