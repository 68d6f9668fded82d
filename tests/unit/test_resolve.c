/* SPDX-License-Identifier: MIT */
/*
 * Tables of cases on one host. Who is there, and where (a place of its own each, unless noted):
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/net_resolve.h"
#include "tests/unit/unit.h"

#define KEY "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
    const char *user;
    uint32_t uid;
    const char *name, *id, *terminal, *display, *seat, *place, *why;
    uint32_t reach, flags;
} host[] = {
    /* 0..2: ann at the desk, on a terminal within it, and by ssh */
    {"ann", 1000, ":0", "2", "tty2", ":0", "seat0", "a", "", REACH_DESKTOP, SESSION_CONSOLE},
    {"ann", 1000, "pts/1", "p17", "pts/1", "", "", "a", "", REACH_TERMINAL, 0},
    {"ann", 1000, "pts/2", "5", "pts/2", "", "", "b", "", REACH_TERMINAL, 0},
    /* 3, 4: bob, one of his without a screen */
    {"bob", 1001, "pts/3", "7", "pts/3", "", "", "c", "", REACH_TERMINAL, SESSION_DISABLED},
    {"bob", 1001, "8", "8", "", "", "", "", "", REACH_NOTHING, 0},
    /* 5: has no screen; 6: wishes no messages */
    {"sftp", 1002, "9", "9", "", "", "", "", "", REACH_NOTHING, 0},
    {"eve", 1003, "pts/5", "10", "pts/5", "", "", "e", "messages-disabled", REACH_NOTHING, 0},
    /* 7..9: names that clash: a user "7", a user "pts/2", and BOB */
    {"7", 1007, "pts/7", "11", "pts/7", "", "", "g", "", REACH_TERMINAL, 0},
    {"pts/2", 1008, "pts/8", "12", "pts/8", "", "", "h", "", REACH_TERMINAL, 0},
    {"BOB", 1009, "pts/9", "13", "pts/9", "", "", "i", "", REACH_TERMINAL, 0},
    /* 10, 11: fay, her desktop listed after a terminal in it, both in the background of a seat */
    {"fay", 1010, "pts/11", "14", "pts/11", "", "seat1", "k", "", REACH_TERMINAL, 0},
    {"fay", 1010, ":1", "15", "tty3", ":1", "seat1", "k", "", REACH_DESKTOP, 0},
    /* 12: eve again; 13, 14: a name twice, first without a screen */
    {"eve", 1003, "pts/12", "16", "pts/12", "", "", "l", "messages-disabled", REACH_NOTHING, 0},
    {"gil", 1011, "tty9", "17", "tty9", "", "", "m", "", REACH_NOTHING, 0},
    {"gil", 1011, "tty9", "18", "tty9", "", "", "n", "", REACH_TERMINAL, 0},
    /* 15, 16: hal, the console in front of the desktop of that seat */
    {"hal", 1012, ":2", "19", "tty4", ":2", "seat2", "o", "", REACH_DESKTOP, SESSION_ASIDE},
    {"hal", 1012, "tty5", "20", "tty5", "", "seat2", "o", "", REACH_TERMINAL, 0},
    /* 17..19: ivy, one id and two terminals of it, the first a part of the other's screen */
    {"ivy", 1013, "pts/13", "21", "pts/13", "", "", "q", "", REACH_TERMINAL, SESSION_ASIDE},
    {"ivy", 1013, "pts/14", "21", "pts/14", "", "", "q", "", REACH_TMUX, 0},
    {"ivy", 1013, "pts/15", "p9", "pts/15", "", "", "r", "", REACH_TERMINAL, SESSION_ASIDE},
    /* 20: lin lingers, but is not there */
    {"lin", 1099, "99", "99", "", "", "", "", "manager", REACH_NOTHING, 0},
};

static struct net_sessions sessions;
static const struct members_list no_groups;

