/* SPDX-License-Identifier: MIT */
/*
 * A dialog, where there is no notification server or none with buttons: zenity, else xmessage. It
 * is started by the user's own systemd manager, which knows where his screen is, as a unit of its
 * own. The text comes to it as a file on its standard input: other users can read arguments. What
 * was pressed comes back through a pipe. One that ends within a second was pressed by somebody who
 * was typing, or could not open a window: it is tried again, and counts as shown only after that
 * time.
 */
#include "common/mem.h"
#include "daemon/popup_bus.h"
#include "daemon/popup_said.h"
#include "daemon/popup_text.h"

#include <fcntl.h>
#include <sys/mman.h>

#define BUS       "org.freedesktop.DBus"
#define MANAGER   "org.freedesktop.systemd1"
#define PATH      "/org/freedesktop/systemd1"
#define START_MS  4000 /* for the manager to start it, and it to say so */
#define STILL_MS  1000 /* an end before that is none */
#define TRIES     3
#define SAID_SIZE 512

/*
 * $1: how many answers there are; 0: an OK button. Buttons are digits: labels would be arguments.
 * zenity gives Enter to its own OK button, so that one is called otherwise and answers nothing.
 * xmessage has the X server's own fonts, by default of Latin-1 alone: without others, what is not
 * in that is written in it where it can be, else as ?, and not as letters that nobody wrote.
 * Nothing in braces behind a $: the user's manager would take it for a variable of its own.
 */
static const char script[] =
    "n=$1 i=1\n"
    "[ -n \"$WAYLAND_DISPLAY$DISPLAY\" ] || { echo none; exit 0; }\n"
    "if command -v zenity >/dev/null; then\n"
    "  shift\n"
    "  [ \"$n\" != 0 ] || set -- --extra-button=OK\n"
    "  while [ $i -le \"$n\" ]; do set -- \"$@\" --extra-button=$i; i=$((i + 1)); done\n"
    "  echo shown zenity\n"
    "  zenity --text-info --title=Message --width=560 --height=360 \\\n"
    "    --ok-label='Not yet' --cancel-label=Dismiss \"$@\"\n"
    "  echo status $?\n"
    "elif command -v xmessage >/dev/null; then\n"
    "  [ \"$n\" = 0 ] && b=OK:100, || b=\n"
    "  while [ $i -le \"$n\" ]; do b=$b$i:$((100 + i)),; i=$((i + 1)); done\n"
    "  to=ISO-8859-1//TRANSLIT wide=false\n"
    "  [ -z \"$(xlsfonts -fn '*-iso10646-1' 2>/dev/null)\" ] || to=UTF-8 wide=true\n"
    "  echo shown xmessage\n"
    "  iconv -f UTF-8 -t $to | LC_ALL=C.UTF-8 xmessage -xrm \"*international: $wide\" \\\n"
    "    -xrm '*wrap: word' -geometry 560x360 -center -title Message \\\n"
    "    -buttons \"$b\"Dismiss:99 -file -\n"
    "  echo status $?\n"
    "else\n"
    "  echo none\n"
    "fi\n";

struct dialog {
    struct popup *popup; /* borrowed */
    sd_bus *bus;
    sd_event_source *clock, *input;
    int output; /* what the unit writes is read here; -1: not started */
    char unit[64];
    unsigned begun, early, answers;
    bool open;  /* it says so */
    bool still; /* and has been for STILL_MS */
    bool shown, taken_down;
    char said[SAID_SIZE];
    size_t said_len;
};

static int begin(struct dialog *dialog);

static void set_clock(struct dialog *dialog, uint64_t ms)
{
    sd_event_source_set_time_relative(dialog->clock, ms * 1000);
    sd_event_source_set_enabled(dialog->clock, SD_EVENT_ONESHOT);
}

static void stop_listening(struct dialog *dialog)
{
    dialog->input = sd_event_source_disable_unref(dialog->input);
    mem_close_fd(&dialog->output);
    dialog->output = -1;
}

/* ---- what became of it ----------------------------------------------------------------------- */

static void fail(struct dialog *dialog)
{
    if (dialog->taken_down)
        return;
    stop_listening(dialog);
    if (dialog->shown)
        popup_ended(dialog->popup, ENDED_FAILED, "helper-lost", (struct slice){0});
    else
        popup_cannot(dialog->popup);
}

