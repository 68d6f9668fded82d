/* SPDX-License-Identifier: MIT */
/*
 * msgd's configuration: the keys of config.def, from msgd.conf and msgd.conf.d/<name>.conf in the
 * order of their names, a later file before an earlier one. An unknown section or key, and a key
 * that stands twice in one file, are errors; every error is "file:line: text".
 */
#ifndef MSG_COMMON_CONFIG_H
#define MSG_COMMON_CONFIG_H

#include "common/diag.h"
#include "protocol/limits.h"
#include "protocol/slice.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define CONFIG_FILE     "/etc/msgd/msgd.conf"
#define CONFIG_STATE    "/run/msgd/state"
#define CONFIG_HOST_KEY "/var/lib/msgd/host_key"

/* The words of [rights] users and who, in their order there. */
enum config_users { RIGHTS_EVERYBODY, RIGHTS_SELF, RIGHTS_NOBODY };
enum config_who { RIGHTS_WHO_EVERYBODY, RIGHTS_WHO_ADMINS };

struct config {
#define STRING(section, key, initial, longest, help)       char key[(longest) + 1];
#define PATH(section, key, initial, longest, help)         char key[(longest) + 1];
#define LISTEN(section, key, initial, longest, help)       char key[(longest) + 1];
#define NUMBER(section, key, initial, least, most, help)   uint64_t key;
#define DURATION(section, key, initial, least, most, help) uint64_t key; /* ms */
#define SWITCH(section, key, initial, help)                uint64_t key; /* 0 or 1 */
#define CHOICE(section, key, initial, words, help)         uint64_t key;
#include "common/config.def"
};

void config_defaults(struct config *ret_config);

/*
 * Sets one key, for an option of the command line: - may stand for _. 0, or -EINVAL with the
 * reason.
 */
int config_set(struct config *config, const char *key, const char *value, struct diag *ret_diag);
/* Whether there is such a key: then msgd has the option --key. */
bool config_has(const char *key);

/* Takes one file's text over what is set. *config is undefined after an error. */
int config_parse(struct config *config, const char *file, struct slice text, struct diag *ret_diag);

/*
 * Defaults, then the file and its folder of additions (FILE.d). A file that is not there is an
 * error only if required.
 */
int config_load(const char *file, bool required, struct config *ret_config, struct diag *ret_diag);

/*
 * Puts in place of an empty name and a uid_min of 0 what the system says, and the host key's path.
 * 0 or negative errno.
 */
int config_complete(struct config *config, const char *login_defs, struct diag *ret_diag);

/* Every key with its value, as a file that config_parse() reads back to the same. */
void config_dump(const struct config *config, FILE *out);

/* Takes the next address from the front of a `listen` value; false at its end. */
bool config_listen_next(struct slice *list, struct sockaddr_storage *ret_address);

#endif
