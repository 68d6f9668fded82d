/* SPDX-License-Identifier: MIT */
#include "daemon/present_heard.h"

#include "common/mem.h"
#include "common/text.h"
#include "daemon/present_text.h"

/* What a popup may end with; PROTOCOL.md has more whys, which are not a helper's to say. */
static const char hangup[] = "hangup"; /* the tmux client has gone, and only that */
static const char *const whys[] = {"",         "closed-by-user", "no-answer", "not-shown",
                                   "too-many", "helper-lost",    "internal",  hangup};

static const char *known_why(const char *why)
{
    for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
        if (strcmp(why, whys[i]) == 0)
            return whys[i];
    return NULL;
}

static bool find_answer(struct slice answers, struct slice said, struct slice *ret_answer)
{
    struct slice label;
    while (present_answers_next(&answers, &label)) {
        if (slice_eq(label, said)) {
            *ret_answer = label;
            return true;
        }
    }
    return false;
}

static int read_shown(const struct boundary_shown *shown, struct heard *heard)
{
    heard->shown = true;
    heard->flags = shown->flags;
    if (shown->by[0] != '\0' && text_check_line(slice_of(shown->by), NULL) < 0)
        return -EBADMSG;
    memcpy(heard->by, shown->by, sizeof(shown->by));
    return 0;
}

/* An acknowledgement has one of the answers where there are some, and none where there are none. */
static int read_ended(const struct boundary_message *message, struct slice answers,
                      struct heard *heard)
{
    struct slice said = {message->text, message->text_len};
    bool answered = message->u.ended.how == ENDED_ACKNOWLEDGED && answers.len > 0;
    heard->how = (enum ended_how)message->u.ended.how;
    heard->why = known_why(message->u.ended.why);
    if (!heard->why || (heard->how == ENDED_SESSION_GONE) != (heard->why == hangup))
        return -EBADMSG;
    if (answered)
        return find_answer(answers, said, &heard->answer) ? 0 : -EBADMSG;
    return said.len == 0 ? 0 : -EBADMSG;
}

int heard_read(const void *datagram, size_t len, struct slice answers, struct heard *ret_heard)
{
    struct boundary_message message;
    struct heard heard = {0};
    const char *reason;
    int r = boundary_decode(&message, BOUNDARY_TO_PARENT, datagram, len, &reason);
    if (r < 0)
        return r;
    r = message.verb == BOUNDARY_SHOWN ? read_shown(&message.u.shown, &heard)
                                       : read_ended(&message, answers, &heard);
    if (r == 0)
        *ret_heard = heard;
    return r;
}