static void ended(struct dialog *dialog, enum said said, unsigned answer)
{
    struct slice answers = popup_message(dialog->popup)->texts.answers;
    bool early = !dialog->still && said != SAID_AGAIN;
    stop_listening(dialog);
    dialog->early = early ? dialog->early + 1 : 0;
    if (!dialog->still || said == SAID_AGAIN) {
        if (dialog->early == TRIES || begin(dialog) < 0)
            fail(dialog);
    } else if (said == SAID_CONFIRMED) {
        popup_ended(dialog->popup, ENDED_ACKNOWLEDGED, "", present_answers_at(answers, answer));
    } else {
        popup_ended(dialog->popup, ENDED_DISMISSED, "closed-by-user", (struct slice){0});
    }
}

static void judge(struct dialog *dialog)
{
    const char *by;
    unsigned answer = 0;
    enum said said =
        said_read((struct slice){dialog->said, dialog->said_len}, dialog->answers, &by, &answer);
    if (said == SAID_NONE) {
        fail(dialog);
    } else if (said == SAID_OPEN && !dialog->open) {
        dialog->open = true;
        set_clock(dialog, STILL_MS);
    } else if (said != SAID_NOTHING && said != SAID_OPEN) {
        ended(dialog, said, answer);
    }
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct dialog *dialog = userdata;
    (void)source;
    (void)events;
    ssize_t len = read(fd, dialog->said + dialog->said_len, SAID_SIZE - dialog->said_len);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (len <= 0 || dialog->said_len + (size_t)len == SAID_SIZE) {
        fail(dialog); /* it was stopped by somebody else, or talks too much */
        return 0;
    }
    dialog->said_len += (size_t)len;
    judge(dialog);
    return 0;
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct dialog *dialog = userdata;
    const char *by = "";
    unsigned answer;
    (void)source;
    (void)usec;
    if (!dialog->open) {
        fail(dialog);
        return 0;
    }
    (void)said_read((struct slice){dialog->said, dialog->said_len}, dialog->answers, &by, &answer);
    dialog->still = dialog->shown = true;
    popup_shown(dialog->popup, 0, by);
    return 0;
}

/* ---- the unit -------------------------------------------------------------------------------- */

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)error;
    if (sd_bus_message_is_method_error(reply, NULL))
        fail(userdata);
    return 0;
}

/* The unit ends by itself when the message's time is over, whatever becomes of us. */
static int add_properties(struct dialog *dialog, sd_bus_message *call, int input, int output)
{
    char answers[8];
    uint64_t life_us = popup_message(dialog->popup)->life_ms * 1000;
    snprintf(answers, sizeof(answers), "%u", dialog->answers);
    int r = sd_bus_message_open_container(call, 'a', "(sv)");
    if (r >= 0)
        r = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s",
                                  "A message of msgd", "CollectMode", "s", "inactive-or-failed",
                                  "RuntimeMaxUSec", "t", life_us, "TimeoutStopUSec", "t",
                                  (uint64_t)1000000, "StandardInputFileDescriptor", "h", input,
                                  "StandardOutputFileDescriptor", "h", output);
    if (r >= 0)
        r = sd_bus_message_append(call, "(sv)", "ExecStart", "a(sasb)", 1, "/bin/sh", 5, "/bin/sh",
                                  "-c", script, "msgd-popup", answers, false);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static int start_unit(struct dialog *dialog, int input, int output)
{
    sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(dialog->bus, &call, MANAGER, PATH, MANAGER ".Manager",
                                           "StartTransientUnit");
    snprintf(dialog->unit, sizeof(dialog->unit), "msgd-popup-%d-%u.service", getpid(),
             dialog->begun++);
    if (r >= 0)
        r = sd_bus_message_append(call, "ss", dialog->unit, "fail");
    if (r >= 0)
        r = add_properties(dialog, call, input, output);
    if (r >= 0)
        r = sd_bus_message_append(call, "a(sa(sv))", 0);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(call, false);
    if (r >= 0)
        r = sd_bus_call_async(dialog->bus, NULL, call, on_started, dialog, 0);
    sd_bus_message_unref(call);
    return r;
}

