/* SPDX-License-Identifier: MIT */
/*
 * msgd's command line, and the settings that it and the configuration make together. Every
 * configuration key is an option: --KEY VALUE or --KEY=VALUE, with `-` or `_` between words.
 */
#ifndef MSG_DAEMON_NET_OPTIONS_H
#define MSG_DAEMON_NET_OPTIONS_H

#include "common/config.h"
#include "daemon/net_rights.h"

#define OPTIONS_SET     64
#define SETTINGS_LISTED 32
#define OPTIONS_LOGIN   "/etc/login.defs"
#define OPTIONS_NO_FD   (-1)

enum options_mode { MODE_RUN, MODE_TEST, MODE_DUMP, MODE_HELP, MODE_VERSION };

struct options {
    enum options_mode mode;
    bool debug;
    int present_fd; /* or OPTIONS_NO_FD */
    const char *file;
    bool file_named;
    struct {
        char key[32];
        char value[256];
    } set[OPTIONS_SET]; /* over what the file says, in their order */
    size_t n_set;
};

/* 0, or -EINVAL with the reason. */
int options_parse(int argc, char **argv, struct options *ret_options, struct diag *ret_diag);
extern const char options_usage[];

struct settings {
    struct config config;
    uint32_t listed[SETTINGS_LISTED];
    size_t n_listed;
    bool has_group;
    uint32_t group;
};

/*
 * Reads the files and asks the name service: not on the loop. 0, or negative with the reason.
 */
int settings_load(const struct options *options, struct settings *ret_settings,
                  struct diag *ret_diag);

#endif
