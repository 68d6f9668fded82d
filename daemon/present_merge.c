/* SPDX-License-Identifier: MIT */
#include "daemon/present_merge.h"

#include "common/mem.h"
#include "daemon/present_place.h"

#include <stdio.h>
#include <sys/sysmacros.h>

/* Who has which uid, by uid. */
struct name {
    uid_t uid;
    gid_t gid;
    const char *user;
};

struct merge {
    const struct merge_input *input;
    struct fact_list *facts;
    size_t sorted; /* of the facts: those before are in order */
    struct name *names;
    size_t name_count;
};

/* ---- terminals ------------------------------------------------------------------------------- */

/* The terminal of that line, if it is this user's. */
static bool look(const struct merge *merge, const char *line, uid_t uid, struct device *ret_device)
{
    struct device device;
    if (line[0] == '\0' || merge->input->look(line, &device) < 0 || device.owner != uid)
        return false;
    *ret_device = device;
    return true;
}

/* As the kernel numbers them: Documentation/admin-guide/devices.txt */
static void line_of(dev_t tty, char line[static DEVICE_LINE])
{
    memset(line, 0, DEVICE_LINE);
    if (major(tty) == 136)
        snprintf(line, DEVICE_LINE, "pts/%u", minor(tty));
    else if (major(tty) == 4)
        snprintf(line, DEVICE_LINE, "tty%u", minor(tty));
}

static bool look_at_tty(const struct merge *merge, dev_t tty, uid_t uid, struct device *ret_device)
{
    char line[DEVICE_LINE];
    line_of(tty, line);
    return look(merge, line, uid, ret_device) && ret_device->rdev == tty;
}

static struct session_fact *find(const struct merge *merge, dev_t rdev)
{
    const struct fact_list sorted = {.facts = merge->facts->facts, .count = merge->sorted};
    const struct session_fact like = {.device = {.rdev = rdev}};
    return fact_find(&sorted, &like);
}

static void sort(struct merge *merge)
{
    fact_sort(merge->facts);
    merge->sorted = merge->facts->count;
}

/* ---- logind ---------------------------------------------------------------------------------- */

#define COPY(to, from) memcpy(to, from, sizeof(to))

static struct session_fact fact_of_record(const struct login_record *record)
{
    struct session_fact fact = {
        .uid = record->uid,
        .gid = record->gid,
        .leader = record->leader,
        .since_us = record->since_us,
        .vt = record->vt,
        .idle_since_s = record->idle ? record->idle_since_us / 1000000 : 0,
        .locked = record->locked,
    };
    COPY(fact.id, record->id);
    COPY(fact.user, record->user);
    COPY(fact.from, record->from);
    COPY(fact.class, record->class);
    COPY(fact.type, record->type);
    COPY(fact.state, record->state);
    COPY(fact.display, record->display);
    COPY(fact.seat, record->seat);
    return fact;
}

/* The terminal that logind knows, by name or as the session's own console. */
static void take_own_terminal(const struct merge *merge, const struct login_record *record,
                              struct session_fact *fact)
{
    char console[DEVICE_LINE] = "";
    if (record->vt > 0)
        snprintf(console, sizeof(console), "tty%u", record->vt);
    if (!look(merge, record->line, record->uid, &fact->device))
        (void)look(merge, console, record->uid, &fact->device);
}

/* A window of the desktop is a session of its own, without logind's id. */
static void add_window(struct merge *merge, const struct session_fact *desktop,
                       const struct proc *first, const struct device *device)
{
    const struct proc *leader = tree_session_leader(merge->input->tree, first);
    struct session_fact window = {
        .device = *device,
        .uid = desktop->uid,
        .gid = desktop->gid,
        .leader = leader->pid,
        .since_us = (int64_t)leader->start,
        .inside = INSIDE_DESKTOP,
    };
    COPY(window.user, desktop->user);
    COPY(window.from, desktop->display);
    fact_add(merge->facts, &window);
}

/* The terminals below its leader; the first is the session's, if logind knows of none. */
static void add_terminals(struct merge *merge, struct session_fact fact)
{
    const struct proc *first[MERGE_TERMINALS];
    bool graphical = place_is_graphical(&fact), added = graphical || fact.device.rdev != 0;
    size_t count = tree_terminals(merge->input->tree, fact.leader, graphical ? fact.device.rdev : 0,
                                  first, ARRAY_SIZE(first));
    if (added)
        fact_add(merge->facts, &fact);
    for (size_t i = 0; i < count; i++) {
        struct device device;
        if (!look_at_tty(merge, first[i]->tty, fact.uid, &device))
            continue;
        if (graphical) {
            add_window(merge, &fact, first[i], &device);
            continue;
        }
        fact.device = device;
        added = fact_add(merge->facts, &fact) == 0;
    }
    /* A login that opens may have its terminal in a moment: it is no session without one yet. */
    if (!added && strcmp(fact.state, "opening") != 0)
        fact_add(merge->facts, &fact);
}

/*
 * The leader that logind means has ended, and its pid is another's. One that is not seen may live:
 * /proc may hide it (hidepid=).
 */
