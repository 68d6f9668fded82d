/* SPDX-License-Identifier: MIT */
/*
 * A message in tmux. What waits for an answer is a popup, opened when the person has not typed for
 * a while; what does not is a line in the status line. Told in order: find the server that has the
 * client, wait for stillness, show it, see what became of it, tidy up.
 */
#include "common/clock.h"
#include "common/mem.h"
#include "daemon/popup_listeners.h"
#include "daemon/popup_message.h"
#include "daemon/popup_page.h"
#include "daemon/popup_tmux_inside.h"

#include <sys/random.h>

#define CALL_MS        1500 /* for an answer of tmux */
#define SEARCH_MS      4000 /* for finding the client */
#define CLOCK_ACCURACY 10000

/* When it is shown: after so many seconds without a key, of which tmux tells whole ones, */
struct patience {
    uint64_t still_s;
    uint64_t latest_ms; /* or at the latest so long after it came */
};
static const struct patience for_popup = {3, 15000}, for_status = {2, 3000};

static uint64_t age_ms(const struct tmux *tmux)
{
    return clock_ms(CLOCK_BOOTTIME) - tmux->started_ms;
}

/* ---- asking tmux ----------------------------------------------------------------------------- */

#define ARGUMENTS (RUN_ARGUMENTS - 5)

int tmux_call(struct tmux *tmux, const char *const *arguments, struct slice input,
              void (*done)(void *, int, struct slice), struct run **ret_run)
{
    const char *argv[RUN_ARGUMENTS] = {"tmux", "-N", "-S", tmux->sockets.paths[tmux->at]};
    const struct run_job job = {.argv = argv,
                                .input = input,
                                .output_max = CLIENTS_OUTPUT,
                                .deadline_ms =
                                    ret_run == &tmux->display ? RUN_NO_DEADLINE : CALL_MS,
                                .done = done,
                                .userdata = tmux};
    for (size_t i = 0; arguments[i] && i < ARGUMENTS; i++)
        argv[i + 4] = arguments[i];
    return run_start(popup_event(tmux->popup), &job, ret_run);
}

int tmux_list_clients(struct tmux *tmux, void (*done)(void *, int, struct slice))
{
    static const char *const arguments[] = {"list-clients", "-F", CLIENTS_FORMAT, NULL};
    return tmux_call(tmux, arguments, (struct slice){0}, done, &tmux->call);
}

