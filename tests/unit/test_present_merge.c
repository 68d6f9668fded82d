/* SPDX-License-Identifier: MIT */
/*
 * Hosts as they were seen, and the list that is made of them. A story has
 *   logind     "ID UID TYPE/STATE/CLASS LEADER TTY VT SEAT DISPLAY", its user's name is u and the
 * uid utmp       "LINE UID PID HOST" processes  "PID PARENT SESSION TTY UID NAME", started at the
 * time PID terminals  "LINE UID", separated by blanks: what is in /dev, and whose and "-" is none.
 * The list: "NAME ID LEADER reach place", then "aside" or why not; separated by "; ".
 */
#include "daemon/present_merge.h"

#include "common/mem.h"
#include "daemon/present_place.h"
#include "tests/unit/unit.h"

#include <sys/sysmacros.h>

#define ROWS 16

struct story {
    const char *name, *terminals;
    const char *logind[ROWS], *utmp[ROWS], *processes[ROWS];
    const char *list;
};

#define SSHD "100 1 100 - 0 sshd", "101 100 100 - 1000 sshd"

static const struct story stories[] = {
    {"Debian 12, ssh: utmp names the terminal",
     "pts/0 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {"pts/0 1000 101 h1"},
     {SSHD, "102 101 102 pts/0 1000 bash"},
     "pts/0 5 100 terminal pts/0"},
    {"the same before the processes are known",
     "pts/0 1000",
     {"5 1000 tty/active/user 100 pts/0 0 - -"},
     {"pts/0 1000 101 h1"},
     {NULL},
     "pts/0 5 100 terminal pts/0"},
    {"Debian 13, ssh: no utmp, no TTY",
     "pts/0 1000",
     {"5 1000 tty/active/user 100 - 0 - -", "6 1000 -/active/manager 90 - 0 - -"},
     {NULL},
     {SSHD, "90 1 90 - 1000 systemd", "102 101 102 pts/0 1000 bash"},
     "pts/0 5 100 terminal pts/0"},
    {"ssh, whose terminal nobody holds yet",
     "pts/0 1000",
     {"5 1000 tty/opening/user 100 - 0 - -"},
     {"pts/0 1000 101 h1"},
     {SSHD},
     "pts/0 p101 101 terminal pts/0"},
    {"ssh -T and sftp",
     "pts/0 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "102 101 102 - 1000 sftp-server"},
     "5 5 100 nothing - no-screen"},
    {"ssh with a master: two terminals of one session",
     "pts/0 1000 pts/1 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash", "103 101 103 pts/1 1000 bash"},
     "pts/0 5 100 terminal pts/0; pts/1 5 100 terminal pts/1"},
    {"a console",
     "tty2 1000",
     {"3 1000 tty/active/user 200 tty2 2 seat0 -"},
     {"tty2 1000 200 -"},
     {"200 1 200 tty2 0 login", "201 200 200 tty2 1000 bash"},
     "tty2 3 200 terminal tty2"},
    {"su, sudo with a terminal of its own, and script",
     "pts/0 1000 pts/1 1000 pts/2 0",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash", "103 102 102 pts/0 1000 script",
      "104 103 104 pts/1 1000 bash", "105 104 104 pts/1 0 sudo", "106 105 106 pts/2 0 bash"},
     "pts/0 5 100 terminal pts/0"},
    {"X11 with two xterms, one of which writes utmp",
     "tty2 1000 pts/0 1000 pts/1 1000",
     {"2 1000 x11/active/user 300 tty2 2 seat0 :0"},
     {"tty2 1000 301 :0", "pts/0 1000 310 :0"},
     {"300 1 300 - 0 gdm-session-wor", "301 300 300 tty2 1000 gdm-x-session",
      "302 301 300 tty2 1000 Xorg", "303 301 300 tty2 1000 openbox", "310 303 300 tty2 1000 xterm",
      "311 310 311 pts/0 1000 bash", "320 303 300 tty2 1000 alacritty",
      "321 320 321 pts/1 1000 bash", "322 321 321 pts/1 1000 script",
      "323 322 323 pts/7 1000 bash"},
     ":0 2 300 desktop desktop; pts/0 p311 311 terminal desktop aside; "
     "pts/1 p321 321 terminal desktop aside"},
    {"Wayland: its console by number alone",
     "tty3 1000",
     {"2 1000 wayland/active/user 300 - 3 seat0 -"},
     {NULL},
     {"300 1 300 - 0 gdm-session-wor", "301 300 300 tty3 1000 gnome-session"},
     "tty3 2 300 desktop desktop"},
    {"X11 without a console, and GNOME Terminal below the user's manager",
     "pts/0 1000",
     {"2 1000 x11/active/user 300 - 0 - :5"},
     {NULL},
     {"300 1 300 - 1000 sh", "400 1 400 - 1000 systemd", "401 400 400 - 1000 gnome-terminal",
      "402 401 402 pts/0 1000 bash"},
     ":5 2 300 desktop desktop"},
    {"tmux, attached by ssh",
     "pts/0 1000 pts/1 1000 pts/2 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {"pts/1 1000 103 tmux(103).%0"},
     {SSHD, "102 101 102 pts/0 1000 bash", "104 102 102 pts/0 1000 tmux: client",
      "103 1 103 - 1000 tmux: server", "105 103 105 pts/1 1000 bash",
      "106 103 106 pts/2 1000 bash"},
     "pts/0 5 100 tmux pts/0; pts/1 p103 103 terminal pts/0 aside; "
     "pts/2 p106 106 terminal pts/0 aside"},
    {"tmux, detached",
     "pts/0 1000 pts/1 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash", "103 1 103 - 1000 tmux: server",
      "105 103 105 pts/1 1000 bash"},
     "pts/0 5 100 terminal pts/0; pts/1 p105 105 nothing - no-screen"},
    {"tmux, left behind by somebody who has gone",
     "pts/1 1000",
     {"5 1000 tty/closing/user -105 - 0 - -"},
     {NULL},
     {"103 1 103 - 1000 tmux: server", "105 103 105 pts/1 1000 bash"},
     "pts/1 p105 105 nothing - no-screen"},
    {"tmux of somebody whom nobody knows",
     "pts/1 1001",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "103 1 103 - 1001 tmux: server", "105 103 105 pts/1 1001 bash"},
     "5 5 100 nothing - no-screen"},
    {"tmux in a desktop's terminal that nobody else names",
     "pts/0 1000 pts/1 1000",
     {"2 1000 wayland/active/user 300 - 0 seat0 -"},
     {NULL},
     {"300 1 300 - 1000 sh", "400 1 400 - 1000 systemd", "401 400 400 - 1000 gnome-terminal",
      "402 401 402 pts/0 1000 bash", "403 402 402 pts/0 1000 tmux: client",
      "410 1 410 - 1000 tmux: server", "411 410 411 pts/1 1000 bash"},
     "seat0 2 300 desktop desktop; pts/0 p402 402 tmux desktop aside; "
     "pts/1 p411 411 terminal desktop aside"},
    {"a client that is another user's",
     "pts/0 1000 pts/1 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {"pts/1 1000 105 -"},
     {SSHD, "102 101 102 pts/0 1000 bash", "104 102 102 pts/0 1001 tmux: client",
      "103 1 103 - 1001 tmux: server", "105 103 105 pts/1 1000 bash"},
     "pts/0 5 100 terminal pts/0; pts/1 p105 105 terminal pts/1"},
    {"tmux within tmux",
     "pts/0 1000 pts/1 1000 pts/2 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash", "104 102 102 pts/0 1000 tmux: client",
      "103 1 103 - 1000 tmux: server", "105 103 105 pts/1 1000 bash",
      "106 105 105 pts/1 1000 tmux: client", "107 1 107 - 1000 tmux: server",
      "108 107 108 pts/2 1000 bash"},
     "pts/0 5 100 tmux pts/0; pts/1 p105 105 tmux pts/0 aside; "
     "pts/2 p108 108 terminal pts/0 aside"},
    {"an xterm that nobody's desktop started",
     "pts/0 1000",
     {"2 1000 x11/active/user 300 - 0 - :5"},
     {"pts/0 1000 310 :5"},
     {"300 1 300 - 0 sh", "310 1 310 - 1000 xterm", "311 310 311 pts/0 1000 bash"},
     ":5 2 300 desktop desktop; pts/0 p310 310 terminal desktop aside"},
    {"screen, attached and of another user detached",
     "pts/0 1000 pts/1 1000 pts/2 1001",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {"pts/2 1001 120 :S.0"},
     {SSHD, "102 101 102 pts/0 1000 bash", "104 102 102 pts/0 1000 screen",
      "105 104 105 - 1000 screen", "106 105 106 pts/1 1000 bash", "120 1 120 - 1001 screen",
      "121 120 121 pts/2 1001 bash", "107 104 102 pts/0 1000 sh"},
     "pts/0 5 100 terminal pts/0; pts/1 p106 106 terminal pts/0 aside; "
     "pts/2 p120 120 nothing - no-screen"},
    {"a terminal of another user's",
     "pts/0 1001 tty2 0",
     {"5 1000 tty/active/user 100 pts/0 2 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash"},
     "5 5 100 nothing - no-screen"},
    {"a leader whose pid is another's by now",
     "pts/0 1000",
     {"5 1000 tty/active/user -100 pts/0 0 - -", "6 1000 tty/active/user -101 pts/0 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash"},
     ""},
    {"processes that are hidden",
     "pts/0 1000",
     {"5 1000 tty/active/user 99 pts/0 0 - -", "6 1001 tty/active/user 98 - 0 - -"},
     {NULL},
     {"1 0 1 - 0 systemd"},
     "6 6 98 nothing - no-screen; pts/0 5 99 terminal pts/0"},
    {"a greeter, a cron job and a session that closes",
     "tty1 110 pts/0 1000",
     {"c1 110 wayland/active/greeter 100 tty1 1 seat0 -", "7 0 -/active/background 101 - 0 - -",
      "8 1000 tty/closing/user 102 pts/0 0 - -"},
     {NULL},
     {SSHD, "102 101 102 pts/0 1000 bash"},
     "7 7 101 nothing - background; seat0 c1 100 nothing - greeter; "
     "pts/0 8 102 nothing - closing"},
    {"no logind",
     "pts/0 1000 tty2 1001",
     {NULL},
     {"pts/0 1000 101 h1", "tty2 1001 200 -"},
     {NULL},
     "tty2 p200 200 terminal tty2; pts/0 p101 101 terminal pts/0"},
    {"processes that are each other's parents",
     "pts/0 1000",
     {"5 1000 tty/active/user 100 - 0 - -"},
     {NULL},
     {"100 101 100 - 0 a", "101 100 101 - 0 b"},
     "5 5 100 nothing - no-screen"},
};

