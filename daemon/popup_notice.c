/* SPDX-License-Identifier: MIT */
#include "daemon/popup_notice.h"

#include <string.h>

#define REASON_EXPIRED 1 /* others: dismissed, closed by a call, and what servers make up */

static enum notice_verdict end(struct notice *notice, enum notice_verdict verdict)
{
    notice->over = true;
    return verdict;
}

/* No server gives the id 0: whatever this one has done, it is not a notification. */
static enum notice_verdict taken(struct notice *notice, uint32_t id)
{
    if (id == 0)
        return end(notice, NOTICE_CANNOT);
    notice->id = id;
    return NOTICE_SHOWN;
}

/* Servers that keep a limit say so in the error's name: MATE and notification-daemon, Plasma. */
static enum notice_verdict refused(struct notice *notice, const char *name)
{
    bool limit = strcasestr(name, "MaxNotifications") || strcasestr(name, "Excess") ||
                 strcasestr(name, "LimitsExceeded");
    return end(notice, limit ? NOTICE_TOO_MANY : NOTICE_CANNOT);
}

/* A click on the body says OK, never which answer. */
static enum notice_verdict invoked(struct notice *notice, const char *key, unsigned *ret_answer)
{
    size_t prefix = strlen(NOTICE_ANSWER);
    if (notice->answers == 0 && (strcmp(key, NOTICE_DEFAULT) == 0 || strcmp(key, NOTICE_OK) == 0)) {
        *ret_answer = 0;
        return end(notice, NOTICE_ACKNOWLEDGED);
    }
    if (strncmp(key, NOTICE_ANSWER, prefix) != 0 || key[prefix] < '1' || key[prefix] > '9' ||
        key[prefix + 1] != '\0' || (unsigned)(key[prefix] - '0') > notice->answers)
        return NOTICE_NOTHING;
    *ret_answer = (unsigned)(key[prefix] - '0');
    return end(notice, NOTICE_ACKNOWLEDGED);
}

/* Where somebody waits, only our own clock says that the time is over. */
static enum notice_verdict closed(struct notice *notice, uint32_t reason)
{
    if (reason != REASON_EXPIRED)
        return end(notice, NOTICE_DISMISSED);
    return notice->wait ? NOTICE_NOTHING : end(notice, NOTICE_TIMED_OUT);
}

enum notice_verdict notice_step(struct notice *notice, const struct notice_event *event,
                                unsigned *ret_answer)
{
    bool up = notice->id != 0, ours = up && event->id == notice->id;
    if (notice->over)
        return NOTICE_NOTHING;
    switch (event->said) {
    case NOTICE_TAKEN:
        return up ? NOTICE_NOTHING : taken(notice, event->id);
    case NOTICE_REFUSED:
        return up ? NOTICE_NOTHING : refused(notice, event->text);
    case NOTICE_ACTION:
        return ours ? invoked(notice, event->text, ret_answer) : NOTICE_NOTHING;
    case NOTICE_CLOSED:
        return ours ? closed(notice, event->reason) : NOTICE_NOTHING;
    case NOTICE_SILENT:
        return up ? NOTICE_NOTHING : end(notice, NOTICE_LOST);
    case NOTICE_GONE:
        return end(notice, up ? NOTICE_LOST : NOTICE_CANNOT);
    }
    return NOTICE_NOTHING;
}
