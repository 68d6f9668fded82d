/* SPDX-License-Identifier: MIT */
#include "client/answers.h"

#include "common/mem.h"
#include "protocol/utf8.h"

#include <strings.h>

static struct slice without_blanks(struct slice word)
{
    while (word.len > 0 && word.ptr[0] == ' ')
        word = slice_from(word, 1);
    while (word.len > 0 && word.ptr[word.len - 1] == ' ')
        word.len--;
    return word;
}

static size_t characters(struct slice text)
{
    size_t n = 0;
    uint32_t code;

    for (; text.len > 0; n++)
        text = slice_from(text, utf8_next(text, &code)); /* it was judged: never 0 */
    return n;
}

/* As hosts compare them: letters of ASCII without case. */
static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static int judge(const struct answers *answers, struct slice label, struct message_error *error)
{
    if (characters(label) > ANSWERS_CHARACTERS)
        return message_refuse(error, "answer %zu has %zu characters; at most %d can be sent",
                              answers->n + 1, characters(label), ANSWERS_CHARACTERS);
    for (size_t i = 0; i < answers->n; i++) {
        if (same(answers->labels[i], label))
            return message_refuse(error, "answers %zu and %zu are the same; case does not count",
                                  i + 1, answers->n + 1);
    }
    return 0;
}

static int add(struct answers *answers, struct slice word, const char *charset,
               struct message_error *error)
{
    CLEANUP_FREE char *text = NULL;
    struct slice label;
    int r;

    if (answers->n == LIM_ANSWERS)
        return message_refuse(error, "more than %d answers", LIM_ANSWERS);
    if (word.len == 0)
        return message_refuse(error, "answer %zu is empty", answers->n + 1);
    r = message_clean(word, MESSAGE_ANSWER, charset, &text, &label.len, error);
    label.ptr = text;
    if (r == 0)
        r = judge(answers, label, error);
    if (r < 0)
        return r;
    answers->labels[answers->n] = label;
    answers->texts[answers->n++] = TAKE(text);
    return 0;
}

int answers_read(const char *typed, const char *charset, struct answers *ret_answers,
                 struct message_error *ret_error)
{
    struct answers answers = {.n = 0};
    const char *rest = typed;
    int r = 0;

    for (bool more = true; more && r == 0;) {
        size_t len = strcspn(rest, ",");
        r = add(&answers, without_blanks((struct slice){rest, len}), charset, ret_error);
        more = rest[len] == ',';
        rest += len + more;
    }
    if (r < 0)
        answers_release(&answers);
    else
        *ret_answers = answers;
    return r;
}

void answers_release(struct answers *answers)
{
    for (size_t i = 0; i < answers->n; i++)
        free(answers->texts[i]);
    *answers = (struct answers){.n = 0};
}
