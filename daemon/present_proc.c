/* SPDX-License-Identifier: MIT */
#include "daemon/present_proc.h"

#include "common/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- one line -------------------------------------------------------------------------------- */

/*
 * proc(5): "pid (comm) state ppid pgrp session tty_nr tpgid ... starttime": fields from state on.
 */
enum {
    FIELD_PARENT = 1,
    FIELD_SESSION = 3,
    FIELD_TTY = 4,
    FIELD_FLAGS = 6,
    FIELD_START = 19,
};

/*
 * The kernel's PF_KTHREAD. That it has no session says nothing: nor has, seen from a container,
 * what was put into it from outside.
 */
#define FLAG_KERNEL_THREAD 0x00200000

/* Decimal with a sign, as the kernel prints; the place behind it, or NULL. */
static const char *take_number(const char *at, int64_t *ret_number)
{
    char *end;
    if ((*at < '0' || *at > '9') && *at != '-')
        return NULL;
    errno = 0;
    *ret_number = strtoll(at, &end, 10);
    return errno == 0 && end > at ? end : NULL;
}

static bool is_pid(int64_t number)
{
    return number >= 0 && number <= INT32_MAX;
}

/* The kernel's new_encode_dev(): 12 bits of major between 8 and 12 bits of minor. */
static dev_t decode_device(int64_t number)
{
    uint32_t code = (uint32_t)number;
    return code == 0 ? 0 : makedev((code >> 8) & 0xfff, (code & 0xff) | ((code >> 12) & 0xfff00));
}

/* The numbers behind the state. */
static bool take_fields(const char *at, struct proc *proc)
{
    int64_t number;
    for (int field = FIELD_PARENT; field <= FIELD_START; field++) {
        if (*at++ != ' ' || !(at = take_number(at, &number)))
            return false;
        if ((field == FIELD_PARENT || field == FIELD_SESSION) && !is_pid(number))
            return false;
        if (field == FIELD_FLAGS && (number & FLAG_KERNEL_THREAD))
            return false;
        if (field == FIELD_PARENT)
            proc->parent = (pid_t)number;
        else if (field == FIELD_SESSION)
            proc->session = (pid_t)number;
        else if (field == FIELD_TTY)
            proc->tty = decode_device(number);
        else if (field == FIELD_START)
            proc->start = (uint64_t)number;
    }
    return true;
}

/* The name may hold blanks and parentheses: it ends at the last one. */
bool proc_read(const char *line, size_t len, struct proc *ret_proc)
{
    char text[PROC_LINE + 1];
    struct proc proc = {0};
    int64_t pid;
    if (len > PROC_LINE || memchr(line, '\0', len))
        return false;
    memcpy(text, line, len);
    text[len] = '\0';
    const char *open = take_number(text, &pid);
    char *close = strrchr(text, ')');
    if (!open || pid < 1 || !is_pid(pid) || strncmp(open, " (", 2) != 0 || !close ||
        close < open + 2 || close[1] != ' ' || close[2] == '\0')
        return false;
    if (strchr("ZXx", close[2]) || !take_fields(close + 3, &proc))
        return false;
    proc.pid = (pid_t)pid;
    *close = '\0';
    snprintf(proc.name, sizeof(proc.name), "%s", open + 2);
    *ret_proc = proc;
    return true;
}

/* ---- the look -------------------------------------------------------------------------------- */

static bool read_stat(int folder, const char *name, struct proc *ret_proc)
{
    char line[PROC_LINE];
    CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, line, sizeof(line));
    return len > 0 && proc_read(line, (size_t)len, ret_proc);
}

/* The folder's owner is the process's effective user, also where that one hides the rest. */
static bool look_at(int all, const char *pid, struct proc *ret_proc)
{
    struct stat st;
    CLEANUP_FD int folder = openat(all, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || !read_stat(folder, "stat", ret_proc))
        return false;
    ret_proc->uid = (uid_t)-1;
    bool asked = ret_proc->tty != 0 || strncmp(ret_proc->name, "tmux", 4) == 0 ||
                 strcmp(ret_proc->name, "screen") == 0;
    if (asked && fstat(folder, &st) == 0)
        ret_proc->uid = st.st_uid;
    return true;
}

static int table_add(struct proc_table *table, size_t *capacity, const struct proc *proc)
{
    if (table->count == *capacity) {
        size_t wanted = *capacity > 0 ? *capacity * 2 : 256;
        struct proc *items = reallocarray(table->items, wanted, sizeof(*items));
        if (!items)
            return -ENOMEM;
        table->items = items;
        *capacity = wanted;
    }
    table->items[table->count++] = *proc;
    return 0;
}

static int by_pid(const void *first, const void *second)
{
    const struct proc *a = first, *b = second;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

int proc_scan(struct proc_table *ret_table)
{
    struct proc_table table = {0};
    size_t capacity = 0;
    struct dirent *entry;
    struct proc proc;
    int r = 0;
    __attribute__((cleanup(close_folder))) DIR *folder = opendir("/proc");
    if (!folder)
        return mem_errno();
    while (r == 0 && table.count < PROC_MAX && (entry = readdir(folder)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            look_at(dirfd(folder), entry->d_name, &proc))
            r = table_add(&table, &capacity, &proc);
    if (r < 0) {
        proc_table_free(&table);
        return r;
    }
    if (table.count > 0)
        qsort(table.items, table.count, sizeof(*table.items), by_pid);
    *ret_table = table;
    return 0;
}

void proc_table_free(struct proc_table *table)
{
    free(table->items);
    *table = (struct proc_table){0};
}

const struct proc *proc_find(const struct proc_table *table, pid_t pid)
{
    const struct proc key = {.pid = pid};
    return table->count > 0
               ? bsearch(&key, table->items, table->count, sizeof(*table->items), by_pid)
               : NULL;
}

uint64_t proc_start_of(pid_t pid)
{
    char name[32];
    struct proc proc;
    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    return read_stat(AT_FDCWD, name, &proc) && proc.pid == pid ? proc.start : 0;
}