/* The text as a file that can be read from its beginning, and by nobody else. */
static int make_input(const struct popup_message *message, int *ret_fd)
{
    CLEANUP_FREE char *text = popup_text(message, POPUP_TEXT_DIALOG);
    CLEANUP_FD int fd = memfd_create("message", MFD_CLOEXEC);
    if (!text)
        return -ENOMEM;
    for (size_t at = 0, len = strlen(text); at < len;) {
        ssize_t written = fd >= 0 ? write(fd, text + at, len - at) : -1;
        if (written < 0)
            return mem_errno();
        at += (size_t)written;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return mem_errno();
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int begin(struct dialog *dialog)
{
    int ends[2];
    CLEANUP_FD int input = -1;
    int r = make_input(popup_message(dialog->popup), &input);
    if (r < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return mem_errno();
    CLEANUP_FD int output = ends[1];
    dialog->output = ends[0];
    dialog->open = dialog->still = false;
    dialog->said_len = 0;
    if (fcntl(output, F_SETFL, 0) < 0)
        return mem_errno();
    r = sd_event_add_io(popup_event(dialog->popup), &dialog->input, dialog->output, EPOLLIN,
                        on_output, dialog);
    if (r >= 0)
        r = start_unit(dialog, input, output);
    set_clock(dialog, START_MS);
    return r;
}

/* ---- the way --------------------------------------------------------------------------------- */

static void dialog_free(void *state)
{
    struct dialog *dialog = state;
    stop_listening(dialog);
    sd_event_source_disable_unref(dialog->clock);
    popup_bus_close(dialog->bus);
    free(dialog);
}

static void manager_is_there(struct dialog *dialog)
{
    if (!dialog->taken_down && dialog->begun == 0 && begin(dialog) < 0)
        fail(dialog);
}

/* Asked first, and not only for the answer: sd-bus would wait for the bus to send descriptors. */
static int on_owned(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    int owned = 0;
    (void)error;
    if (!sd_bus_message_is_method_error(reply, NULL) &&
        sd_bus_message_read(reply, "b", &owned) >= 0 && owned)
        manager_is_there(userdata);
    return 0;
}

/* A bus that our connection has started gets its manager a moment later; the clock runs. */
static int on_owner(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    const char *name, *before, *after;
    (void)error;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) >= 0 && after[0] != '\0')
        manager_is_there(userdata);
    return 0;
}

static int find_manager(struct dialog *dialog)
{
    int r = sd_bus_add_match_async(dialog->bus, NULL,
                                   "type='signal',sender='" BUS "',interface='" BUS
                                   "',member='NameOwnerChanged',arg0='" MANAGER "'",
                                   on_owner, NULL, dialog);
    if (r >= 0)
        r = sd_bus_call_method_async(dialog->bus, NULL, BUS, "/org/freedesktop/DBus", BUS,
                                     "NameHasOwner", on_owned, dialog, "s", MANAGER);
    return r;
}

static int start(struct popup *popup, void **ret_state)
{
    struct dialog *dialog = calloc(1, sizeof(*dialog));
    if (!dialog)
        return -ENOMEM;
    dialog->popup = popup;
    dialog->output = -1;
    dialog->answers = present_answers_count(popup_message(popup)->texts.answers);
    int r = sd_event_add_time_relative(popup_event(popup), &dialog->clock, CLOCK_MONOTONIC,
                                       START_MS * 1000, 0, on_clock, dialog);
    if (r >= 0)
        r = popup_bus_open(popup_event(popup), &dialog->bus);
    if (r >= 0)
        r = find_manager(dialog);
    if (r < 0) {
        dialog_free(dialog);
        return r;
    }
    *ret_state = dialog;
    return 0;
}

static int on_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct dialog *dialog = userdata;
    (void)reply;
    (void)error;
    popup_down(dialog->popup);
    return 0;
}

static void take_down(void *state)
{
    struct dialog *dialog = state;
    dialog->taken_down = true;
    sd_event_source_set_enabled(dialog->clock, SD_EVENT_OFF);
    stop_listening(dialog);
    if (dialog->begun == 0 ||
        sd_bus_call_method_async(dialog->bus, NULL, MANAGER, PATH, MANAGER ".Manager", "StopUnit",
                                 on_stopped, dialog, "ss", dialog->unit, "replace") < 0)
        popup_down(dialog->popup);
}

const struct popup_way popup_dialog = {start, take_down, dialog_free};