static void everybody_logs_in(void)
{
    for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++) {
        struct boundary_session s = {
            .handle = i + 1, .uid = host[i].uid, .reach = host[i].reach, .flags = host[i].flags};
        snprintf(s.user, sizeof(s.user), "%s", host[i].user);
        snprintf(s.name, sizeof(s.name), "%s", host[i].name);
        snprintf(s.id, sizeof(s.id), "%s", host[i].id);
        snprintf(s.terminal, sizeof(s.terminal), "%s", host[i].terminal);
        snprintf(s.display, sizeof(s.display), "%s", host[i].display);
        snprintf(s.seat, sizeof(s.seat), "%s", host[i].seat);
        snprintf(s.place, sizeof(s.place), "%s", host[i].place);
        snprintf(s.why, sizeof(s.why), "%s", host[i].why);
        CU_ASSERT_FATAL(sessions_update(&sessions, &s) == 0);
    }
}

/* "user:ann" "session:pts/1" "id:2" "*" "me", or a bare name; separated by blanks. */
static size_t selectors(const char *words, struct msg_selector *out, char *store)
{
    size_t n = 0;

    strcpy(store, words);
    for (char *word = strtok(store, " "); word; word = strtok(NULL, " ")) {
        char *colon = strncmp(word, ":", 1) == 0 ? NULL : strchr(word, ':');
        struct slice value = slice_of(colon ? colon + 1 : word);
        out[n] = (struct msg_selector){0};
        if (strcmp(word, "*") == 0)
            out[n].all = true;
        else if (strcmp(word, "me") == 0)
            out[n].me = true;
        else if (strncmp(word, "user:", 5) == 0)
            out[n].user = value;
        else if (strncmp(word, "session:", 8) == 0)
            out[n].session = value;
        else if (strncmp(word, "id:", 3) == 0)
            out[n].id = value;
        else
            out[n].name = slice_of(word);
        n++;
    }
    return n;
}

/* "0 3, 1:no-target 2:no-screen(sftp)": sessions, then misses. */
static const char *told(const struct resolved *resolved)
{
    static char text[4096];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < resolved->n; i++)
        len += (size_t)sprintf(text + len, "%s%u", i ? " " : "", resolved->sessions[i]);
    for (size_t i = 0; i < resolved->n_misses; i++) {
        const struct msg_miss *miss = &resolved->misses[i];
        len += (size_t)sprintf(text + len, "%s%u:%.*s", i ? " " : ",", (unsigned)miss->to,
                               (int)miss->code.len, miss->code.ptr);
        if (miss->user.len)
            len += (size_t)sprintf(text + len, "(%.*s)", (int)miss->user.len, miss->user.ptr);
    }
    return text;
}

static bool resolves(const struct rights *rights, bool list, const char *to, const char *except,
                     const char *expected, uint32_t failures)
{
    char store[2][1024];
    struct msg_selector items[2][32];
    struct resolve_query query = {.sessions = &sessions, .rights = rights, .list = list};
    struct resolved resolved;
    size_t bad;

    query.to.n = selectors(to, items[0], store[0]);
    query.to.items = items[0];
    query.except.n = selectors(except, items[1], store[1]);
    query.except.items = items[1];
    CU_ASSERT_FATAL(resolve(&query, &resolved, &bad) == 0);
    bool same = strcmp(told(&resolved), expected) == 0 && resolved.failures == failures;
    if (!same)
        printf("\n  %s but %s: expected %s /%u, got %s /%u\n", to, except, expected, failures,
               told(&resolved), resolved.failures);
    resolved_release(&resolved);
    return same;
}

struct row {
    const char *to, *except, *expected;
    uint32_t failures;
};

static void check(const struct rights *rights, bool list, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CU_ASSERT(
            resolves(rights, list, rows[i].to, rows[i].except, rows[i].expected, rows[i].failures));
}
#define CHECK(rights, list, rows) check(rights, list, rows, sizeof(rows) / sizeof(rows[0]))

static const struct rights root = {
    .any = true, .all = true, .who = true, .override = true, .local = true, .uid = 0};
