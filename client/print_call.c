/* SPDX-License-Identifier: MIT */
/* print.h's second half: what became of a call, in a line and a status. */
#include "client/print.h"

#include "client/server.h"
#include "common/mem.h"

#include <stdio.h>

/* ---- ERROR ----------------------------------------------------------------------------------- */

/* Whom a row is about: everybody named or not, Unix socket or not; any where left out. */
enum whom { ANY, ALL_HERE, ALL_THERE, ONE_HERE, HERE, TEXT_FIELD };

static const struct code_row {
    const char *code;
    enum whom whom;
    struct verdict verdict;
} CODES[] = {
    {"no-target", ALL_HERE, {LINE_NOBODY, EXIT_FAILED, NULL}},
    {"no-target", ALL_THERE, {LINE_NOBODY, EXIT_FAILED, NULL}},
    {"no-target", ANY, {LINE_NO_TARGET, EXIT_FAILED, NULL}},
    {"no-screen", ANY, {LINE_USER_NO_SCREEN, EXIT_FAILED, NULL}},
    {"messages-disabled", ALL_HERE, {LINE_EVERYBODY_DISABLED, EXIT_FAILED, NULL}},
    {"messages-disabled", ALL_THERE, {LINE_EVERYBODY_DISABLED, EXIT_FAILED, NULL}},
    {"messages-disabled", ANY, {LINE_USER_DISABLED, EXIT_FAILED, NULL}},
    {"left-out", ALL_HERE, {LINE_NOBODY_ELSE, EXIT_FAILED, NULL}},
    {"left-out", ALL_THERE, {LINE_NOBODY_ELSE, EXIT_FAILED, NULL}},
    {"left-out", ANY, {LINE_ALL_LEFT_OUT, EXIT_FAILED, NULL}},
    {"forbidden", ALL_HERE, {LINE_FORBIDDEN_ALL_HERE, EXIT_FAILED, NULL}},
    {"forbidden", ALL_THERE, {LINE_FORBIDDEN_ALL, EXIT_FAILED, NULL}},
    {"forbidden", ONE_HERE, {LINE_FORBIDDEN_HERE, EXIT_FAILED, NULL}},
    {"forbidden", ANY, {LINE_FORBIDDEN, EXIT_FAILED, NULL}},
    {"unauthorized", HERE, {LINE_UNAUTHORIZED_HERE, EXIT_UNREACHABLE, "this uid is nobody's"}},
    {"unauthorized", ANY, {LINE_UNAUTHORIZED, EXIT_UNREACHABLE, NULL}},
    {"revoked", ANY, {LINE_REVOKED, EXIT_UNREACHABLE, NULL}},
    {"expired", ANY, {LINE_EXPIRED, EXIT_UNREACHABLE, NULL}},
    {"invite-invalid", ANY, {LINE_INVITE_INVALID, EXIT_UNREACHABLE, NULL}},
    {"busy", ANY, {LINE_BUSY, EXIT_UNREACHABLE, NULL}},
    {"rate-limited", ANY, {LINE_RATE_LIMITED, EXIT_UNREACHABLE, NULL}},
    {"shutting-down", ANY, {LINE_SHUTTING_DOWN, EXIT_UNREACHABLE, NULL}},
    {"no-presenter", ANY, {LINE_NO_PRESENTER, EXIT_UNREACHABLE, NULL}},
    {"outcome-unknown", ANY, {LINE_UNKNOWN_LIFE, EXIT_UNKNOWN, NULL}},
    {"unknown-uid", ANY, {LINE_UNKNOWN_LIFE, EXIT_UNKNOWN, NULL}},
    {"moved", ANY, {LINE_MOVED, EXIT_UNKNOWN, NULL}},
    {"bad-text", ANY, {LINE_SERVER_ERROR, EXIT_USAGE, "it finds the text not fit to show"}},
    {"too-large", TEXT_FIELD, {LINE_SERVER_ERROR, EXIT_USAGE, "the text is too long for it"}},
    {"too-large", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "something is too long for it"}},
    {"too-many", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "too many sessions for one message"}},
    {"conflict", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "it has another message of that id"}},
    {"unsupported", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "it cannot do that"}},
    {"bad-message", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "it does not understand the request"}},
    {"internal", ANY, {LINE_SERVER_ERROR, EXIT_FAILED, "its own fault; its log says more"}},
};

static bool is_about(enum whom whom, const char *at, bool all, bool local)
{
    switch (whom) {
    case ANY:
        return true;
    case ALL_HERE:
        return all && local;
    case ALL_THERE:
        return all && !local;
    case ONE_HERE:
        return !all && local;
    case HERE:
        return local;
    case TEXT_FIELD:
        return strcmp(at, "text") == 0 || strcmp(at, "title") == 0;
    }
    return false;
}

struct verdict verdict_of_code(const char *code, const char *at, bool all, bool local)
{
    for (size_t i = 0; i < ARRAY_SIZE(CODES); i++) {
        if (strcmp(code, CODES[i].code) == 0 && is_about(CODES[i].whom, at, all, local))
            return CODES[i].verdict;
    }
    return (struct verdict){LINE_SERVER_ERROR, EXIT_FAILED, NULL};
}

/* ---- calls without an answer ----------------------------------------------------------------- */

static struct verdict verdict_of_unreachable(const struct call_result *result,
                                             const struct call_server *server)
{
    struct verdict verdict = {LINE_UNREACHABLE, EXIT_UNREACHABLE, print_cause(result->error)};

    if (server->local)
        verdict.line =
            strcmp(server->socket, SERVER_SOCKET) == 0 ? LINE_NOT_RUNNING : LINE_NOT_RUNNING_THERE;
    else if (result->address[0] == '\0')
        verdict.line = LINE_NO_ADDRESS;
    return verdict;
}

