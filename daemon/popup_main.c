/* SPDX-License-Identifier: MIT */
/*
 * msgd-popup: started by msgd-present as the user, with one socket, descriptor 3. It reads `popup`
 * and `present`, shows the message the first way that can, says `shown` and `ended`, and takes the
 * popup down at its time, at the socket's end, or when it is over. It says nothing anywhere else:
 * what went wrong is a why in `ended`, and msgd-present logs it.
 */
#include "common/mem.h"
#include "daemon/popup.h"
#include "daemon/popup_message.h"
#include "daemon/popup_page.h"

#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define PARENT         3
#define CLOCK_ACCURACY 10000 /* us */
#define FIRST_WORDS_MS 2000  /* for what is to be shown to come */

struct popup {
    sd_event *event;
    sd_event_source *input, *clock, *next;
    struct popup_message message;
    const struct popup_way *const *ways; /* NULL-terminated; the first is the one in use */
    void *state;                         /* of the way in use */
    enum { WAITS_FOR_PLACE, WAITS_FOR_TEXT, STARTS, SHOWN, GOING } step;
    char datagram[LIM_DATAGRAM]; /* what the message's texts are borrowed from */
};

sd_event *popup_event(const struct popup *popup)
{
    return popup->event;
}

const struct popup_message *popup_message(const struct popup *popup)
{
    return &popup->message;
}

static void set_clock(struct popup *popup, uint64_t ms)
{
    sd_event_source_set_time_relative(popup->clock, ms * 1000);
    sd_event_source_set_enabled(popup->clock, SD_EVENT_ONESHOT);
}

/* ---- what is said to the parent -------------------------------------------------------------- */

/* A parent that takes nothing, or is gone, is told by the socket's end. */
static void tell(const struct boundary_message *message)
{
    char datagram[1024];
    ssize_t len = boundary_encode(message, datagram, sizeof(datagram));
    if (len > 0)
        (void)boundary_send(PARENT, datagram, (size_t)len);
}

/* From here on nothing is told; the process ends when nothing is on the screen. */
static void go(struct popup *popup)
{
    if (popup->step == GOING)
        return;
    popup->step = GOING;
    set_clock(popup, POPUP_DOWN_MS);
    if (popup->state)
        (*popup->ways)->take_down(popup->state);
    else
        popup_down(popup);
}

void popup_down(struct popup *popup)
{
    if (popup->step == GOING)
        sd_event_exit(popup->event, EXIT_SUCCESS);
}

void popup_shown(struct popup *popup, unsigned flags, const char *by)
{
    struct boundary_message message = {.verb = BOUNDARY_SHOWN};
    if (popup->step != STARTS)
        return;
    popup->step = SHOWN;
    message.u.shown.reach = popup->message.reach;
    message.u.shown.flags = flags | (popup->message.locked ? SHOWN_LOCKED : 0);
    snprintf(message.u.shown.by, sizeof(message.u.shown.by), "%s", by);
    tell(&message);
}

void popup_ended(struct popup *popup, enum ended_how how, const char *why, struct slice answer)
{
    struct boundary_message message = {.verb = BOUNDARY_ENDED};
    if (popup->step != STARTS && popup->step != SHOWN)
        return;
    message.u.ended.how = how;
    snprintf(message.u.ended.why, sizeof(message.u.ended.why), "%s", why);
    message.text = answer.ptr;
    message.text_len = answer.len;
    tell(&message);
    go(popup);
}

/* ---- one way after another ------------------------------------------------------------------- */

static void start_way(struct popup *popup)
{
    while (*popup->ways && (*popup->ways)->start(popup, &popup->state) < 0)
        popup->ways++;
    if (!*popup->ways)
        popup_ended(popup, ENDED_FAILED, "helper-lost", (struct slice){0});
}

/* From the loop: who says that it cannot may be deep in a callback of its own. */
static int on_next(sd_event_source *source, void *userdata)
{
    struct popup *popup = userdata;
    (void)source;
    if (popup->step != STARTS)
        return 0;
    if (popup->state) {
        (*popup->ways)->free(TAKE(popup->state));
        popup->ways++;
    }
    start_way(popup);
    return 0;
}

void popup_cannot(struct popup *popup)
{
    if (popup->step == STARTS)
        sd_event_source_set_enabled(popup->next, SD_EVENT_ONESHOT);
}

