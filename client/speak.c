/* SPDX-License-Identifier: MIT */
#include "client/speak.h"

#include "common/keys.h"

static void take_base(struct line_fields *fields, const struct line_fields *base)
{
#define X(field)                                                                                   \
    if (!fields->field.ptr)                                                                        \
        fields->field = base->field;
    LINE_FIELDS(X)
#undef X
}

void speak(const struct speaker *speaker, enum line line, const struct line_fields *fields)
{
    struct line_fields all = fields ? *fields : (struct line_fields){0};
    char text[PRINT_LINE];
    FILE *stream;

    if (line == LINES || !line_is_shown(line, speaker->verbose))
        return;
    take_base(&all, &speaker->base);
    line_format(line, &all, text);
    stream = line_stream(line) <= LINE_TOLD ? speaker->out : speaker->err;
    fprintf(stream, "%s\n", text);
    fflush(stream); /* a waiting msg tells at once, into a pipe too */
}

static uint64_t wait_ms(const struct call_result *result)
{
    if (result->outcome == CALL_REFUSED)
        return result->refusal.wait_s * 1000u;
    return result->outcome == CALL_TIMED_OUT ? LIM_HANDSHAKE : result->retry_ms;
}

/* What stands for the field `message`: our words, else the server's, else what the frame said. */
static struct slice words_of(const struct verdict *verdict, const struct call_result *result,
                             char out[static 24])
{
    const struct peer_refusal *refusal = &result->refusal;

    if (verdict->line == LINE_REFUSED_VERSION)
        snprintf(out, 24, "%u to %u", refusal->lowest, refusal->highest);
    else if (verdict->line == LINE_REFUSED_CODE)
        snprintf(out, 24, "%u", refusal->code);
    else if (verdict->words)
        return slice_of(verdict->words);
    else
        return slice_of(result->message[0] ? result->message : "no reason given");
    return slice_of(out);
}

int speak_call(const struct speaker *speaker, const struct call_result *result,
               const struct call_server *server, bool all, const struct line_fields *fields)
{
    struct verdict verdict = verdict_of_call(result, server, all);
    struct line_fields whole = fields ? *fields : (struct line_fields){0};
    char time[24], words[24], key[KEY_TEXT_LEN + 1], uid[24], others[PRINT_OTHERS];

    whole.time = print_seconds(wait_ms(result), time);
    whole.address = slice_of(result->address);
    whole.others = print_others(result, others);
    whole.code = slice_of(result->code);
    whole.message = words_of(&verdict, result, words);
    if (result->outcome == CALL_KEY_UNKNOWN || result->outcome == CALL_KEY_REFUSED) {
        key_format(&result->key, key);
        whole.key = slice_of(key);
    }
    if (result->outcome == CALL_BAD_SERVER) {
        snprintf(uid, sizeof(uid), "uid %u", (unsigned)result->uid);
        whole.user = slice_of(uid);
    }
    speak(speaker, verdict.line, &whole);
    return verdict.status;
}
