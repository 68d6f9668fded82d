/* SPDX-License-Identifier: MIT */
#include "daemon/popup_buffer.h"

#include <errno.h>

ssize_t buffer_write(const struct popup_message *message, char out[static LIM_DATAGRAM])
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

int buffer_read(struct slice bytes, struct popup_message *ret_message)
{
    struct boundary_message message;
    struct popup_message read = {.reach = REACH_TMUX};
    const char *reason;
    if (boundary_decode(&message, BOUNDARY_TO_POPUP, bytes.ptr, bytes.len, &reason) < 0 ||
        message.verb != BOUNDARY_PRESENT || present_texts_read(&message, &read.texts, &reason) < 0)
        return -EBADMSG;
    read.life_ms = message.u.present.life_ms;
    read.sent_at_ms = message.u.present.sent_at_ms;
    read.number = message.u.present.number;
    read.wait = (message.u.present.flags & PRESENT_WAIT) != 0;
    *ret_message = read;
    return 0;
}