static const struct rights ann = {.any = true, .who = true, .local = true, .uid = 1000};
static const struct rights service = {.local = true, .uid = 1001};

static void names(void)
{
    static const struct row rows[] = {
        {"ann", "", "0 2", 0},                  /* a screen each, not a session each */
        {"user:ann", "", "0 2", 0},             /* ... */
        {"ANN", "", "0 2", 0},                  /* in any case, if there is no exact one */
        {"bob", "", "3", 0},                    /* exact case first; without a screen: left out */
        {"BOB", "", "9", 0},                    /* ... */
        {"Bob", "", "3 9", 0},                  /* neither exactly: both */
        {"pts/1", "", "1", 0},                  /* a session means that one */
        {"session:pts/1", "", "1", 0},          /* ... */
        {"tty2", "", "0", 0},                   /* by terminal, */
        {"seat0", "", "0", 0},                  /* by seat, */
        {"console", "", "0", 0},                /* by being in front */
        {"pts/2", "", "8", 0},                  /* user before session */
        {"session:pts/2", "", "2", 0},          /* ... */
        {"7", "", "3", 0},                      /* all digits: the id before the user */
        {"user:7", "", "7", 0},                 /* ... */
        {"id:7", "", "3", 0},                   /* ... */
        {"p17", "", "1", 0},                    /* an id that is no number */
        {"id:pts/1", "", ",0:no-target", 1},    /* kinds do not mix */
        {"user:pts/1", "", ",0:no-target", 1},  /* ... */
        {"session:ann", "", ",0:no-target", 1}, /* ... */
        {"carol", "", ",0:no-target", 1},       /* not there */
        {"99", "", ",0:no-target", 1},          /* ... */
        {"ann ann pts/2 :0", "", "0 2 8", 0},   /* each place once */
        {"pts/1 :0", "", "1", 0},               /* the same screen */
        {"pts/1 ann", "", "1 2", 0},            /* ... */
        {"seat1", "", ",0:no-target", 1},       /* nobody of it is in front */
        {"fay", "", "11", 0},                   /* where she looks */
        {"tty9", "", "14", 0},                  /* of two, the one that can be reached */
        {"hal", "", "16", 0},                   /* what is in front, not what stands aside */
        {":2", "", "15", 0},                    /* ... unless it is meant */
        {"id:19", "", "15", 0},                 /* ... */
        {"ivy", "", "18 19", 0},                /* aside, but nothing else of its place is there */
        {"pts/13", "", "17", 0},                /* a session means that one */
        {"id:21", "", "18", 0},                 /* of two with one id, what does not stand aside */
        {"pts/13 ivy", "", "17 19", 0},         /* one screen is one delivery */
        {"carol ann dave", "", "0 2,0:no-target 2:no-target", 2},
    };

    CHECK(&root, false, rows);
}

static void people_out_of_reach(void)
{
    static const struct row rows[] = {
        {"sftp", "", ",0:no-screen(sftp)", 1},
        {"id:8", "", ",0:no-screen(bob)", 1},
        {"eve", "", ",0:messages-disabled(eve)", 1},
        {"pts/5", "", ",0:messages-disabled(eve)", 1},
        {"*", "", "0 2 3 7 8 9 11 14 16 18 19,0:messages-disabled(eve)", 0},
        {"* * *", "", "0 2 3 7 8 9 11 14 16 18 19,0:messages-disabled(eve)", 0},
        {"ann eve", "", "0 2,1:messages-disabled(eve)", 1},
        {"lin", "", ",0:no-target", 1},
    };

    CHECK(&root, false, rows);
}

static void taken_away(void)
{
    static const struct row rows[] = {
        {"*", "me", "3 7 8 9 11 14 16 18 19,0:messages-disabled(eve)", 0},
        {"ann", "me", ",0:left-out", 0},
        {"ann", "session:pts/1", "2", 0}, /* with its whole screen */
        {"ann bob", "pts/3 user:7", "0 2,1:left-out", 0},
        {"*",
         "user:hal user:ivy user:fay user:gil user:eve user:BOB user:pts/2 user:7 session:pts/3",
         "0 2", 0},
        {"pts/1", "id:p17", ",0:left-out", 0},
        {"carol", "me", ",0:no-target", 1},
    };
    struct rights everybody = ann;

    everybody.all = true;
    CHECK(&everybody, false, rows);
}

