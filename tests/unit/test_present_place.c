/* SPDX-License-Identifier: MIT */
/*
 * The choice of place, as a table: who is there, one row a session, and what each is to be told of.
 * A row is "UID ID type/state/class seat terminal marks", the marks being
 *   tmux: a client is attached on it   desktop: a window of the desktop   in=N: a pane, attached on
 *   pts/N   detached: a pane, not attached   "-" is none.
 * The outcome is "reach place", then "aside" or why not.
 */
#include "daemon/present_place.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <sys/sysmacros.h>

#define ROWS 8

struct story {
    const char *name;
    struct {
        const char *seen, *outcome;
    } rows[ROWS];
};

static const struct story stories[] = {
    {"an ssh terminal", {{"1000 5 tty/active/user - pts/0 -", "terminal pts/0"}}},
    {"ssh -T, and sftp", {{"1000 5 tty/active/user - - -", "nothing - no-screen"}}},
    {"a console", {{"1000 5 tty/active/user seat0 tty2 -", "terminal tty2"}}},
    {"known to utmp alone", {{"1000 - -/-/- - pts/0 -", "terminal pts/0"}}},
    {"X11", {{"1000 2 x11/active/user seat0 tty2 -", "desktop desktop"}}},
    {"Wayland, without a terminal", {{"1000 2 wayland/active/user seat0 - -", "desktop desktop"}}},
    {"Mir, in the background", {{"1000 2 mir/online/user seat0 - -", "desktop desktop"}}},
    {"an xterm and what it holds",
     {{"1000 2 x11/active/user seat0 tty2 -", "desktop desktop"},
      {"1000 - -/-/- - pts/1 desktop", "terminal desktop aside"},
      {"1000 - -/-/- - pts/2 desktop,tmux", "tmux desktop aside"},
      {"1000 - -/-/- - pts/3 in=2", "terminal desktop aside"},
      {"1000 9 tty/active/user - pts/4 -", "terminal pts/4"}}},
    {"a window of a desktop that is no more",
     {{"1000 2 x11/closing/user seat0 tty2 -", "nothing - closing"},
      {"1000 - -/-/- - pts/1 desktop", "terminal pts/1"}}},
    {"tmux by ssh",
     {{"1000 5 tty/active/user - pts/0 tmux", "tmux pts/0"},
      {"1000 - -/-/- - pts/1 in=0", "terminal pts/0 aside"},
      {"1000 - -/-/- - pts/2 in=0", "terminal pts/0 aside"}}},
    {"two clients are two places",
     {{"1000 5 tty/active/user - pts/0 tmux", "tmux pts/0"},
      {"1000 6 tty/active/user - pts/3 tmux", "tmux pts/3"},
      {"1000 - -/-/- - pts/1 in=3", "terminal pts/3 aside"}}},
    {"a detached tmux", {{"1000 - -/-/- - pts/1 detached", "nothing - no-screen"}}},
    {"tmux within tmux",
     {{"1000 5 tty/active/user - pts/0 tmux", "tmux pts/0"},
      {"1000 - -/-/- - pts/1 in=0,tmux", "tmux pts/0 aside"}}},
    {"a pane on a terminal that nobody knows", {{"1000 - -/-/- - pts/1 in=7", "terminal pts/1"}}},
    {"a pane on a terminal whose session ends",
     {{"1000 5 tty/closing/user - pts/0 tmux", "nothing - closing"},
      {"1000 - -/-/- - pts/1 in=0", "terminal pts/1"}}},
    {"a pane on a terminal of somebody else",
     {{"1001 5 tty/active/user - pts/0 tmux", "tmux pts/0"},
      {"1000 - -/-/- - pts/1 in=0", "terminal pts/1"}}},
    {"panes that are each other's host",
     {{"1000 - -/-/- - pts/1 in=2", "terminal pts/1"},
      {"1000 - -/-/- - pts/2 in=1", "terminal pts/2"}}},
    {"ssh with a master: two terminals, one id",
     {{"1000 5 tty/active/user - pts/0 -", "terminal pts/0"},
      {"1000 5 tty/active/user - pts/1 -", "terminal pts/1"}}},
    {"desktop and console of one seat",
     {{"1000 2 x11/active/user seat0 tty2 -", "desktop desktop"},
      {"1000 3 tty/online/user seat0 tty3 -", "terminal desktop aside"}}},
    {"the console is in front",
     {{"1000 2 x11/online/user seat0 tty2 -", "desktop tty3 aside"},
      {"1000 3 tty/active/user seat0 tty3 -", "terminal tty3"},
      {"1000 - -/-/- - pts/1 desktop", "terminal tty3 aside"}}},
    {"neither is in front",
     {{"1000 2 tty/online/user seat0 tty2 -", "terminal tty3 aside"},
      {"1000 3 tty/online/user seat0 tty3 tmux", "tmux tty3"}}},
    {"two seats are two places",
     {{"1000 2 tty/active/user seat0 tty2 -", "terminal tty2"},
      {"1000 3 tty/active/user seat1 tty3 -", "terminal tty3"}}},
    {"one desktop a person, the one that is used",
     {{"1000 2 x11/online/user seat0 tty2 -", "desktop desktop aside"},
      {"1000 3 x11/active/user - - -", "desktop desktop"},
      {"1000 4 tty/active/user seat0 tty4 -", "terminal tty4"}}},
    {"two people at one seat",
     {{"1000 2 x11/online/user seat0 tty2 -", "desktop desktop"},
      {"1001 3 x11/active/user seat0 tty3 -", "desktop desktop"}}},
    {"a seat whose better session is closing",
     {{"1000 2 x11/closing/user seat0 tty2 -", "nothing - closing"},
      {"1000 3 tty/online/user seat0 tty3 -", "terminal tty3"}}},
    {"nobody's sessions",
     {{"110 c1 wayland/active/greeter seat0 tty1 -", "nothing - greeter"},
      {"1000 c2 x11/active/lock-screen seat0 tty2 -", "nothing - lock-screen"},
      {"0 c3 tty/active/background - - -", "nothing - background"},
      {"0 c4 tty/active/background-light - pts/4 -", "nothing - background"},
      {"1000 c5 tty/active/manager - pts/5 -", "nothing - manager"},
      {"0 c6 tty/active/manager-early - pts/6 -", "nothing - manager"},
      {"1000 c7 x11/opening/user - - -", "nothing - opening"}}},
    {"ssh, before the person's services are there",
     {{"1000 5 tty/opening/user - pts/0 -", "terminal pts/0"},
      {"1000 6 tty/opening/user - - -", "nothing - no-screen"}}},
    {"classes, states and types of later systems",
     {{"1000 5 tty/hovering/user - pts/0 -", "terminal pts/0"},
      {"1000 6 tty/active/user-brisk - pts/1 -", "terminal pts/1"},
      {"0 7 web/active/user-early - pts/2 -", "terminal pts/2"},
      {"0 8 web/active/user - - -", "nothing - no-screen"}}},
};

