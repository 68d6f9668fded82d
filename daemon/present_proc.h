/* SPDX-License-Identifier: MIT */
/*
 * The processes of this host, as far as sessions need them: what is above what, on which terminal.
 * A process says of itself what it likes: its name counts for its own user's sessions only.
 * A table owns its items; a scan never waits and is bounded by PROC_MAX.
 */
#ifndef MSG_DAEMON_PRESENT_PROC_H
#define MSG_DAEMON_PRESENT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_MAX  32768 /* processes of one look; more are not seen */
#define PROC_LINE 1024  /* bytes of /proc/PID/stat: the longest is about 400 */

struct proc {
    pid_t pid, parent, session; /* the session 0: one of outside this container */
    dev_t tty;                  /* its controlling terminal; 0: none */
    uint64_t start;             /* ticks since the system's start: with the pid, who it is */
    uid_t uid;                  /* known only of what has a terminal or may be a multiplexer */
    char name[16];
};

struct proc_table {
    struct proc *items; /* by pid, rising; no kernel thread, nothing that has ended */
    size_t count;
};

/*
 * The line of /proc/PID/stat, hostile as its name is: false where it is none, or that of a thread
 * of the kernel's or of what has ended.
 */
bool proc_read(const char *line, size_t len, struct proc *ret_proc);

/* Looks at /proc. 0; or a negative errno, then there is no new table. */
int proc_scan(struct proc_table *ret_table);
void proc_table_free(struct proc_table *table);

/* The process of that pid, or NULL. */
const struct proc *proc_find(const struct proc_table *table, pid_t pid);

/* When a process started; 0: there is none. */
uint64_t proc_start_of(pid_t pid);

#endif