void tmux_rest(struct tmux *tmux, uint64_t ms, void (*next)(struct tmux *))
{
    tmux->next = next;
    sd_event_source_set_time_relative(tmux->clock, ms * 1000);
    sd_event_source_set_enabled(tmux->clock, SD_EVENT_ONESHOT);
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct tmux *tmux = userdata;
    (void)source;
    (void)usec;
    tmux->next(tmux);
    return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

void tmux_on_tidied(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    (void)status; /* best effort: the page has deleted it, or tmux is gone */
    (void)output;
    tmux->call = NULL;
    tmux->loaded = false;
    tmux->last(tmux->popup);
}

void tmux_tidy(struct tmux *tmux, void (*last)(struct popup *))
{
    const char *const arguments[] = {"delete-buffer", "-b", tmux->buffer, NULL};
    tmux->last = last;
    if (!tmux->loaded ||
        tmux_call(tmux, arguments, (struct slice){0}, tmux_on_tidied, &tmux->call) < 0)
        last(tmux->popup);
}

void tmux_shown(struct tmux *tmux)
{
    char by[sizeof("tmux ") + CLIENTS_VERSION];
    tmux->shown = true;
    snprintf(by, sizeof(by), "tmux %s", tmux->client.version);
    popup_shown(tmux->popup, 0, by);
}

void tmux_end(struct tmux *tmux, enum ended_how how, const char *why)
{
    popup_ended(tmux->popup, how, why, (struct slice){0});
}

/* ---- the client ------------------------------------------------------------------------------ */

/* Whether nobody types there, or it has waited long enough. */
static bool may_show(const struct tmux *tmux, const struct patience *patience)
{
    uint64_t now_s = clock_ms(CLOCK_REALTIME) / 1000;
    return now_s >= tmux->client.active_s + patience->still_s ||
           age_ms(tmux) >= patience->latest_ms;
}

static void show_when_still(struct tmux *tmux)
{
    bool wait = popup_message(tmux->popup)->wait;
    if (!may_show(tmux, wait ? &for_popup : &for_status))
        tmux_rest(tmux, TMUX_LOOK_MS, tmux_find);
    else if (wait)
        tmux_open_popup(tmux);
    else
        tmux_show_status(tmux);
}

static void on_list(void *userdata, int status, struct slice output)
{
    struct tmux *tmux = userdata;
    tmux->call = NULL;
    if (status == 0 && client_find(output, tmux->terminal, &tmux->client) == 0) {
        tmux->found = true;
        show_when_still(tmux);
        return;
    }
    if (!tmux->found && tmux->at + 1 < tmux->sockets.count && age_ms(tmux) < SEARCH_MS) {
        tmux->at++;
        tmux_find(tmux);
        return;
    }
    tmux_tidy(tmux, popup_cannot); /* there is none, or it has gone meanwhile */
}

void tmux_find(struct tmux *tmux)
{
    if (tmux_list_clients(tmux, on_list) < 0)
        tmux_tidy(tmux, popup_cannot);
}

/* ---- the way --------------------------------------------------------------------------------- */

static void tmux_free(void *state)
{
    struct tmux *tmux = state;
    run_cancel(tmux->call);
    run_cancel(tmux->display);
    sd_event_source_disable_unref(tmux->clock);
    sd_event_source_disable_unref(tmux->page_up);
    mem_close_fd(&tmux->page);
    free(tmux);
}

static void take_down(void *state)
{
    struct tmux *tmux = state;
    bool status_line = tmux->shown && !popup_message(tmux->popup)->wait;
    run_cancel(TAKE(tmux->call));
    sd_event_source_set_enabled(tmux->clock, SD_EVENT_OFF);
    if (tmux_close_popup(tmux))
        return;
    if (status_line)
        tmux_clear_status(tmux);
    else
        tmux_tidy(tmux, popup_down);
}

/* In /tmp/tmux-UID, where tmux has them unless it is told otherwise, then where they were told. */
static int find_servers(struct tmux *tmux)
{
    char folder[32];
    snprintf(folder, sizeof(folder), "/tmp/tmux-%u", (unsigned)getuid());
    int r = sockets_list(folder, getuid(), &tmux->sockets);
    listeners_add(getuid(), &tmux->sockets);
    return tmux->sockets.count > 0 ? 0 : r;
}

static int name_things(struct tmux *tmux)
{
    const struct popup_message *message = popup_message(tmux->popup);
    uint64_t random[2];
    if (message->terminal[strspn(message->terminal, "abcdefghijklmnopqrstuvwxyz0123456789/")] !=
        '\0')
        return -EINVAL;
    snprintf(tmux->terminal, sizeof(tmux->terminal), "/dev/%s", message->terminal);
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -EIO;
    snprintf(tmux->buffer, sizeof(tmux->buffer), "msgd-%016llx%016llx",
             (unsigned long long)random[0], (unsigned long long)random[1]);
    ssize_t len = readlink("/proc/self/exe", tmux->program, sizeof(tmux->program) - 1);
    return len < 0 ? mem_errno() : 0;
}

static int watch(struct tmux *tmux)
{
    sd_event *event = popup_event(tmux->popup);
    sigset_t up;
    sigemptyset(&up);
    sigaddset(&up, PAGE_UP);
    sigprocmask(SIG_BLOCK, &up, NULL);
    int r = sd_event_add_signal(event, &tmux->page_up, PAGE_UP, tmux_on_page_up, tmux);
    if (r >= 0)
        r = sd_event_add_time(event, &tmux->clock, CLOCK_BOOTTIME, 0, CLOCK_ACCURACY, on_clock,
                              tmux);
    return r < 0 ? r : sd_event_source_set_enabled(tmux->clock, SD_EVENT_OFF);
}

static int start(struct popup *popup, void **ret_state)
{
    struct tmux *tmux = calloc(1, sizeof(*tmux));
    if (!tmux)
        return -ENOMEM;
    tmux->popup = popup;
    tmux->page = -1;
    tmux->started_ms = clock_ms(CLOCK_BOOTTIME);
    ssize_t len = message_write(popup_message(popup), tmux->bytes);
    int r = len < 0 ? (int)len : name_things(tmux);
    if (r >= 0)
        r = find_servers(tmux);
    if (r >= 0)
        r = watch(tmux);
    tmux->len = len > 0 ? (size_t)len : 0;
    if (r >= 0)
        r = tmux_list_clients(tmux, on_list);
    if (r < 0) {
        tmux_free(tmux);
        return r;
    }
    *ret_state = tmux;
    return 0;
}

const struct popup_way popup_tmux = {.start = start, .take_down = take_down, .free = tmux_free};
