/* SPDX-License-Identifier: MIT */
#include "common/msg_conf.h"

#include "common/file.h"
#include "common/inifile.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/values.h"
#include "protocol/limits.h"

static const char *find(const struct msg_conf *conf, bool group, const char *name)
{
    for (size_t i = 0; i < conf->count; i++)
        if (conf->names[i].group == group && strcasecmp(conf->names[i].name, name) == 0)
            return conf->names[i].value;
    return NULL;
}

const char *msg_conf_alias(const struct msg_conf *conf, const char *name)
{
    return find(conf, false, name);
}

const char *msg_conf_group(const struct msg_conf *conf, const char *name)
{
    return find(conf, true, name);
}

void msg_conf_free(struct msg_conf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        free(conf->names[i].name);
        free(conf->names[i].value);
    }
    free(conf->names);
    *conf = (struct msg_conf){0};
}

static int set_msg(struct msg_conf *conf, const char *key, const char *value, struct diag *ret_diag)
{
    uint64_t ms = 0;
    if (strcmp(key, "default_time") != 0)
        return diag_set(ret_diag, -EINVAL, "unknown key %s in section [msg]", key);
    if (conf->default_time_set)
        return diag_set(ret_diag, -EINVAL, "%s is there twice", key);
    if (value_duration(slice_of(value), &ms) < 0 || ms > LIM_MAX_TIME)
        return diag_set(ret_diag, -EINVAL, "default_time wants a time from 0 to 7d, such as 10m");
    conf->default_time_s = ms / 1000;
    conf->default_time_set = true;
    return 0;
}

/* One server of an alias or a group: a host, with a port or without. */
static bool is_server(struct slice text)
{
    struct endpoint endpoint;
    struct slice field;
    return lines_field(&text, &field) && !lines_field(&text, &text) &&
           value_endpoint(field, 1, &endpoint) == 0;
}

static int check_value(bool group, const char *value, struct diag *ret_diag)
{
    struct slice rest = slice_of(value), entry;
    if (!group && !is_server(rest))
        return diag_set(ret_diag, -EINVAL, "an alias is a host, host:port or [v6]:port");
    while (group && lines_entry(&rest, &entry))
        if (!is_server(entry))
            return diag_set(ret_diag, -EINVAL, "a group is a list of servers, separated by commas");
    return 0;
}

static int add(struct msg_conf *conf, bool group, const char *name, const char *value)
{
    struct msg_conf_name *grown = reallocarray(conf->names, conf->count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    conf->names = grown;
    struct msg_conf_name *added = &conf->names[conf->count++];
    *added = (struct msg_conf_name){group, strdup(name), strdup(value)};
    return added->name && added->value ? 0 : -ENOMEM;
}

static int take_entry(void *context, const char *section, const char *key, const char *value,
                      struct diag *ret_diag)
{
    struct msg_conf *conf = context;
    bool group = strcmp(section, "group") == 0;
    if (strcmp(section, "msg") == 0)
        return set_msg(conf, key, value, ret_diag);
    if (!group && strcmp(section, "alias") != 0)
        return diag_set(ret_diag, -EINVAL, "unknown section [%s]", section);
    if (!text_is_name(slice_of(key)))
        return diag_set(ret_diag, -EINVAL, "the name %s is not 1 to 64 of A-Z a-z 0-9 . _ @ -",
                        key);
    if (find(conf, group, key))
        return diag_set(ret_diag, -EINVAL, "%s is there twice", key);
    int r = check_value(group, value, ret_diag);
    if (r < 0)
        return r;
    r = add(conf, group, key, value);
    return r < 0 ? diag_set(ret_diag, r, "no memory") : 0;
}

int msg_conf_parse(const char *file, struct slice text, struct msg_conf *ret_conf,
                   struct diag *ret_diag)
{
    struct msg_conf conf = {0};
    int r = inifile_read(file, text, take_entry, &conf, ret_diag);
    if (r < 0)
        msg_conf_free(&conf);
    else
        *ret_conf = conf;
    return r;
}

int msg_conf_load(const char *file, struct msg_conf *ret_conf, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(file, FILE_TRUSTED, LIM_CONFIG_FILE, &text, &len, NULL, ret_diag);
    if (r < 0 && r != -ENOENT)
        return r;
    return msg_conf_parse(file, (struct slice){text, len}, ret_conf, ret_diag);
}
