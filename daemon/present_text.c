/* SPDX-License-Identifier: MIT */
#include "daemon/present_text.h"

#include "common/mem.h"
#include "common/text.h"

static struct slice part(struct slice *rest, size_t len)
{
    struct slice taken = {rest->ptr, len};
    *rest = slice_from(*rest, len);
    return taken;
}

static const char *refuse_numbers(const struct boundary_present *present, size_t len)
{
    if (present->life_ms < 1 || present->life_ms > LIM_MAX_TIME)
        return "a lifetime out of range";
    if (present->sender_len < 1)
        return "no sender";
    if (present->name_len > present->sender_len)
        return "a name beyond the sender";
    size_t heads = (size_t)present->sender_len + present->title_len + present->answers_len;
    if (len < heads)
        return "lengths beyond the text";
    if (len - heads > LIM_TEXT)
        return "too long a text";
    return NULL;
}

bool present_answers_next(struct slice *answers, struct slice *ret_label)
{
    const char *end = answers->len > 0 ? memchr(answers->ptr, '\n', answers->len) : NULL;
    if (!end)
        return false;
    *ret_label = part(answers, (size_t)(end - answers->ptr));
    part(answers, 1);
    return true;
}

unsigned present_answers_count(struct slice answers)
{
    struct slice label;
    unsigned count = 0;
    while (present_answers_next(&answers, &label))
        count++;
    return count;
}

struct slice present_answers_at(struct slice answers, unsigned number)
{
    struct slice label = {0};
    for (unsigned i = 0; i < number; i++)
        if (!present_answers_next(&answers, &label))
            return (struct slice){0};
    return label;
}

static bool answers_fit(struct slice answers)
{
    struct slice label;
    for (size_t count = 0; present_answers_next(&answers, &label); count++)
        if (count == LIM_ANSWERS || label.len < 1 || label.len > LIM_ANSWER ||
            text_check_line(label, NULL) < 0)
            return false;
    return answers.len == 0;
}

static const char *refuse_text(const struct present_texts *texts)
{
    if (text_check_line(texts->sender, NULL) < 0)
        return "a sender that is not fit to be shown";
    if (texts->title.len > 0 && text_check_line(texts->title, NULL) < 0)
        return "a title that is not fit to be shown";
    if (!answers_fit(texts->answers))
        return "answers that are not fit to be shown";
    if (text_check(texts->body, NULL) < 0)
        return "a text that is not fit to be shown";
    return NULL;
}

int present_texts_read(const struct boundary_message *message, struct present_texts *ret_texts,
                       const char **ret_reason)
{
    const struct boundary_present *present = &message->u.present;
    struct slice rest = {message->text, message->text_len};
    struct present_texts texts;
    const char *reason = refuse_numbers(present, rest.len);
    if (reason) {
        *ret_reason = reason;
        return -EBADMSG;
    }
    texts.sender = part(&rest, present->sender_len);
    texts.title = part(&rest, present->title_len);
    texts.answers = part(&rest, present->answers_len);
    texts.body = rest;
    reason = refuse_text(&texts);
    if (reason) {
        *ret_reason = reason;
        return -EINVAL;
    }
    *ret_texts = texts;
    return 0;
}
