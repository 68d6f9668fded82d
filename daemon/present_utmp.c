/* SPDX-License-Identifier: MIT */
#include "daemon/present_utmp.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <utmp.h>

const char *utmp_distrust(const struct stat *st, uid_t own, gid_t utmp_group)
{
    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (st->st_uid != 0 && st->st_uid != own)
        return "it is neither root's nor ours";
    if (st->st_mode & S_IWOTH)
        return "it is writable by everybody";
    if ((st->st_mode & S_IWGRP) && (st->st_gid != utmp_group || utmp_group == (gid_t)-1))
        return "it is writable by a group that is not utmp";
    if (st->st_size > LIM_UTMP_FILE)
        return "it is too large";
    return NULL;
}

/* A fixed field that need not be terminated; false where it does not fit with its end. */
static bool take_field(const char *field, size_t size, char *out, size_t capacity)
{
    size_t len = strnlen(field, size);
    if (len + 1 > capacity)
        return false;
    memcpy(out, field, len);
    memset(out + len, 0, capacity - len);
    return true;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

bool utmp_read(const void *record, struct utmp_login *ret_login)
{
    struct utmp entry;
    struct utmp_login login = {0};
    memcpy(&entry, record, sizeof(entry));
    if (entry.ut_type != USER_PROCESS || entry.ut_pid <= 0 ||
        !take_field(entry.ut_line, sizeof(entry.ut_line), login.line, sizeof(login.line)) ||
        !device_is_line(login.line) ||
        !take_field(entry.ut_user, sizeof(entry.ut_user), login.user, sizeof(login.user)) ||
        !user_is_name(login.user))
        return false;
    /* The remote host is told where it can be: nothing depends on it. */
    if (!take_field(entry.ut_host, sizeof(entry.ut_host), login.from, sizeof(login.from)) ||
        !is_printable(login.from))
        memset(login.from, 0, sizeof(login.from));
    login.leader = entry.ut_pid;
    login.since_us = (int64_t)entry.ut_tv.tv_sec * 1000000 + entry.ut_tv.tv_usec;
    *ret_login = login;
    return true;
}

static const char unread[] = "it cannot be read for now";

static void complain(struct utmp_source *source, const char *complaint)
{
    if (complaint && (!source->complaint || strcmp(complaint, source->complaint) != 0))
        log_warning("%s: %s", source->path, complaint);
    source->complaint = complaint;
}

static int add_login(struct utmp_source *source, const struct utmp_login *login, uint64_t now_ms,
                     struct fact_list *facts)
{
    struct session_fact fact = {.leader = login->leader,
                                .since_us = login->since_us,
                                .login = {login->leader, login->since_us}};
    struct user_ids ids;
    if (device_look(login->line, &fact.device) < 0)
        return 0;
    int r = user_lookup(source->users, login->user, now_ms, &ids);
    facts->pending = facts->pending || r == -EAGAIN;
    if (r < 0 || ids.uid != fact.device.owner)
        return 0;
    fact.uid = ids.uid;
    fact.gid = ids.gid;
    memcpy(fact.user, login->user, sizeof(fact.user));
    memcpy(fact.from, login->from, sizeof(fact.from));
    return fact_add(facts, &fact);
}

/* A file that is being written shows its last records at the next look. */
static const char *read_file(struct utmp_source *source, int fd, size_t size,
                             struct fact_list *facts)
{
    CLEANUP_FREE char *bytes = malloc(size > 0 ? size : 1);
    uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);
    struct utmp_login login;
    ssize_t len = bytes ? pread(fd, bytes, size, 0) : -1;
    if (len < 0) {
        facts->incomplete = true;
        return unread;
    }
    for (size_t at = 0; len > 0 && at + sizeof(struct utmp) <= (size_t)len;
         at += sizeof(struct utmp))
        if (utmp_read(bytes + at, &login) && add_login(source, &login, now_ms, facts) == -ENOSPC)
            return "it has more logins than sessions are kept";
    return NULL;
}

/* Nothing is wrong with the file: something is short here. */
static bool is_passing(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR || error == EIO;
}

static int on_file(sd_event_source *watch, const struct inotify_event *event, void *userdata)
{
    struct utmp_source *source = userdata;
    (void)watch;
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
        source->watch = sd_event_source_disable_unref(source->watch);
    source->on_change(source->userdata);
    return 0;
}

/* Where it cannot be watched, the next look still comes. */
static void watch_file(struct utmp_source *source)
{
    if (source->watch)
        return;
    if (sd_event_add_inotify(source->event, &source->watch, source->path,
                             IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW,
                             on_file, source) < 0)
        source->watch = NULL;
}

void utmp_close(struct utmp_source *source)
{
    source->watch = sd_event_source_disable_unref(source->watch);
}

void utmp_look(void *userdata, struct fact_list *facts)
{
    struct utmp_source *source = userdata;
    struct stat st;
    watch_file(source); /* first: what comes after the look is not missed */
    /* O_NONBLOCK: a fifo would keep us waiting before it can be refused. */
    CLEANUP_FD int fd =
        open(source->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        facts->incomplete = facts->incomplete || is_passing(errno);
        complain(source, errno == ENOENT     ? NULL
                         : is_passing(errno) ? unread
                                             : "it cannot be opened");
        return;
    }
    const char *complaint = utmp_distrust(&st, geteuid(), source->utmp_group);
    if (!complaint)
        complaint = read_file(source, fd, (size_t)st.st_size, facts);
    complain(source, complaint);
}
