/* SPDX-License-Identifier: MIT */
#include "daemon/popup_page.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/popup_keys.h"
#include "daemon/popup_message.h"
#include "daemon/popup_run.h"
#include "daemon/popup_view.h"

#include <limits.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#define READ_MS        5000 /* for tmux to hand out the buffer */
#define CLOCK_ACCURACY 10000
#define KEYS_READ      256 /* bytes at once */

struct page {
    sd_event *event;
    sd_event_source *input, *clock;
    const char *socket, *buffer;
    int helper; /* pidfd */
    struct run *reading;
    struct keys keys;
    struct view *view;
    bool counting; /* as it was drawn last */
};

/* ---- the screen ------------------------------------------------------------------------------ */

/* Where the screen has become too small nothing is drawn; the keys go on meaning what they did. */
static void draw(struct page *page, bool resized)
{
    struct winsize size = {0};
    if (resized && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
                    !view_resize(page->view, size.ws_col, size.ws_row)))
        return;
    page->counting = page->keys.counting;
    view_draw(page->view, page->counting, stdout);
    fflush(stdout);
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct page *page = userdata;
    (void)source;
    (void)info;
    if (page->view)
        draw(page, true);
    return 0;
}

/* ---- the keys -------------------------------------------------------------------------------- */

static void set_clock(struct page *page)
{
    uint64_t due = keys_due(&page->keys);
    if (due != KEYS_NEVER)
        sd_event_source_set_time(page->clock, due * 1000);
    sd_event_source_set_enabled(page->clock, due != KEYS_NEVER ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void step(struct page *page, struct slice bytes)
{
    struct keys_step step = keys_step(&page->keys, bytes, clock_ms(CLOCK_BOOTTIME));
    if (step.verdict == KEYS_CONFIRMED)
        sd_event_exit(page->event, PAGE_CONFIRMED);
    else if (step.verdict == KEYS_DISMISSED)
        sd_event_exit(page->event, PAGE_DISMISSED);
    else if (step.verdict == KEYS_ANSWERED)
        sd_event_exit(page->event, PAGE_ANSWERED + (int)step.answer);
    if (step.to_top || step.to_end)
        view_scroll_to(page->view, step.to_end);
    view_scroll(page->view, step.rows, step.pages);
    if (step.to_top || step.to_end || step.rows != 0 || step.pages != 0 ||
        page->keys.counting != page->counting)
        draw(page, false);
    set_clock(page);
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    step(userdata, (struct slice){0});
    return 0;
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct page *page = userdata;
    char bytes[KEYS_READ];
    ssize_t len = read(fd, bytes, sizeof(bytes));
    (void)source;
    (void)events;
    if (len > 0)
        step(page, (struct slice){bytes, (size_t)len});
    else if (len == 0 || (errno != EINTR && errno != EAGAIN))
        sd_event_exit(page->event, PAGE_FAILED);
    return 0;
}

/* All that was typed is read before the clock is looked at: silence decides. */
static int take_keyboard(struct page *page, unsigned answers)
{
    struct termios terminal;
    if (tcgetattr(STDIN_FILENO, &terminal) < 0)
        return mem_errno();
    cfmakeraw(&terminal);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal) < 0)
        return mem_errno();
    keys_start(&page->keys, answers, clock_ms(CLOCK_BOOTTIME));
    int r = sd_event_add_io(page->event, &page->input, STDIN_FILENO, EPOLLIN, on_input, page);
    if (r >= 0)
        r = sd_event_source_set_priority(page->input, SD_EVENT_PRIORITY_IMPORTANT);
    if (r >= 0)
        r = sd_event_add_time(page->event, &page->clock, CLOCK_BOOTTIME, 0, CLOCK_ACCURACY,
                              on_clock, page);
    if (r >= 0)
        set_clock(page);
    return r;
}

/* ---- the message ----------------------------------------------------------------------------- */

static int show(struct page *page, struct slice bytes)
{
    struct popup_message message;
    struct winsize size = {0};
    int r = message_read(bytes, &message);
    if (r < 0)
        return r;
    page->view = view_new(&message);
    if (!page->view)
        return -ENOMEM;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return mem_errno();
    if (!view_resize(page->view, size.ws_col, size.ws_row))
        return -ENOSPC;
    r = take_keyboard(page, present_answers_count(message.texts.answers));
    if (r < 0)
        return r;
    draw(page, false);
    return syscall(SYS_pidfd_send_signal, page->helper, PAGE_UP, NULL, 0) < 0 ? mem_errno() : 0;
}

static void on_read(void *userdata, int status, struct slice output)
{
    struct page *page = userdata;
    page->reading = NULL;
    if (status != 0 || show(page, output) < 0)
        sd_event_exit(page->event, PAGE_FAILED);
}

static int read_buffer(struct page *page)
{
    const char *const argv[] = {"tmux", "-N",         "-S", page->socket, "save-buffer",
                                "-b",   page->buffer, "-",  ";",          "delete-buffer",
                                "-b",   page->buffer, NULL};
    const struct run_job job = {.argv = argv,
                                .output_max = LIM_DATAGRAM,
                                .deadline_ms = READ_MS,
                                .done = on_read,
                                .userdata = page};
    return run_start(page->event, &job, &page->reading);
}

/* ---- the program ----------------------------------------------------------------------------- */

static int on_helper_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct page *page = userdata;
    (void)source;
    (void)fd;
    (void)events;
    sd_event_exit(page->event, PAGE_FAILED);
    return 0;
}

static int find_helper(const char *pid)
{
    char *end;
    errno = 0;
    long number = strtol(pid, &end, 10);
    if (errno != 0 || *end != '\0' || number < 2 || number > INT_MAX)
        return -EINVAL;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)number, 0);
    return fd < 0 ? mem_errno() : fd;
}

static int run(struct page *page, const char *helper)
{
    sigset_t resize;
    sigemptyset(&resize);
    sigaddset(&resize, SIGWINCH);
    sigprocmask(SIG_BLOCK, &resize, NULL);
    page->helper = find_helper(helper);
    int r = page->helper < 0 ? page->helper : sd_event_new(&page->event);
    if (r >= 0)
        r = sd_event_add_io(page->event, NULL, page->helper, EPOLLIN, on_helper_gone, page);
    if (r >= 0)
        r = sd_event_add_signal(page->event, NULL, SIGWINCH, on_resize, page);
    if (r >= 0)
        r = read_buffer(page);
    if (r >= 0)
        r = sd_event_loop(page->event);
    return r < 0 ? PAGE_FAILED : r;
}

int popup_page(char **arguments)
{
    struct page page = {.socket = arguments[0], .buffer = arguments[1], .helper = -1};
    tzset();
    int status = setlocale(LC_CTYPE, "C.UTF-8") ? run(&page, arguments[2]) : PAGE_FAILED;
    run_cancel(page.reading);
    view_free(page.view);
    sd_event_source_disable_unref(page.input);
    sd_event_source_disable_unref(page.clock);
    sd_event_unref(page.event);
    mem_close_fd(&page.helper);
    return status;
}
