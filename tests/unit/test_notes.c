/* SPDX-License-Identifier: MIT */
/* What a sender is told of the sessions that were left out. */
#include "daemon/net_notes.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct net_sessions sessions;
static struct resolved resolved;

static void begin(void)
{
    resolved_release(&resolved);
    sessions_clear(&sessions);
}

/* Logged in on this host: a session of its own place, unless another is named. */
static void here(uint32_t uid, const char *name, uint32_t reach, const char *place, const char *why)
{
    struct boundary_session s = {.handle = sessions.n + 1, .uid = uid, .reach = reach};

    snprintf(s.user, sizeof(s.user), "u%u", (unsigned)uid);
    snprintf(s.name, sizeof(s.name), "%s", name);
    snprintf(s.place, sizeof(s.place), "%s", place ? place : name);
    snprintf(s.why, sizeof(s.why), "%s", why);
    CU_ASSERT_FATAL(sessions_update(&sessions, &s) == 0);
}

/* Sent to the nth session, and all of them meant by the entry `to`. */
static void sent_to(uint32_t n, uint32_t to)
{
    resolved.sessions = calloc(1, sizeof(*resolved.sessions));
    resolved.meant = calloc(sessions.n, sizeof(*resolved.meant));
    resolved.sessions[0] = n;
    resolved.n = 1;
    for (size_t i = 0; i < sessions.n; i++)
        resolved.meant[i] = to + 1;
}

/* "3:reached-elsewhere u1 pts/2 :0" and so on, parted by commas. */
static const char *noted(void)
{
    static char text[1024];
    size_t len = 0;

    CU_ASSERT_EQUAL_FATAL(notes_add(&sessions, &resolved), 0);
    text[0] = '\0';
    for (size_t i = 0; i < resolved.n_misses; i++) {
        const struct msg_miss *m = &resolved.misses[i];
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u:%.*s %.*s %.*s %.*s",
                                i ? "," : "", (unsigned)m->to, (int)m->code.len, m->code.ptr,
                                (int)m->user.len, m->user.ptr, (int)m->sess.len, m->sess.ptr,
                                (int)m->by.len, m->by.len ? m->by.ptr : "");
    }
    return text;
}

static void one_screen(void)
{
    begin();
    here(1, "pts/2", REACH_TERMINAL, "desk", "");
    here(1, ":0", REACH_DESKTOP, "desk", "");
    sent_to(1, 3);
    CU_ASSERT_STRING_EQUAL(noted(), "3:reached-elsewhere u1 pts/2 :0");
    CU_ASSERT_EQUAL(resolved.failures, 0);
}

static void without_a_screen(void)
{
    begin();
    here(1, "sftp", REACH_NOTHING, NULL, "");
    here(1, "pts/1", REACH_TERMINAL, NULL, "");
    here(1, "pts/2", REACH_NOTHING, NULL, MISS_NO_SCREEN);
    here(1, "pts/3", REACH_NOTHING, NULL, MISS_DISABLED);
    here(1, "m", REACH_NOTHING, NULL, "manager"); /* nobody sits there */
    here(1, "c", REACH_NOTHING, NULL, "closing");
    sent_to(1, 0);
    CU_ASSERT_STRING_EQUAL(noted(), "0:no-screen u1 sftp ,0:no-screen u1 pts/2 ,"
                                    "0:messages-disabled u1 pts/3 ");
}

static void only_of_those_who_are_reached(void)
{
    begin();
    here(1, "pts/1", REACH_TERMINAL, NULL, "");
    here(2, "sftp", REACH_NOTHING, NULL, "");
    here(2, "pts/2", REACH_TERMINAL, "pts/1", ""); /* another's place of the same name */
    sent_to(0, 0);
    CU_ASSERT_STRING_EQUAL(noted(), "");
}

static void only_of_what_was_meant(void)
{
    begin();
    here(1, "pts/1", REACH_TERMINAL, NULL, "");
    here(1, "sftp", REACH_NOTHING, NULL, "");
    sent_to(0, 0);
    resolved.meant[1] = 0;
    CU_ASSERT_STRING_EQUAL(noted(), "");
}

static void so_many_and_no_more(void)
{
    begin();
    here(1, "pts/1", REACH_TERMINAL, NULL, "");
    for (int i = 0; i < LIM_SELECTORS + 5; i++)
        here(1, "sftp", REACH_NOTHING, NULL, "");
    sent_to(0, 0);
    resolved.misses = calloc(1, sizeof(*resolved.misses));
    resolved.misses[0] = (struct msg_miss){.to = 7, .code = SLICE(MISS_NO_TARGET)};
    resolved.n_misses = 1;
    CU_ASSERT_EQUAL(notes_add(&sessions, &resolved), 0);
    CU_ASSERT_EQUAL(resolved.n_misses, LIM_SELECTORS);
    CU_ASSERT_EQUAL(resolved.misses[0].to, 7);
    CU_ASSERT_TRUE(resolved.misses[LIM_SELECTORS - 1].sess.len > 0);
    begin();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(one_screen),
        UNIT_TEST(without_a_screen),
        UNIT_TEST(only_of_those_who_are_reached),
        UNIT_TEST(only_of_what_was_meant),
        UNIT_TEST(so_many_and_no_more),
        UNIT_END,
    };

    return unit_run("notes", tests);
}