/* ---- reading a story ------------------------------------------------------------------------- */

static const struct story *told;
static char fields[8][32];

static void split(const char *row, int count)
{
    CU_ASSERT_EQUAL_FATAL(sscanf(row, "%31s %31s %31s %31s %31s %31s %31s %31s", fields[0],
                                 fields[1], fields[2], fields[3], fields[4], fields[5], fields[6],
                                 fields[7]) >= count,
                          true);
}

static const char *word(const char *field)
{
    return strcmp(field, "-") == 0 ? "" : field;
}

static dev_t tty_of(const char *line)
{
    return strncmp(line, "pts/", 4) == 0  ? makedev(136, (unsigned)atoi(line + 4))
           : strncmp(line, "tty", 3) == 0 ? makedev(4, (unsigned)atoi(line + 3))
                                          : 0;
}

static int look(const char *line, struct device *ret_device)
{
    char text[128], *next = text;

    strcpy(text, told->terminals);
    for (char *at = strtok_r(next, " ", &next); at; at = strtok_r(NULL, " ", &next)) {
        uid_t owner = (uid_t)atoi(strtok_r(NULL, " ", &next));
        if (strcmp(at, line) != 0)
            continue;
        *ret_device = (struct device){.rdev = tty_of(line), .owner = owner, .messages = true};
        strcpy(ret_device->line, line);
        return 0;
    }
    return -ENODEV;
}