static bool has_ended(const struct merge *merge, const struct login_record *record)
{
    const struct proc *leader = proc_find(&merge->input->tree->table, record->leader);
    return leader && leader->start != record->leader_start;
}

/* A user's services, which Debian 12 does not list: they may run where nobody is logged in. */
static bool is_manager(const struct login_record *record)
{
    return strcmp(record->class, "manager") == 0 || strcmp(record->class, "manager-early") == 0;
}

static void add_record(struct merge *merge, const struct login_record *record)
{
    struct session_fact fact = fact_of_record(record);
    if (has_ended(merge, record) || is_manager(record))
        return;
    if (place_is_of_nobody(&fact)) {
        fact_add(merge->facts, &fact);
        return;
    }
    take_own_terminal(merge, record, &fact);
    add_terminals(merge, fact);
}

/* ---- utmp ------------------------------------------------------------------------------------ */

static void add_login(struct merge *merge, const struct session_fact *login)
{
    struct session_fact *known = find(merge, login->device.rdev);
    if (known) {
        known->login = login->login;
        if (known->from[0] == '\0')
            COPY(known->from, login->from);
        return;
    }
    struct session_fact fact = *login;
    if (fact.from[0] == ':')
        fact.inside = INSIDE_DESKTOP;
    fact_add(merge->facts, &fact);
}

/* ---- multiplexers ---------------------------------------------------------------------------- */

static int by_uid(const void *first, const void *second)
{
    const struct name *a = first, *b = second;
    return (a->uid > b->uid) - (a->uid < b->uid);
}

/* Of everybody who is here, also of those whose session is just over. */
static void collect_names(struct merge *merge)
{
    const struct merge_input *input = merge->input;
    merge->names = calloc(input->record_count + input->logins->count + 1, sizeof(*merge->names));
    if (!merge->names)
        return;
    for (size_t i = 0; i < input->record_count; i++)
        merge->names[merge->name_count++] =
            (struct name){input->records[i]->uid, input->records[i]->gid, input->records[i]->user};
    for (size_t i = 0; i < input->logins->count; i++)
        merge->names[merge->name_count++] = (struct name){
            input->logins->facts[i].uid, input->logins->facts[i].gid, input->logins->facts[i].user};
    if (merge->name_count > 0)
        qsort(merge->names, merge->name_count, sizeof(*merge->names), by_uid);
}

/* A pane, or the terminal of a client, that nobody else names. */
static void add_end(struct merge *merge, const struct tree_end *end, enum fact_inside inside)
{
    const struct name key = {.uid = end->uid};
    const struct name *name = bsearch(&key, merge->names, merge->name_count, sizeof(*name), by_uid);
    const struct proc *leader = tree_session_leader(merge->input->tree, end->leader);
    struct session_fact fact = {.uid = end->uid,
                                .leader = leader->pid,
                                .since_us = (int64_t)leader->start,
                                .inside = inside};
    if (!name || find(merge, end->tty) || !look_at_tty(merge, end->tty, end->uid, &fact.device))
        return;
    fact.gid = name->gid;
    snprintf(fact.user, sizeof(fact.user), "%s", name->user);
    fact_add(merge->facts, &fact);
}

static void add_ends(struct merge *merge)
{
    const struct tree *tree = merge->input->tree;
    collect_names(merge);
    for (size_t i = 0; merge->names && i < tree->pane_count; i++)
        add_end(merge, &tree->panes[i], INSIDE_NOTHING);
    sort(merge);
    /* Whoever has a desktop opened it there: logind and utmp would know the others. */
    for (size_t i = 0; merge->names && i < tree->client_count; i++)
        add_end(merge, &tree->clients[i], INSIDE_DESKTOP);
    free(merge->names);
}

/* A pane is seen where its multiplexer is attached; not even the desktop shows it otherwise. */
static void place_pane(const struct merge *merge, struct session_fact *fact)
{
    const struct tree *tree = merge->input->tree;
    const struct tree_end *pane = tree_pane(tree, fact->device.rdev);
    fact->tmux = tree_is_attached(tree, fact->uid, fact->device.rdev);
    if (!pane || pane->uid != fact->uid)
        return;
    const struct tree_end *client = tree_client(tree, pane->uid, pane->mux);
    fact->inside = client ? INSIDE_TERMINAL : INSIDE_DETACHED;
    fact->host = client ? client->tty : 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

void merge(const struct merge_input *input, struct fact_list *facts)
{
    struct merge merge = {.input = input, .facts = facts};
    for (size_t i = 0; i < input->record_count; i++)
        add_record(&merge, input->records[i]);
    sort(&merge);
    for (size_t i = 0; i < input->logins->count; i++)
        add_login(&merge, &input->logins->facts[i]);
    sort(&merge);
    if (input->tree_adds)
        add_ends(&merge);
    sort(&merge);
    for (size_t i = 0; i < facts->count; i++)
        if (facts->facts[i].device.rdev != 0)
            place_pane(&merge, &facts->facts[i]);
}
