/* SPDX-License-Identifier: MIT */
#include "daemon/present_device.h"

#include "common/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

/* Linux' Documentation/admin-guide/devices.txt */
#define MAJOR_TTY       4
#define MINOR_TTY_LAST  63 /* from 64 on: serial lines */
#define MAJOR_PTS_FIRST 136
#define MAJOR_PTS_LAST  143

static bool is_number(const char *digits)
{
    size_t len = strspn(digits, "0123456789");
    return len > 0 && len <= 7 && digits[len] == '\0' && (len == 1 || digits[0] != '0');
}

bool device_is_line(const char *line)
{
    if (strncmp(line, "pts/", 4) == 0)
        return is_number(line + 4);
    if (strncmp(line, "tty", 3) != 0 || !is_number(line + 3))
        return false;
    long vt = strtol(line + 3, NULL, 10);
    return vt >= 1 && vt <= MINOR_TTY_LAST;
}

static bool is_terminal(const struct stat *st)
{
    unsigned major_number = major(st->st_rdev);
    if (!S_ISCHR(st->st_mode))
        return false;
    if (major_number == MAJOR_TTY)
        return minor(st->st_rdev) >= 1 && minor(st->st_rdev) <= MINOR_TTY_LAST;
    return major_number >= MAJOR_PTS_FIRST && major_number <= MAJOR_PTS_LAST;
}

static int device_path(const char *line, char path[static DEVICE_LINE + 8])
{
    if (!device_is_line(line))
        return -EINVAL;
    snprintf(path, DEVICE_LINE + 8, "/dev/%s", line);
    return 0;
}

/* What open and stat answer where a terminal has hung up. */
static int gone_or(int error)
{
    return error == -ENOENT || error == -EIO || error == -ENXIO || error == -ENOTDIR ||
                   error == -ELOOP
               ? -ENODEV
               : error;
}

int device_look(const char *line, struct device *ret_device)
{
    char path[DEVICE_LINE + 8];
    struct stat st;
    int r = device_path(line, path);
    if (r < 0)
        return r;
    if (lstat(path, &st) < 0)
        return gone_or(mem_errno());
    if (!is_terminal(&st))
        return -ENODEV;
    *ret_device = (struct device){
        .rdev = st.st_rdev,
        .owner = st.st_uid,
        .messages = (st.st_mode & S_IWGRP) != 0,
        .used_s = st.st_atime,
    };
    snprintf(ret_device->line, sizeof(ret_device->line), "%s", line);
    return 0;
}

int device_check(const struct device_target *target, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return mem_errno();
    if (!is_terminal(&st) || st.st_rdev != target->rdev || st.st_uid != target->uid)
        return -ENODEV;
    /* write(1)'s own check: the kernel would let an owner pass, root's and one's own included. */
    if (!target->override && !(st.st_mode & S_IWGRP))
        return -EACCES;
    return 0;
}

void device_ask(int fd, struct device_screen *ret_screen)
{
    struct winsize size;
    struct termios modes;
    *ret_screen = (struct device_screen){0};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        ret_screen->columns = size.ws_col;
    if (tcgetattr(fd, &modes) == 0)
        ret_screen->utf8 = (modes.c_iflag & IUTF8) != 0;
}

/* Refused by the kernel: the messages are off, unless it is not his terminal any more. */
static int refused(const struct device_target *target)
{
    struct device device;
    int r = device_look(target->line, &device);
    if (r < 0)
        return r;
    return device.rdev == target->rdev && device.owner == target->uid ? -EACCES : -ENODEV;
}

int device_open(const struct device_target *target, int *ret_fd)
{
    char path[DEVICE_LINE + 8];
    int r = device_path(target->line, path);
    if (r < 0)
        return r;
    CLEANUP_FD int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == EACCES ? refused(target) : gone_or(mem_errno());
    r = device_check(target, fd);
    if (r < 0)
        return r;
    *ret_fd = TAKE_FD(fd);
    return 0;
}