static struct verdict verdict_of_refusal(const struct peer_refusal *refusal)
{
    enum line line = refusal->code == PEER_REFUSE_VERSION ? LINE_REFUSED_VERSION
                     : refusal->code == PEER_REFUSE_SUITE ? LINE_REFUSED_SUITE
                     : refusal->code == PEER_REFUSE_BUSY  ? LINE_REFUSED_BUSY
                                                          : LINE_REFUSED_CODE;

    return (struct verdict){line, EXIT_UNREACHABLE, NULL};
}

static const char *not_msgd_words(enum peer_end end)
{
    return end == PEER_END_AUTH                          ? "its answer does not authenticate"
           : end == PEER_END_EOF || end == PEER_END_LOST ? "it closes the connection"
                                                         : "its answer is not of this protocol";
}

/* The server said that it does not know; otherwise, a GOAWAY too, it is only not to be had. */
static bool is_another_life(const char *code)
{
    return strcmp(code, "outcome-unknown") == 0 || strcmp(code, "unknown-uid") == 0;
}

struct verdict verdict_of_call(const struct call_result *result, const struct call_server *server,
                               bool all)
{
    switch (result->outcome) {
    case CALL_RESULT:
    case CALL_INTERRUPTED:
        break;
    case CALL_ERROR:
        return verdict_of_code(result->code, result->at, all, server->local);
    case CALL_UNREACHABLE:
        return verdict_of_unreachable(result, server);
    case CALL_TIMED_OUT:
        return (struct verdict){server->local ? LINE_NO_ANSWER_HERE : LINE_NO_ANSWER,
                                EXIT_UNREACHABLE, NULL};
    case CALL_REFUSED:
        return verdict_of_refusal(&result->refusal);
    case CALL_NOT_MSGD:
        return (struct verdict){LINE_NOT_MSGD, EXIT_UNREACHABLE, not_msgd_words(result->end)};
    case CALL_KEY_UNKNOWN:
        return (struct verdict){LINE_KEY_UNKNOWN, EXIT_UNREACHABLE, NULL};
    case CALL_KEY_REFUSED:
        return (struct verdict){LINE_KEY_CHANGED, EXIT_UNREACHABLE, NULL};
    case CALL_NOT_INVITER:
        return (struct verdict){LINE_NOT_INVITER, EXIT_UNREACHABLE, NULL};
    case CALL_BAD_SERVER:
        return (struct verdict){result->uid == 65534 ? LINE_BAD_SERVER_NAMESPACE : LINE_BAD_SERVER,
                                EXIT_UNREACHABLE, NULL};
    case CALL_UNKNOWN:
        return (struct verdict){is_another_life(result->code) ? LINE_UNKNOWN_LIFE
                                : result->code[0] != '\0'     ? LINE_UNKNOWN_REFUSED
                                                              : LINE_UNKNOWN,
                                EXIT_UNKNOWN, NULL};
    }
    return (struct verdict){LINES, EXIT_DONE, NULL};
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *print_cause(int error)
{
    static const struct {
        int error;
        const char *words;
    } CAUSES[] = {
        {0, "the connection was closed"},
        {UV_ENOENT, "no such file"},
        {UV_ECONNREFUSED, "connection refused"},
        {UV_EACCES, "permission denied"},
        {UV_ENETUNREACH, "network is unreachable"},
        {UV_EHOSTUNREACH, "host is unreachable"},
        {UV_ECONNRESET, "connection reset"},
        {UV_ETIMEDOUT, "no answer"},
        {UV_EAI_NONAME, "there is no host of that name"},
        {UV_EAI_NODATA, "that name has no address"},
        {UV_EAI_AGAIN, "the name cannot be looked up now"},
        {UV_EAI_FAIL, "the name cannot be looked up"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(CAUSES); i++) {
        if (CAUSES[i].error == error)
            return CAUSES[i].words;
    }
    return uv_strerror(error);
}

struct slice print_others(const struct call_result *result, char out[static PRINT_OTHERS])
{
    int len = 0;

    for (size_t i = 0; i < result->n_others && len < PRINT_OTHERS; i++) {
        const struct call_other *other = &result->others[i];
        bool same = other->error == result->error;
        len += snprintf(out + len, (size_t)(PRINT_OTHERS - len), "; %s%s%s", other->address,
                        same ? " too" : ": ", same ? "" : print_cause(other->error));
    }
    return (struct slice){out, (size_t)(len < PRINT_OTHERS ? len : PRINT_OTHERS - 1)};
}

struct slice print_seconds(uint64_t ms, char out[static 24])
{
    uint64_t seconds = ms < 1000 ? 1 : ms / 1000 + (ms % 1000 != 0);
    int len = snprintf(out, 24, "%llu s", (unsigned long long)seconds);

    return (struct slice){out, (size_t)len};
}

struct slice print_uid(const uint8_t uid[static 16], char out[static 8])
{
    static const char DIGITS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint32_t bits =
        (uint32_t)uid[0] << 24 | (uint32_t)uid[1] << 16 | (uint32_t)uid[2] << 8 | uid[3];

    for (int i = 0; i < 6; i++)
        out[i] = DIGITS[bits >> (27 - 5 * i) & 31];
    out[6] = '\0';
    return (struct slice){out, 6};
}
