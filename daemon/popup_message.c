/* SPDX-License-Identifier: MIT */
#include "daemon/popup_message.h"

#include "common/mem.h"

#include <time.h>

static void say_where_and_when(struct popup_message *message)
{
    time_t sent = (time_t)(message->sent_at_ms / 1000);
    struct tm local;
    if (gethostname(message->host, sizeof(message->host) - 1) < 0)
        message->host[0] = '\0';
    message->host[strcspn(message->host, ".")] = '\0';
    if (localtime_r(&sent, &local))
        strftime(message->time, sizeof(message->time), "%H:%M", &local);
}

int message_take(const struct boundary_message *present, struct popup_message *message)
{
    const char *reason;
    int r = present_texts_read(present, &message->texts, &reason);
    if (r < 0)
        return r;
    message->life_ms = present->u.present.life_ms;
    message->sent_at_ms = present->u.present.sent_at_ms;
    message->number = present->u.present.number;
    message->wait = (present->u.present.flags & PRESENT_WAIT) != 0;
    say_where_and_when(message);
    return 0;
}

ssize_t message_write(const struct popup_message *message, char out[static LIM_DATAGRAM])
{
    const struct present_texts *texts = &message->texts;
    struct boundary_message present = {
        .verb = BOUNDARY_PRESENT,
        .u.present = {.life_ms = message->life_ms,
                      .sent_at_ms = message->sent_at_ms,
                      .number = message->number,
                      .flags = message->wait ? PRESENT_WAIT : 0,
                      .sender_len = (uint32_t)texts->sender.len,
                      .title_len = (uint32_t)texts->title.len,
                      .answers_len = (uint32_t)texts->answers.len},
        .text = texts->sender.ptr,
        .text_len = texts->sender.len + texts->title.len + texts->answers.len + texts->body.len,
    };
    return boundary_encode(&present, out, LIM_DATAGRAM);
}

int message_read(struct slice bytes, struct popup_message *ret_message)
{
    struct popup_message message = {.reach = REACH_TMUX};
    struct boundary_message present;
    const char *reason;
    if (boundary_decode(&present, BOUNDARY_TO_POPUP, bytes.ptr, bytes.len, &reason) < 0 ||
        present.verb != BOUNDARY_PRESENT || message_take(&present, &message) < 0)
        return -EBADMSG;
    *ret_message = message;
    return 0;
}
