/* SPDX-License-Identifier: MIT */
/*
 * Lines of /proc/PID/stat, one after another, and the tree they make: it ends, whatever they say.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/present_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 64

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_proc(const struct proc *proc)
{
    check(proc->pid >= 1 && proc->parent >= 0 && proc->session >= 0);
    check(memchr(proc->name, '\0', sizeof(proc->name)) != NULL);
}

static int by_pid(const void *a, const void *b)
{
    return ((const struct proc *)a)->pid - ((const struct proc *)b)->pid;
}

static void check_tree(struct proc_table *table)
{
    struct tree tree;
    const struct proc *first[4];

    qsort(table->items, table->count, sizeof(*table->items), by_pid);
    if (tree_build(table, &tree) < 0)
        return;
    for (size_t i = 0; i < tree.table.count; i++) {
        const struct proc *proc = &tree.table.items[i];
        size_t count = tree_terminals(&tree, proc->pid, 0, first, 4);
        check(count <= 4);
        for (size_t k = 0; k < count; k++)
            check(first[k]->tty != 0);
        check(tree_session_leader(&tree, proc) != NULL);
        (void)tree_pane(&tree, proc->tty);
        (void)tree_client(&tree, proc->uid, MUX_TMUX);
        (void)tree_is_attached(&tree, proc->uid, proc->tty);
    }
    tree_free(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proc_table table = {.items = calloc(LINES, sizeof(struct proc))};
    const char *at = (const char *)data, *end = at + size;

    while (table.items && at < end && table.count < LINES) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        if (proc_read(at, len, &table.items[table.count]))
            check_proc(&table.items[table.count++]);
        at += len + 1;
    }
    check_tree(&table);
    free(table.items); /* of a tree that could not be built: taken */
    return 0;
}
