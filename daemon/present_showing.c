/* SPDX-License-Identifier: MIT */
#include "daemon/present_showing.h"

#include "common/mem.h"
#include "daemon/present_letter.h"

struct showing {
    const struct showings *all; /* borrowed */
    uint64_t session;
    struct device_target target;
    uint32_t number;
    bool wait;
    bool written;          /* the terminal has it */
    struct letter *letter; /* until then; of a popup that cannot end on a terminal, NULL */
    struct terminal_job *job;
    struct popup *popup;
    void (*up)(void *userdata, enum session_reach reach, const struct heard *heard);
    void (*over)(void *userdata, enum ended_how how, const char *why, struct slice answer);
    void *userdata;
};

/* ---- on the terminal ------------------------------------------------------------------------- */

static ssize_t render(void *userdata, const struct device_screen *screen,
                      char out[static LIM_TERMINAL_WRITE])
{
    const struct showing *showing = userdata;
    struct session_where where;
    /* Once more, with the terminal open: the login is still the one that it was opened for. */
    if (!sessions_where(showing->all->sessions, showing->session, &where))
        return -ENODEV;
    return letter_render(showing->letter, screen, out);
}

static void on_written(void *userdata, int error)
{
    static const struct heard nothing = {.shown = true};
    const struct slice none = {0};
    struct showing *showing = userdata;
    showing->job = NULL;
    if (error == 0) {
        showing->written = true;
        free(TAKE(showing->letter));
        showing->up(showing->userdata, REACH_TERMINAL, &nothing);
    } else if (error == -ENODEV) {
        showing->over(showing->userdata, ENDED_SESSION_GONE, "hangup", none);
    } else if (error == -ETIMEDOUT) {
        showing->over(showing->userdata, ENDED_FAILED, "terminal-stopped", none);
    } else if (error == -EACCES || error == -EPERM || error == -EBUSY) { /* EBUSY: TIOCEXCL */
        showing->over(showing->userdata, ENDED_FAILED, "messages-disabled", none);
    } else {
        showing->over(showing->userdata, ENDED_FAILED, "internal", none);
    }
}

static int write_to_terminal(struct showing *showing)
{
    struct terminal_job_spec spec = {showing->target, render, on_written, showing};
    return terminals_write(showing->all->terminals, &spec, &showing->job);
}

/* ---- as a popup ------------------------------------------------------------------------------ */

static void on_shown(void *userdata, const struct heard *heard)
{
    struct showing *showing = userdata;
    enum session_reach reach = showing->letter ? REACH_TMUX : REACH_DESKTOP;
    showing->up(showing->userdata, reach, heard);
}

/* Where there is a letter still, there is a terminal to write it to. */
static void on_over(void *userdata, const struct heard *heard, bool was_shown)
{
    struct showing *showing = userdata;
    bool lost = heard->how == ENDED_FAILED && strcmp(heard->why, "helper-lost") == 0;
    showing->popup = NULL;
    if (lost && !was_shown && showing->letter && write_to_terminal(showing) == 0)
        return;
    showing->over(showing->userdata, heard->how, heard->why, heard->answer);
}

static int start_popup(struct showing *showing, const struct showing_order *order)
{
    const struct popup_order popup = {order->where, order->message, order->texts,
                                      on_shown,     on_over,        showing};
    return popups_show(showing->all->popups, &popup, &showing->popup);
}

/* ---- either ---------------------------------------------------------------------------------- */

static int start(struct showing *showing, const struct showing_order *order)
{
    const struct boundary_present *present = &order->message->u.present;
    enum session_reach reach = order->where->reach;
    if (reach == REACH_NOTHING)
        return -ENOTCONN;
    if (reach == REACH_TERMINAL || reach == REACH_TMUX) {
        showing->letter = letter_new(present, order->texts, order->where->user);
        if (!showing->letter)
            return -ENOMEM;
    }
    return reach == REACH_TERMINAL ? write_to_terminal(showing) : start_popup(showing, order);
}

int showing_start(const struct showings *showings, const struct showing_order *order,
                  struct showing **ret_showing)
{
    const struct boundary_present *present = &order->message->u.present;
    struct showing *showing = calloc(1, sizeof(*showing));
    if (!showing)
        return -ENOMEM;
    *showing = (struct showing){
        .all = showings,
        .session = present->session,
        .target = order->where->target,
        .number = present->number,
        .wait = (present->flags & PRESENT_WAIT) != 0,
        .up = order->up,
        .over = order->over,
        .userdata = order->userdata,
    };
    showing->target.override = (present->flags & PRESENT_OVERRIDE) != 0;
    int r = start(showing, order);
    if (r < 0) {
        free(showing->letter);
        free(showing);
        return r;
    }
    *ret_showing = showing;
    return 0;
}

void showing_end(struct showing *showing, enum withdraw_why why)
{
    if (!showing)
        return;
    if (showing->written && showing->wait)
        letter_leave_note(showing->all->terminals, &showing->target, why, showing->number);
    terminal_job_cancel(showing->job);
    popup_take_down(showing->popup);
    free(showing->letter);
    free(showing);
}
