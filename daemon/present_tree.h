/* SPDX-License-Identifier: MIT */
/*
 * What a table of processes tells of terminals: which are below a session's leader, which are panes
 * of tmux or screen, and where a client of those is attached. Pure but for its memory. A process
 * may call itself anything: each answer holds for the user whose process it is, and counts for no
 * other.
 */
#ifndef MSG_DAEMON_PRESENT_TREE_H
#define MSG_DAEMON_PRESENT_TREE_H

#include "daemon/present_proc.h"

enum tree_mux { MUX_TMUX, MUX_SCREEN };

/* A terminal that a multiplexer made (a pane), or that its client is attached on. */
struct tree_end {
    dev_t tty;
    uid_t uid; /* of the multiplexer's process */
    enum tree_mux mux;
    bool nested;               /* a client: on a pane */
    const struct proc *leader; /* of the processes on it: borrowed from the table */
};

struct tree {
    struct proc_table table;
    const struct proc **by_parent; /* children of one parent are together */
    const struct proc **queue;     /* room for one walk */
    struct tree_end *panes;        /* by terminal */
    size_t pane_count;
    struct tree_end
        *clients; /* by user and multiplexer; those in panes last, then the newest first */
    size_t client_count;
};

/* Takes the table, in any case. 0, or -ENOMEM. An all-zero tree is empty. */
int tree_build(struct proc_table *table, struct tree *ret_tree);
void tree_free(struct tree *tree);

/*
 * The terminals of the processes from `leader` downward, each with the first process met on it.
 * What is below that is not looked at: script(1), su or a multiplexer make terminals within
 * terminals. `through` is passed over (a graphical session's own console). How many there are, at
 * most capacity.
 */
size_t tree_terminals(const struct tree *tree, pid_t leader, dev_t through,
                      const struct proc *ret_first[], size_t capacity);

/* The pane that this terminal is, or NULL. */
const struct tree_end *tree_pane(const struct tree *tree, dev_t tty);

/* Where this user's tmux or screen is attached: outside of other panes, latest; or NULL. */
const struct tree_end *tree_client(const struct tree *tree, uid_t uid, enum tree_mux mux);

/* Whether a tmux client of this user is attached on this terminal. */
bool tree_is_attached(const struct tree *tree, uid_t uid, dev_t tty);

/* The leader of the process's own session, where it is known; else the process. */
const struct proc *tree_session_leader(const struct tree *tree, const struct proc *proc);

#endif