static struct login_record read_record(const char *row)
{
    struct login_record record = {.since_us = 1};

    split(row, 8);
    strcpy(record.id, fields[0]);
    record.uid = (uid_t)atoi(fields[1]);
    record.gid = record.uid + 1;
    snprintf(record.user, sizeof(record.user), "u%s", fields[1]);
    CU_ASSERT_EQUAL_FATAL(
        sscanf(fields[2], "%15[^/]/%15[^/]/%23s", record.type, record.state, record.class), 3);
    record.leader = abs(atoi(fields[3])); /* "-": it started at another time */
    record.leader_start = fields[3][0] == '-' ? 1 : (uint64_t)record.leader;
    strcpy(record.line, word(fields[4]));
    record.vt = (uint32_t)atoi(fields[5]);
    strcpy(record.seat, word(fields[6]));
    strcpy(record.display, word(fields[7]));
    return record;
}

static struct session_fact read_login(const char *row)
{
    struct session_fact fact = {.since_us = 5};

    split(row, 4);
    CU_ASSERT_EQUAL(look(fields[0], &fact.device), 0);
    fact.uid = (uid_t)atoi(fields[1]);
    snprintf(fact.user, sizeof(fact.user), "u%s", fields[1]);
    fact.leader = atoi(fields[2]);
    fact.login = (struct fact_mark){fact.leader, 5};
    strcpy(fact.from, word(fields[3]));
    return fact;
}

static struct proc read_proc(const char *row)
{
    struct proc proc = {0};

    split(row, 6);
    proc.pid = atoi(fields[0]);
    proc.parent = atoi(fields[1]);
    proc.session = atoi(fields[2]);
    proc.tty = tty_of(fields[3]);
    proc.uid = (uid_t)atoi(fields[4]);
    proc.start = (uint64_t)proc.pid;
    snprintf(proc.name, sizeof(proc.name), "%.15s", strstr(row, fields[5]));
    return proc;
}

