/* SPDX-License-Identifier: MIT */
#include "daemon/popup_notice.h"
#include "tests/unit/unit.h"

#define TAKEN(n)                                                                                   \
    {                                                                                              \
        NOTICE_TAKEN, n, 0, NULL                                                                   \
    }
#define REFUSED(name)                                                                              \
    {                                                                                              \
        NOTICE_REFUSED, 0, 0, name                                                                 \
    }
#define ACTION(n, key)                                                                             \
    {                                                                                              \
        NOTICE_ACTION, n, 0, key                                                                   \
    }
#define CLOSED(n, why)                                                                             \
    {                                                                                              \
        NOTICE_CLOSED, n, why, NULL                                                                \
    }
#define SILENT                                                                                     \
    {                                                                                              \
        NOTICE_SILENT, 0, 0, NULL                                                                  \
    }
#define GONE                                                                                       \
    {                                                                                              \
        NOTICE_GONE, 0, 0, NULL                                                                    \
    }

#define EVENTS 4

/* A server's story, and what it means; what is not written means nothing. */
static const struct {
    const char *name;
    unsigned answers;
    bool wait;
    struct notice_event events[EVENTS];
    enum notice_verdict verdicts[EVENTS];
    unsigned answer;
} stories[] = {
    {"OK",
     0,
     true,
     {TAKEN(9), ACTION(9, "ok"), CLOSED(9, 2)},
     {NOTICE_SHOWN, NOTICE_ACKNOWLEDGED},
     0},
    {"a click on the body",
     0,
     true,
     {TAKEN(9), ACTION(9, "default")},
     {NOTICE_SHOWN, NOTICE_ACKNOWLEDGED},
     0},
    {"the body is no answer",
     2,
     true,
     {TAKEN(9), ACTION(9, "default"), ACTION(9, "answer2")},
     {NOTICE_SHOWN, NOTICE_NOTHING, NOTICE_ACKNOWLEDGED},
     2},
    {"OK was not offered", 2, true, {TAKEN(9), ACTION(9, "ok")}, {NOTICE_SHOWN}, 0},
    {"nor a third answer",
     2,
     true,
     {TAKEN(9), ACTION(9, "answer3"), ACTION(9, "answer0")},
     {NOTICE_SHOWN},
     0},
    {"nor any",
     0,
     true,
     {TAKEN(9), ACTION(9, "answer1"), ACTION(9, ""), ACTION(9, "answer")},
     {NOTICE_SHOWN},
     0},
    {"nor a longer one",
     2,
     true,
     {TAKEN(9), ACTION(9, "answer11"), ACTION(9, "answer1 ")},
     {NOTICE_SHOWN},
     0},
    {"another's id",
     0,
     true,
     {TAKEN(9), ACTION(8, "ok"), CLOSED(8, 2), ACTION(0, "ok")},
     {NOTICE_SHOWN},
     0},
    {"before it was taken",
     0,
     true,
     {ACTION(9, "ok"), CLOSED(0, 2), TAKEN(9)},
     {NOTICE_NOTHING, NOTICE_NOTHING, NOTICE_SHOWN},
     0},
    {"two closes",
     0,
     true,
     {TAKEN(9), CLOSED(9, 2), CLOSED(9, 1), ACTION(9, "ok")},
     {NOTICE_SHOWN, NOTICE_DISMISSED},
     0},
    {"closed by a call that was not ours",
     0,
     true,
     {TAKEN(9), CLOSED(9, 3)},
     {NOTICE_SHOWN, NOTICE_DISMISSED},
     0},
    {"a reason made up", 0, false, {TAKEN(9), CLOSED(9, 77)}, {NOTICE_SHOWN, NOTICE_DISMISSED}, 0},
    {"hidden, while somebody waits",
     0,
     true,
     {TAKEN(9), CLOSED(9, 1), ACTION(9, "ok")},
     {NOTICE_SHOWN, NOTICE_NOTHING, NOTICE_ACKNOWLEDGED},
     0},
    {"expired, and nobody waits",
     0,
     false,
     {TAKEN(9), CLOSED(9, 1)},
     {NOTICE_SHOWN, NOTICE_TIMED_OUT},
     0},
    {"taken twice",
     0,
     true,
     {TAKEN(9), TAKEN(10), ACTION(10, "ok"), ACTION(9, "ok")},
     {NOTICE_SHOWN, NOTICE_NOTHING, NOTICE_NOTHING, NOTICE_ACKNOWLEDGED},
     0},
    {"no number", 0, true, {TAKEN(0), ACTION(0, "ok")}, {NOTICE_CANNOT}, 0},
    {"refused",
     0,
     true,
     {REFUSED("org.freedesktop.DBus.Error.Failed"), TAKEN(9)},
     {NOTICE_CANNOT},
     0},
    {"the 21st",
     0,
     true,
     {REFUSED("org.freedesktop.Notifications.MaxNotificationsExceeded")},
     {NOTICE_TOO_MANY},
     0},
    {"the same once more",
     0,
     true,
     {REFUSED("org.freedesktop.Notifications.Error.ExcessNotificationGeneration")},
     {NOTICE_TOO_MANY},
     0},
    {"never answered", 0, true, {SILENT, TAKEN(9)}, {NOTICE_LOST}, 0},
    {"late is not silent",
     0,
     true,
     {TAKEN(9), SILENT, ACTION(9, "ok")},
     {NOTICE_SHOWN, NOTICE_NOTHING, NOTICE_ACKNOWLEDGED},
     0},
    {"the server ends", 0, true, {TAKEN(9), GONE, ACTION(9, "ok")}, {NOTICE_SHOWN, NOTICE_LOST}, 0},
    {"before it took it", 0, true, {GONE, TAKEN(9)}, {NOTICE_CANNOT}, 0},
};

static void what_servers_say_means_this(void)
{
    for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
        struct notice notice = {.answers = stories[i].answers, .wait = stories[i].wait};
        unsigned answer = 0;

        for (size_t k = 0; k < EVENTS; k++) {
            const struct notice_event *event = &stories[i].events[k];
            enum notice_verdict verdict;
            if (k > 0 && event->said == NOTICE_TAKEN && event->id == 0)
                break; /* the rest of the row */
            verdict = notice_step(&notice, event, &answer);
            if (verdict != stories[i].verdicts[k])
                printf("%s: event %zu means %d\n", stories[i].name, k, (int)verdict);
            CU_ASSERT(verdict == stories[i].verdicts[k]);
        }
        CU_ASSERT(answer == stories[i].answer);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(what_servers_say_means_this),
        UNIT_END,
    };
    return unit_run("popup_notice", tests);
}