static void not_everybody_may_message_all(void)
{
    static const struct row rows[] = {
        {"*", "", ",0:forbidden", 1},
        {"* bob", "", "3,0:forbidden", 1},
    };

    CHECK(&ann, false, rows);
}

static void a_service_reaches_itself(void)
{
    static const struct row rows[] = {
        {"bob", "", "3", 0},
        {"ann", "", ",0:forbidden", 1},
        {"carol", "", ",0:forbidden", 1},
        {"pts/2", "", ",0:forbidden", 1},
        {"id:2", "", ",0:forbidden", 1},
        {"id:99", "", ",0:forbidden", 1},
        {"id:8", "", ",0:no-screen(bob)", 1},
    };

    CHECK(&service, false, rows);
}

/* Inside to= one is told what is there; outside everything looks alike. */
static void within_to(void)
{
    static const struct row rows[] = {
        {"ann", "", "0 2", 0},
        {"user:dave", "", ",0:no-target", 1}, /* listed, not there */
        {"sftp", "", ",0:no-screen(sftp)", 1},
        {"bob", "", ",0:forbidden", 1},
        {"user:bob", "", ",0:forbidden", 1},
        {"user:carol", "", ",0:forbidden", 1},
        {"carol", "", ",0:forbidden", 1},
        {"pts/3", "", ",0:forbidden", 1},
        {"pts/99", "", ",0:forbidden", 1},
        {"session:pts/3", "", ",0:no-target", 1},
        {"session:pts/99", "", ",0:no-target", 1},
        {"id:7", "", ",0:no-target", 1},
        {"id:99", "", ",0:no-target", 1},
        {"pts/1", "", "1", 0},
        {"pts/2", "", "2", 0}, /* not the user of that name, who is outside */
        {"*", "", ",0:forbidden", 1},
    };
    struct authorized_key key;
    struct diag diag;

    CU_ASSERT_FATAL(authorized_key_parse(SLICE(KEY " to=ann,dave,sftp far"), &key, &diag) == 0);
    struct rights rights = rights_of_key(&key, PERM_EVERY, &no_groups);
    CHECK(&rights, false, rows);

    static const struct row with_all[] = {{"*", "", "0 2", 0}};
    rights.all = true;
    CHECK(&rights, false, with_all);
}

static void the_console_alone(void)
{
    static const struct row rows[] = {
        {"console", "", "0", 0},
        {"session:console", "", "0", 0},
        {"ann", "", "0", 0}, /* of her sessions that one */
        {"pts/2", "", ",0:forbidden", 1},
    };
    struct authorized_key key;
    struct diag diag;

    CU_ASSERT_FATAL(authorized_key_parse(SLICE(KEY " to=session:console far"), &key, &diag) == 0);
    struct rights rights = rights_of_key(&key, PERM_EVERY, &no_groups);
    CHECK(&rights, false, rows);
}

