/* SPDX-License-Identifier: MIT */
/*
 * What logind, utmp and the table of processes say, made into one list: a fact for each session,
 * and one alone for a terminal that several of them name. Pure: what terminals there are is asked
 * through a function that is given.
 *
 * - A session of logind's has the terminal that logind names, and those of the processes below its
 *   leader: two of one ssh connection are two sessions with logind's id.
 * - A user's manager is no session.
 * - A terminal below the leader of a graphical session is a window of that desktop; so is one whose
 *   host in utmp is a display.
 * - utmp adds the terminals that logind does not know, and where somebody comes from.
 * - The processes add panes of tmux and screen and the terminals they are attached on, where nobody
 *   else names them and the user is known; and say of each terminal whether it is one.
 * - A terminal counts only for the user who owns it.
 */
#ifndef MSG_DAEMON_PRESENT_MERGE_H
#define MSG_DAEMON_PRESENT_MERGE_H

#include "daemon/present_fact.h"
#include "daemon/present_login.h"
#include "daemon/present_tree.h"

#define MERGE_TERMINALS 256 /* of one session of logind's */

struct merge_input {
    const struct login_record *const *records;
    size_t record_count;
    const struct fact_list *logins; /* utmp's, sorted */
    const struct tree *tree;        /* of the processes; empty: not known */
    bool tree_adds;                 /* panes and what they are attached on are sessions, too */
    int (*look)(const char *line, struct device *ret_device); /* device_look() */
};

/*
 * Adds all facts, sorted. What finds no memory is missing, and the list says that it is incomplete.
 */
void merge(const struct merge_input *input, struct fact_list *facts);

#endif
