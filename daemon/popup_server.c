/* SPDX-License-Identifier: MIT */
#include "daemon/popup_server.h"

#include "common/mem.h"
#include "common/text.h"

#define BUS "org.freedesktop.DBus"

static int take_owner(struct server *server, sd_bus_message *reply)
{
    const char *owner;
    if (sd_bus_message_is_method_error(reply, NULL))
        return -ENOENT;
    if (sd_bus_message_read(reply, "s", &owner) < 0 || strlen(owner) >= sizeof(server->owner))
        return -EBADMSG;
    strcpy(server->owner, owner);
    return 0;
}

/* Seen with xfce4-notifyd 0.7.3 and lxqt-notificationd 1.2.0. */
static bool shows_default(const char *name)
{
    return strcmp(name, "Xfce Notify Daemon") == 0 || strcmp(name, "lxqt-notificationd") == 0;
}

/* One that does not say what it is may notify all the same. */
static int take_information(struct server *server, sd_bus_message *reply)
{
    const char *name, *vendor, *version, *specification;
    char by[256];
    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_read(reply, "ssss", &name, &vendor, &version, &specification) < 0)
        return 0;
    server->default_is_button = shows_default(name);
    snprintf(by, sizeof(by), "%s%s%s", name, version[0] != '\0' ? " " : "", version);
    text_escape(slice_of(by), TEXT_ONE_LINE, server->by, sizeof(server->by));
    return 0;
}

static int take_capabilities(struct server *server, sd_bus_message *reply)
{
    const char *capability;
    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_enter_container(reply, 'a', "s") < 0)
        return 0;
    while (sd_bus_message_read(reply, "s", &capability) > 0) {
        server->actions = server->actions || strcmp(capability, "actions") == 0;
        server->markup = server->markup || strcmp(capability, "body-markup") == 0;
    }
    return 0;
}

/* Most servers have no such property, and answer with an error. */
static int take_quiet(struct server *server, sd_bus_message *reply)
{
    int quiet = 0;
    if (!sd_bus_message_is_method_error(reply, NULL) &&
        sd_bus_message_read(reply, "v", "b", &quiet) >= 0)
        server->quiet = server->quiet || quiet;
    return 0;
}

/* A row is asked when the one before was answered; `take` reads the answer, an error's too. */
static const struct question {
    const char *destination; /* NULL: the server */
    const char *path, *interface, *member;
    const char *arguments[2];
    int (*take)(struct server *server, sd_bus_message *reply);
} questions[] = {
    {BUS, "/org/freedesktop/DBus", BUS, "GetNameOwner", {SERVER_NAME}, take_owner},
    {NULL, SERVER_PATH, SERVER_NAME, "GetServerInformation", {NULL}, take_information},
    {NULL, SERVER_PATH, SERVER_NAME, "GetCapabilities", {NULL}, take_capabilities},
    {NULL, SERVER_PATH, BUS ".Properties", "Get", {SERVER_NAME, "Inhibited"}, take_quiet},
    {NULL, SERVER_PATH, BUS ".Properties", "Get", {"org.dunstproject.cmd0", "paused"}, take_quiet},
};

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct server_search *search = userdata;
    (void)error;
    int r = questions[search->at].take(&search->found, reply);
    search->at++;
    bool last = search->at == ARRAY_SIZE(questions);
    if (r >= 0 && !last)
        r = server_find(search);
    if (r < 0 || last)
        search->done(search->userdata, r);
    return 0;
}

int server_find(struct server_search *search)
{
    const struct question *question = &questions[search->at];
    const char *destination = question->destination ? question->destination : search->found.owner;
    sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(search->bus, &call, destination, question->path,
                                           question->interface, question->member);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(question->arguments); i++)
        if (question->arguments[i])
            r = sd_bus_message_append(call, "s", question->arguments[i]);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(call, false);
    if (r >= 0)
        r = sd_bus_call_async(search->bus, NULL, call, on_answer, search, 0);
    sd_bus_message_unref(call);
    return r < 0 ? r : 0;
}