static void choose_ways(struct popup *popup)
{
    static const struct popup_way *const desktop[] = {&popup_desktop, &popup_dialog, NULL};
    static const struct popup_way *const tmux[] = {&popup_tmux, NULL};
    static const struct popup_way *const none[] = {NULL};
    popup->ways = popup->message.reach == REACH_DESKTOP ? desktop
                  : popup->message.reach == REACH_TMUX  ? tmux
                                                        : none;
    popup->step = STARTS;
    set_clock(popup, popup->message.life_ms);
    sd_event_source_set_enabled(popup->next, SD_EVENT_ONESHOT);
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct popup *popup = userdata;
    (void)source;
    (void)usec;
    if (popup->step == STARTS)
        popup_ended(popup, ENDED_TIMED_OUT, "not-shown", (struct slice){0});
    else if (popup->step == SHOWN)
        popup_ended(popup, ENDED_TIMED_OUT, "no-answer", (struct slice){0});
    else
        sd_event_exit(popup->event, EXIT_FAILURE);
    return 0;
}

/* ---- what the parent says -------------------------------------------------------------------- */

static void take_place(struct popup *popup, const struct boundary_popup *place)
{
    popup->message.reach = (enum session_reach)place->reach;
    popup->message.locked = (place->flags & SHOWN_LOCKED) != 0;
    memcpy(popup->message.user, place->user, sizeof(place->user));
    memcpy(popup->message.terminal, place->terminal, sizeof(place->terminal));
    popup->step = WAITS_FOR_TEXT;
}

static int take_text(struct popup *popup, const struct boundary_message *message)
{
    int r = message_take(message, &popup->message);
    if (r == 0)
        choose_ways(popup);
    return r;
}

static int take(struct popup *popup, const struct boundary_message *message)
{
    if (popup->step == WAITS_FOR_PLACE && message->verb == BOUNDARY_POPUP) {
        take_place(popup, &message->u.popup);
        return 0;
    }
    if (popup->step == WAITS_FOR_TEXT && message->verb == BOUNDARY_PRESENT)
        return take_text(popup, message);
    return -EBADMSG;
}

/* Once the message is here nothing but the end may come, and its bytes are not written over. */
static int on_input(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct popup *popup = userdata;
    struct boundary_message message;
    const char *reason;
    bool reads = popup->step <= WAITS_FOR_TEXT;
    char none;
    (void)events;
    ssize_t len = reads ? boundary_receive(fd, popup->datagram, sizeof(popup->datagram))
                        : boundary_receive(fd, &none, 1);
    if (len == -EAGAIN)
        return 0;
    if (len > 0 && reads &&
        boundary_decode(&message, BOUNDARY_TO_POPUP, popup->datagram, (size_t)len, &reason) == 0 &&
        take(popup, &message) == 0)
        return 0;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    go(popup);
    return 0;
}

/* ---- the process ----------------------------------------------------------------------------- */

/*
 * At the presenter's end systemd sends SIGTERM to the whole service. The end of the connection says
 * the same, and lets us take the popup down first. Programs that we run get the default back.
 */
static void stay(int number)
{
    (void)number;
}

/*
 * What the user's other processes could do to this one: read it. Its only descriptor is the socket.
 */
static int settle(void)
{
    int type = 0;
    socklen_t len = sizeof(type);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || close_range(PARENT + 1, ~0U, 0) < 0)
        return mem_errno();
    if (getsockopt(PARENT, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET)
        return -ENOTSOCK;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stay);
    tzset();
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -ENOENT;
}

static int run(struct popup *popup)
{
    int r = settle();
    if (r >= 0)
        r = sd_event_new(&popup->event);
    if (r >= 0)
        r = sd_event_add_time_relative(popup->event, &popup->clock, CLOCK_BOOTTIME,
                                       FIRST_WORDS_MS * 1000, CLOCK_ACCURACY, on_clock, popup);
    if (r >= 0)
        r = sd_event_add_io(popup->event, &popup->input, PARENT, EPOLLIN, on_input, popup);
    if (r >= 0)
        r = sd_event_add_defer(popup->event, &popup->next, on_next, popup);
    if (r >= 0)
        r = sd_event_source_set_enabled(popup->next, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_loop(popup->event);
    return r < 0 ? EXIT_FAILURE : r;
}

static void clean_up(struct popup *popup)
{
    if (popup->state)
        (*popup->ways)->free(popup->state);
    sd_event_source_disable_unref(popup->input);
    sd_event_source_disable_unref(popup->clock);
    sd_event_source_disable_unref(popup->next);
    sd_event_unref(popup->event);
}

int main(int argc, char **argv)
{
    static struct popup popup;
    if (argc == 5 && strcmp(argv[1], "--page") == 0)
        return popup_page(argv + 2);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("msgd-popup %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc != 1) {
        fprintf(stderr, "msgd-popup: msgd-present runs it; see msgd-popup(8)\n");
        return 2;
    }
    int status = run(&popup);
    clean_up(&popup);
    return status;
}