static void set(char *field, const char *word)
{
    if (strcmp(word, "-") != 0)
        strcpy(field, word);
}

static void set_marks(struct session_fact *fact, char *marks)
{
    for (char *mark = strtok(marks, ","); mark; mark = strtok(NULL, ",")) {
        fact->tmux |= strcmp(mark, "tmux") == 0;
        if (strcmp(mark, "desktop") == 0)
            fact->inside = INSIDE_DESKTOP;
        else if (strcmp(mark, "detached") == 0)
            fact->inside = INSIDE_DETACHED;
        else if (strncmp(mark, "in=", 3) == 0) {
            fact->inside = INSIDE_TERMINAL;
            fact->host = makedev(136, (unsigned)atoi(mark + 3));
        }
    }
}

static void read_row(const char *row, struct session_fact *ret_fact)
{
    struct session_fact fact = {.device = {.messages = true}, .since_us = 1};
    char id[16], type[16], state[16], class[24], seat[16], line[16], marks[32];

    CU_ASSERT_EQUAL_FATAL(sscanf(row, "%u %15s %15[^/]/%15[^/]/%23s %15s %15s %31s", &fact.uid, id,
                                 type, state, class, seat, line, marks),
                          8);
    set(fact.id, id), set(fact.type, type), set(fact.state, state), set(fact.class, class);
    set(fact.seat, seat), set(fact.device.line, line);
    set_marks(&fact, marks);
    if (strncmp(line, "pts/", 4) == 0)
        fact.device.rdev = makedev(136, (unsigned)atoi(line + 4));
    else if (strncmp(line, "tty", 3) == 0)
        fact.device.rdev = makedev(4, (unsigned)atoi(line + 3));
    *ret_fact = fact;
}