static int by_pid(const void *a, const void *b)
{
    return ((const struct proc *)a)->pid - ((const struct proc *)b)->pid;
}

/* ---- and telling it -------------------------------------------------------------------------- */

static void tell(const struct story *story, bool tree_adds, struct fact_list *facts)
{
    static struct login_record records[ROWS];
    const struct login_record *borrowed[ROWS];
    struct fact_list logins = {0};
    struct proc_table table = {.items = calloc(ROWS, sizeof(struct proc))};
    struct tree tree;
    struct merge_input input = {.records = borrowed,
                                .logins = &logins,
                                .tree = &tree,
                                .tree_adds = tree_adds,
                                .look = look};

    told = story;
    for (; story->logind[input.record_count]; input.record_count++) {
        records[input.record_count] = read_record(story->logind[input.record_count]);
        borrowed[input.record_count] = &records[input.record_count];
    }
    for (size_t i = 0; story->utmp[i]; i++) {
        struct session_fact fact = read_login(story->utmp[i]);
        CU_ASSERT_EQUAL(fact_add(&logins, &fact), 0);
    }
    for (; story->processes[table.count]; table.count++)
        table.items[table.count] = read_proc(story->processes[table.count]);
    qsort(table.items, table.count, sizeof(*table.items), by_pid);
    CU_ASSERT_EQUAL_FATAL(tree_build(&table, &tree), 0);
    fact_sort(&logins);
    merge(&input, facts);
    place_choose(facts);
    fact_list_free(&logins);
    tree_free(&tree);
}

static const char *list_of(const struct fact_list *facts)
{
    static const char *const reaches[] = {"nothing", "terminal", "tmux", "desktop"};
    static char text[1024];
    struct boundary_session record;
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < facts->count; i++) {
        const struct session_fact *fact = &facts->facts[i];
        fact_record(fact, 0, &record);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s %d %s %s%s%s%s",
                                i > 0 ? "; " : "", record.name, record.id, (int)fact->leader,
                                reaches[record.reach], record.place[0] ? record.place : "-",
                                record.flags & SESSION_ASIDE ? " aside" : "", fact->why ? " " : "",
                                fact->why ? fact->why : "");
    }
    return text;
}

static void hosts_as_they_are(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
        struct fact_list facts = {0};
        tell(&stories[i], true, &facts);
        if (strcmp(list_of(&facts), stories[i].list) != 0)
            printf("\n  %s:\n  expected %s\n  got      %s\n", stories[i].name, stories[i].list,
                   list_of(&facts));
        CU_ASSERT_STRING_EQUAL(list_of(&facts), stories[i].list);
        fact_list_free(&facts);
    }
}

/* What is not told of by logind or utmp is no session where those alone are to be believed. */
static void processes_may_only_explain(void)
{
    static const struct story story = {
        "a private utmp",
        "pts/0 1000 pts/1 1000 pts/2 1000",
        {NULL},
        {"pts/0 1000 102 -"},
        {"102 1 102 pts/0 1000 bash", "104 102 102 pts/0 1000 tmux: client",
         "103 1 103 - 1000 tmux: server", "105 103 105 pts/1 1000 bash",
         "110 1 110 pts/2 1000 bash", "111 110 110 pts/2 1000 tmux: client"},
        ""};
    struct fact_list facts = {0};

    tell(&story, false, &facts);
    CU_ASSERT_STRING_EQUAL(list_of(&facts), "pts/0 p102 102 tmux pts/0");
    fact_list_free(&facts);
    tell(&story, true, &facts);
    CU_ASSERT_EQUAL(facts.count, 3);
    fact_list_free(&facts);
}

static void a_session_has_what_its_sources_know(void)
{
    static const struct story story = {"",
                                       "pts/0 1000",
                                       {"5 1000 tty/active/user 100 - 0 - -"},
                                       {"pts/0 1000 101 h1"},
                                       {SSHD, "102 101 102 pts/0 1000 bash"},
                                       ""};
    struct fact_list facts = {0};

    tell(&story, true, &facts);
    CU_ASSERT_EQUAL_FATAL(facts.count, 1);
    const struct session_fact *fact = &facts.facts[0];
    CU_ASSERT_STRING_EQUAL(fact->user, "u1000");
    CU_ASSERT_EQUAL(fact->gid, 1001);
    CU_ASSERT_STRING_EQUAL(fact->from, "h1");
    CU_ASSERT(fact->login.leader == 101 && fact->login.since_us == 5);
    CU_ASSERT_EQUAL(fact->since_us, 1);
    fact_list_free(&facts);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(hosts_as_they_are),
        UNIT_TEST(processes_may_only_explain),
        UNIT_TEST(a_session_has_what_its_sources_know),
        UNIT_END,
    };

    return unit_run("present_merge", tests);
}