static void asked_who_is_there(void)
{
    static const struct row rows[] = {
        {"*", "", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", 0},
        {"ann", "", "0 1 2", 0},
        {"bob pts/3", "", "3 4", 0},
        {"carol sftp", "", "5,0:no-target", 1},
    };

    CHECK(&ann, true, rows);
}

static void wrong_kinds_are_named(void)
{
    struct msg_selector me = {.me = true}, none = {0}, ok = {.all = true}, two[] = {ok, me};
    struct resolve_query query = {.sessions = &sessions, .rights = &root, .to = {two, 2}};
    struct resolved resolved;
    size_t bad = 77;

    CU_ASSERT(resolve(&query, &resolved, &bad) == -EINVAL && bad == 1);
    query.to = (struct msg_selector_list){&ok, 1};
    query.except = (struct msg_selector_list){&none, 1};
    CU_ASSERT(resolve(&query, &resolved, &bad) == -EINVAL && bad == LIM_SELECTORS);
}

static void crowd(size_t n, int expected)
{
    struct net_sessions many = {0};
    struct msg_selector all = {.all = true};
    struct resolve_query query = {.sessions = &many, .rights = &root, .to = {&all, 1}};
    struct resolved resolved = {0};
    size_t bad;

    for (size_t i = 0; i < n; i++) {
        struct boundary_session s = {.handle = i, .reach = REACH_TERMINAL, .uid = (uint32_t)i};
        snprintf(s.place, sizeof(s.place), "pts/%zu", i);
        CU_ASSERT_FATAL(sessions_update(&many, &s) == 0);
    }
    CU_ASSERT(resolve(&query, &resolved, &bad) == expected);
    CU_ASSERT(resolved.n == (expected == 0 ? n : 0));
    resolved_release(&resolved);
    sessions_clear(&many);
}

static void so_many_and_no_more(void)
{
    crowd(LIM_DELIVERIES, 0);
    crowd(LIM_DELIVERIES + 1, -E2BIG);
}

static void the_session_list_is_bounded_and_follows(void)
{
    struct net_sessions list = {0};
    struct boundary_session s = {.handle = 0, .uid = 5, .id = "4", .name = "pts/4"};

    for (; s.handle < LIM_SESSIONS; s.handle++)
        CU_ASSERT_FATAL(sessions_update(&list, &s) == 0);
    CU_ASSERT(sessions_update(&list, &s) == -E2BIG);
    s.handle = 7;
    s.change = SESSION_GONE;
    CU_ASSERT(sessions_update(&list, &s) == 0 && sessions_update(&list, &s) == 0);
    CU_ASSERT(list.n == LIM_SESSIONS - 1 && !sessions_find(&list, 7));
    CU_ASSERT(sessions_find(&list, 8) && sessions_find(&list, LIM_SESSIONS - 1));
    CU_ASSERT(sessions_same(&list, 5, "4", "pts/4") && !sessions_same(&list, 6, "4", "pts/4"));
    CU_ASSERT(!sessions_same(&list, 5, "5", "pts/4") && !sessions_same(&list, 5, "4", "pts/5"));
    s = (struct boundary_session){.handle = 8, .change = SESSION_CHANGED, .uid = 6};
    CU_ASSERT(sessions_update(&list, &s) == 0 && sessions_find(&list, 8)->uid == 6);
    sessions_clear(&list);
}

static bool error_is(const char *a, const char *b, const char *expected)
{
    struct msg_miss misses[] = {{.code = slice_of(a)}, {.code = slice_of(b)}};
    struct resolved resolved = {.misses = misses, .n_misses = 2};

    return strcmp(resolved_error(&resolved), expected) == 0;
}

static void nobody_reached(void)
{
    CU_ASSERT(error_is(MISS_FORBIDDEN, MISS_FORBIDDEN, "forbidden"));
    CU_ASSERT(error_is(MISS_FORBIDDEN, MISS_NO_SCREEN, "no-target"));
    CU_ASSERT(error_is(MISS_DISABLED, MISS_LEFT_OUT, "no-target"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(everybody_logs_in), /* first: the others look at them */
        UNIT_TEST(names),
        UNIT_TEST(people_out_of_reach),
        UNIT_TEST(taken_away),
        UNIT_TEST(not_everybody_may_message_all),
        UNIT_TEST(a_service_reaches_itself),
        UNIT_TEST(within_to),
        UNIT_TEST(the_console_alone),
        UNIT_TEST(asked_who_is_there),
        UNIT_TEST(wrong_kinds_are_named),
        UNIT_TEST(so_many_and_no_more),
        UNIT_TEST(the_session_list_is_bounded_and_follows),
        UNIT_TEST(nobody_reached),
        UNIT_END,
    };

    int status = unit_run("resolve", tests);
    sessions_clear(&sessions);
    return status;
}