static const char *outcome_of(const struct session_fact *fact)
{
    static const char *const reaches[] = {"nothing", "terminal", "tmux", "desktop"};
    static char text[128];

    snprintf(text, sizeof(text), "%s %s%s%s%s", reaches[fact->reach],
             fact->place[0] != '\0' ? fact->place : "-", fact->aside ? " aside" : "",
             fact->why ? " " : "", fact->why ? fact->why : "");
    return text;
}

static bool comes_true(const struct story *story, bool backwards)
{
    struct fact_list list = {0};
    struct session_fact like;
    size_t count = 0;
    bool good = true;

    while (count < ROWS && story->rows[count].seen)
        count++;
    for (size_t i = 0; i < count; i++) {
        read_row(story->rows[backwards ? count - 1 - i : i].seen, &like);
        CU_ASSERT_EQUAL(fact_add(&list, &like), 0);
    }
    fact_sort(&list);
    place_choose(&list);
    for (size_t i = 0; i < count; i++) {
        read_row(story->rows[i].seen, &like);
        const struct session_fact *fact = fact_find(&list, &like);
        CU_ASSERT_FATAL(fact != NULL);
        if (strcmp(outcome_of(fact), story->rows[i].outcome) == 0)
            continue;
        printf("\n  %s: %s: expected %s, got %s\n", story->name, story->rows[i].seen,
               story->rows[i].outcome, outcome_of(fact));
        good = false;
    }
    fact_list_free(&list);
    return good;
}

static void everybody_has_his_place(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
        CU_ASSERT(comes_true(&stories[i], false));
        CU_ASSERT(comes_true(&stories[i], true));
    }
}

/* Of two that are worth the same the later one counts, whatever the order. */
static void the_later_desktop_counts(void)
{
    struct fact_list list = {0};
    struct session_fact one;

    for (unsigned i = 0; i < 3; i++) {
        read_row("1000 5 x11/active/user - pts/0 -", &one);
        one.device.rdev += i;
        one.since_us = i == 1 ? 9 : i;
        CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    }
    fact_sort(&list);
    place_choose(&list);
    CU_ASSERT(list.facts[0].aside && !list.facts[1].aside && list.facts[2].aside);
    fact_list_free(&list);
}

/* What was chosen before leaves nothing behind. */
static void a_choice_is_made_anew(void)
{
    struct fact_list list = {0};
    struct session_fact one;

    read_row("1000 5 tty/active/user - pts/0 -", &one);
    one.aside = true;
    one.why = "closing";
    strcpy(one.place, "desktop");
    CU_ASSERT_EQUAL(fact_add(&list, &one), 0);
    place_choose(&list);
    CU_ASSERT_STRING_EQUAL(outcome_of(&list.facts[0]), "terminal pts/0");
    strcpy(list.facts[0].state, "closing");
    place_choose(&list);
    CU_ASSERT_STRING_EQUAL(outcome_of(&list.facts[0]), "nothing - closing");
    fact_list_free(&list);
    place_choose(&list); /* nobody is there */
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(everybody_has_his_place),
        UNIT_TEST(the_later_desktop_counts),
        UNIT_TEST(a_choice_is_made_anew),
        UNIT_END,
    };

    return unit_run("present_place", tests);
}
