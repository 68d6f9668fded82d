/* SPDX-License-Identifier: MIT */
#include "daemon/present_heard.h"
#include "tests/unit/unit.h"

#include <errno.h>

static const struct slice none, answers = {"Yes\nNo\n", 7};

static int shown(const char *by, unsigned flags, struct heard *heard)
{
    struct boundary_message message = {.verb = BOUNDARY_SHOWN};
    char datagram[1024];

    message.u.shown.flags = flags;
    strncpy(message.u.shown.by, by, sizeof(message.u.shown.by) - 1);
    ssize_t len = boundary_encode(&message, datagram, sizeof(datagram));
    CU_ASSERT_FATAL(len > 0);
    return heard_read(datagram, (size_t)len, none, heard);
}

static int ended(enum ended_how how, const char *why, const char *text, struct slice offered,
                 struct heard *heard)
{
    struct boundary_message message = {.verb = BOUNDARY_ENDED};
    char datagram[1024];

    message.u.ended.how = how;
    strncpy(message.u.ended.why, why, sizeof(message.u.ended.why) - 1);
    message.text = text;
    message.text_len = strlen(text);
    ssize_t len = boundary_encode(&message, datagram, sizeof(datagram));
    CU_ASSERT_FATAL(len > 0);
    return heard_read(datagram, (size_t)len, offered, heard);
}

static void what_shows_it_is_printable(void)
{
    struct heard heard;

    CU_ASSERT(shown("dunst 1.9.0", SHOWN_DO_NOT_DISTURB, &heard) == 0);
    CU_ASSERT(heard.shown && heard.flags == SHOWN_DO_NOT_DISTURB);
    CU_ASSERT_STRING_EQUAL(heard.by, "dunst 1.9.0");
    CU_ASSERT(shown("", 0, &heard) == 0);
    CU_ASSERT(shown("dunst\nMessage to session :0 responded to by user", 0, &heard) == -EBADMSG);
    CU_ASSERT(shown("\x1b[2J", 0, &heard) == -EBADMSG);
    CU_ASSERT(shown("\xc3", 0, &heard) == -EBADMSG);
}

static void an_answer_is_one_that_was_offered(void)
{
    struct heard heard;

    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "No", answers, &heard) == 0);
    CU_ASSERT(!heard.shown && heard.how == ENDED_ACKNOWLEDGED);
    CU_ASSERT(slice_eq(heard.answer, SLICE("No")) && heard.answer.ptr == answers.ptr + 4);
    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "Maybe", answers, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "", answers, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "Yes\nNo", answers, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "Yes", none, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_ACKNOWLEDGED, "", "", none, &heard) == 0);
    CU_ASSERT(ended(ENDED_DISMISSED, "", "Yes", answers, &heard) == -EBADMSG);
}

static void ends_are_those_of_a_popup(void)
{
    struct heard heard = {.how = ENDED_FAILED};

    CU_ASSERT(ended(ENDED_DISMISSED, "closed-by-user", "", answers, &heard) == 0);
    CU_ASSERT(heard.how == ENDED_DISMISSED && heard.answer.len == 0);
    CU_ASSERT_STRING_EQUAL(heard.why, "closed-by-user");
    CU_ASSERT(ended(ENDED_SESSION_GONE, "", "", none, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_SESSION_GONE, "closed-by-user", "", none, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_SESSION_GONE, "hangup", "", none, &heard) == 0);
    CU_ASSERT_STRING_EQUAL(heard.why, "hangup");
    CU_ASSERT(heard.how == ENDED_SESSION_GONE);
    CU_ASSERT(ended(ENDED_SESSION_GONE, "hangup", "Yes", answers, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_DISMISSED, "hangup", "", none, &heard) == -EBADMSG);
    heard.how = ENDED_FAILED;
    CU_ASSERT(ended(ENDED_FAILED, "presenter-lost", "", none, &heard) == -EBADMSG);
    CU_ASSERT(ended(ENDED_FAILED, "helper-lost", "", none, &heard) == 0);
    CU_ASSERT(heard_read("", 0, none, &heard) == -EBADMSG);
    CU_ASSERT(heard.how == ENDED_FAILED);
}

static void other_verbs_are_not_a_helpers(void)
{
    struct boundary_message message = {.verb = BOUNDARY_SESSION};
    struct heard heard;
    char datagram[2048];
    ssize_t len = boundary_encode(&message, datagram, sizeof(datagram));

    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT(heard_read(datagram, (size_t)len, none, &heard) == -EBADMSG);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(what_shows_it_is_printable),
        UNIT_TEST(an_answer_is_one_that_was_offered),
        UNIT_TEST(ends_are_those_of_a_popup),
        UNIT_TEST(other_verbs_are_not_a_helpers),
        UNIT_END,
    };
    return unit_run("present_heard", tests);
}
