/* SPDX-License-Identifier: MIT */
#include "daemon/present_tree.h"

#include "common/mem.h"

/* How the programs name themselves, as prctl(2) PR_SET_NAME or their file does. */
#define TMUX_SERVER "tmux: server"
#define TMUX_CLIENT "tmux: client"
#define SCREEN      "screen" /* server and client alike */

/* ---- parents and children -------------------------------------------------------------------- */

static int compare_pids(pid_t a, pid_t b)
{
    return (a > b) - (a < b);
}

static int by_parent(const void *first, const void *second)
{
    const struct proc *a = *(const struct proc *const *)first;
    const struct proc *b = *(const struct proc *const *)second;
    int order = compare_pids(a->parent, b->parent);
    return order != 0 ? order : compare_pids(a->pid, b->pid);
}

/* The place of the first whose parent is no lower. */
static size_t first_child(const struct tree *tree, pid_t parent)
{
    size_t low = 0, high = tree->table.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->by_parent[middle]->parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct proc *tree_session_leader(const struct tree *tree, const struct proc *proc)
{
    const struct proc *leader = proc_find(&tree->table, proc->session);
    return leader ? leader : proc;
}

static void add_terminal(const struct proc *proc, const struct proc *first[], size_t *count,
                         size_t capacity)
{
    for (size_t i = 0; i < *count; i++)
        if (first[i]->tty == proc->tty)
            return;
    if (*count < capacity)
        first[(*count)++] = proc;
}

/* Each process is visited once; a table in which they are each other's parents ends, too. */
size_t tree_terminals(const struct tree *tree, pid_t leader, dev_t through,
                      const struct proc *ret_first[], size_t capacity)
{
    size_t count = 0, waiting = 0, seen = 0, all = tree->table.count;
    const struct proc *proc = proc_find(&tree->table, leader);
    const struct proc **queue = tree->queue;
    if (!proc)
        return 0;
    queue[waiting++] = proc;
    while (seen < waiting) {
        proc = queue[seen++];
        if (proc->tty != 0 && proc->tty != through) {
            add_terminal(proc, ret_first, &count, capacity);
            continue;
        }
        for (size_t i = first_child(tree, proc->pid);
             i < all && tree->by_parent[i]->parent == proc->pid && waiting < all; i++)
            queue[waiting++] = tree->by_parent[i];
    }
    return count;
}

/* ---- multiplexers ---------------------------------------------------------------------------- */

static int by_tty(const void *first, const void *second)
{
    const struct tree_end *a = first, *b = second;
    if (a->tty != b->tty)
        return a->tty < b->tty ? -1 : 1;
    return compare_pids(a->leader->pid, b->leader->pid);
}

static int compare_owners(const struct tree_end *a, const struct tree_end *b)
{
    if (a->uid != b->uid)
        return a->uid < b->uid ? -1 : 1;
    return (a->mux > b->mux) - (a->mux < b->mux);
}

static int by_worth(const void *first, const void *second)
{
    const struct tree_end *a = first, *b = second;
    int order = compare_owners(a, b);
    if (order != 0)
        return order;
    if (a->nested != b->nested)
        return a->nested ? 1 : -1;
    return (a->leader->start < b->leader->start) - (a->leader->start > b->leader->start);
}

static const struct tree_end *find_pane(const struct tree *tree, dev_t tty)
{
    size_t low = 0, high = tree->pane_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->panes[middle].tty < tty)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->pane_count && tree->panes[low].tty == tty ? &tree->panes[low] : NULL;
}

/* A pane's first process leads a session of its own, and the server is its parent. */
static bool is_pane(const struct tree *tree, const struct proc *proc, struct tree_end *ret_pane)
{
    const struct proc *server =
        proc->pid == proc->session ? proc_find(&tree->table, proc->parent) : NULL;
    bool tmux = server && strcmp(server->name, TMUX_SERVER) == 0;
    if (!tmux && !(server && strcmp(server->name, SCREEN) == 0))
        return false;
    *ret_pane = (struct tree_end){
        .tty = proc->tty, .uid = server->uid, .mux = tmux ? MUX_TMUX : MUX_SCREEN, .leader = proc};
    return true;
}

static bool is_client(const struct tree *tree, const struct proc *proc, struct tree_end *ret_client)
{
    bool tmux = strcmp(proc->name, TMUX_CLIENT) == 0;
    if (!tmux && strcmp(proc->name, SCREEN) != 0)
        return false;
    *ret_client = (struct tree_end){.tty = proc->tty,
                                    .uid = proc->uid,
                                    .mux = tmux ? MUX_TMUX : MUX_SCREEN,
                                    .nested = find_pane(tree, proc->tty) != NULL,
                                    .leader = proc};
    return true;
}

static void sort_ends(struct tree_end *ends, size_t count, int (*order)(const void *, const void *))
{
    if (count > 0)
        qsort(ends, count, sizeof(*ends), order);
}

static void find_ends(struct tree *tree)
{
    const struct proc *items = tree->table.items;
    for (size_t i = 0; i < tree->table.count; i++)
        if (items[i].tty != 0 && is_pane(tree, &items[i], &tree->panes[tree->pane_count]))
            tree->pane_count++;
    sort_ends(tree->panes, tree->pane_count, by_tty);
    for (size_t i = 0; i < tree->table.count; i++)
        if (items[i].tty != 0 && is_client(tree, &items[i], &tree->clients[tree->client_count]))
            tree->client_count++;
    sort_ends(tree->clients, tree->client_count, by_worth);
}

const struct tree_end *tree_pane(const struct tree *tree, dev_t tty)
{
    return find_pane(tree, tty);
}

const struct tree_end *tree_client(const struct tree *tree, uid_t uid, enum tree_mux mux)
{
    const struct tree_end key = {.uid = uid, .mux = mux};
    size_t low = 0, high = tree->client_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_owners(&tree->clients[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->client_count && compare_owners(&tree->clients[low], &key) == 0
               ? &tree->clients[low]
               : NULL;
}

bool tree_is_attached(const struct tree *tree, uid_t uid, dev_t tty)
{
    const struct tree_end *client = tree_client(tree, uid, MUX_TMUX);
    const struct tree_end *end = tree->clients + tree->client_count;
    for (; client && client < end && client->uid == uid && client->mux == MUX_TMUX; client++)
        if (client->tty == tty)
            return true;
    return false;
}

/* ---- the whole ------------------------------------------------------------------------------- */

int tree_build(struct proc_table *table, struct tree *ret_tree)
{
    struct tree tree = {.table = *table};
    *table = (struct proc_table){0};
    size_t count = tree.table.count;
    tree.by_parent = calloc(count + 1, sizeof(*tree.by_parent));
    tree.queue = calloc(count + 1, sizeof(*tree.queue));
    tree.panes = calloc(count + 1, sizeof(*tree.panes));
    tree.clients = calloc(count + 1, sizeof(*tree.clients));
    if (!tree.by_parent || !tree.queue || !tree.panes || !tree.clients) {
        tree_free(&tree);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        tree.by_parent[i] = &tree.table.items[i];
    if (count > 0)
        qsort(tree.by_parent, count, sizeof(*tree.by_parent), by_parent);
    find_ends(&tree);
    *ret_tree = tree;
    return 0;
}

void tree_free(struct tree *tree)
{
    proc_table_free(&tree->table);
    free(tree->by_parent);
    free(tree->queue);
    free(tree->panes);
    free(tree->clients);
    *tree = (struct tree){0};
}
