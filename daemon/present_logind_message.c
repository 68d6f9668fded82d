/* SPDX-License-Identifier: MIT */
#include "daemon/present_logind_message.h"

#include "common/mem.h"

#include <stdio.h>

int logind_read_list(sd_bus_message *message,
                     int (*each)(void *userdata, uid_t uid, const char *path), void *userdata)
{
    const char *path;
    uint32_t uid;
    int r = sd_bus_message_enter_container(message, 'a', "(susso)");
    while (r >= 0 &&
           (r = sd_bus_message_read(message, "(susso)", NULL, &uid, NULL, NULL, &path)) > 0)
        if (strlen(path) < LOGIND_PATH)
            r = each(userdata, uid, path);
    return r;
}

static int read_basic(sd_bus_message *message, char type, struct login_value *value)
{
    union {
        const char *text;
        uint32_t u;
        uint64_t t;
        int b;
    } basic = {0};
    int r = sd_bus_message_read_basic(message, type, &basic);
    value->type = type;
    value->text = type == 's' ? basic.text : NULL;
    value->number = type == 'u'   ? basic.u
                    : type == 't' ? basic.t
                    : type == 'b' ? (uint64_t)basic.b
                                  : 0;
    return r;
}

/* (so) and (uo): the name counts, and the path of the user's object. */
static int read_pair(sd_bus_message *message, const char *type, struct login_value *value,
                     char user_path[static LOGIND_PATH])
{
    const char members[] = {type[1], 'o', '\0'};
    const char *path;
    int r = sd_bus_message_enter_container(message, 'r', members);
    if (r >= 0)
        r = read_basic(message, type[1], value);
    if (r >= 0)
        r = sd_bus_message_read_basic(message, 'o', &path);
    if (r >= 0 && type[1] == 'u' && strlen(path) < LOGIND_PATH)
        strcpy(user_path, path);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* One property's variant; its content is left behind if it is not of the type we know. */
static int read_variant(sd_bus_message *message, const char *name, struct login_record *record,
                        char user_path[static LOGIND_PATH])
{
    const char *type = login_property_type(name), *contents;
    struct login_value value = {0};
    int r = sd_bus_message_peek_type(message, NULL, &contents);
    if (r < 0)
        return r;
    if (!type || strcmp(type, contents) != 0)
        return sd_bus_message_skip(message, "v");
    r = sd_bus_message_enter_container(message, 'v', type);
    if (r >= 0)
        r = type[0] == '(' ? read_pair(message, type, &value, user_path)
                           : read_basic(message, type[0], &value);
    if (r >= 0)
        r = login_take(record, name, &value);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

int logind_read_session(sd_bus_message *message, struct login_record *ret_record,
                        char ret_user_path[static LOGIND_PATH])
{
    struct login_record record = {0};
    char user_path[LOGIND_PATH] = "";
    const char *name;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    for (int i = 0; r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0; i++) {
        r = i < LOGIND_PROPERTIES ? sd_bus_message_read_basic(message, 's', &name) : -EBADMSG;
        if (r >= 0)
            r = read_variant(message, name, &record, user_path);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    if (r < 0)
        return r;
    if (!login_is_whole(&record) || user_path[0] == '\0')
        return -EBADMSG;
    *ret_record = record;
    memcpy(ret_user_path, user_path, LOGIND_PATH);
    return 0;
}

int logind_read_gid(sd_bus_message *message, gid_t *ret_gid)
{
    uint32_t gid;
    int r = sd_bus_message_read(message, "v", "u", &gid);
    if (r < 0)
        return r;
    if (gid == (gid_t)-1)
        return -EBADMSG;
    *ret_gid = gid;
    return 0;
}
