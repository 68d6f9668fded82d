/* SPDX-License-Identifier: MIT */
#include "daemon/net_options.h"

#include "common/mem.h"
#include "protocol/slice.h"

#include <grp.h>
#include <pwd.h>

const char options_usage[] =
    "Usage: msgd [-f FILE] [-t | -T] [--debug] [--KEY VALUE]...\n"
    "Takes messages for the login sessions of this host and has msgd-present show them.\n"
    "\n"
    "  -f FILE                configuration (" CONFIG_FILE ")\n"
    "  -t                     test the configuration and the files of keys\n"
    "  -T                     print the configuration in full\n"
    "  --debug                say why each peer is refused\n"
    "  --present-socket PATH  msgd-present's socket\n"
    "  --present-fd N         an open connection to msgd-present, whose end is msgd's\n"
    "  --help, --version\n"
    "Every key of the configuration is an option as well: --socket PATH, --listen ADDRESS:PORT,\n"
    "--state FOLDER, --host-key PATH, --authorized-keys PATH, --revoked-keys PATH and others\n"
    "(msgd.conf(5)).\n";

/* ---- the command line ------------------------------------------------------------------------ */

static int set_key(struct options *options, const char *key, const char *value,
                   struct diag *ret_diag)
{
    if (options->n_set == OPTIONS_SET)
        return diag_set(ret_diag, -EINVAL, "too many options");
    if (strlen(value) >= sizeof(options->set[0].value))
        return diag_set(ret_diag, -EINVAL, "--%s: too long", key);
    snprintf(options->set[options->n_set].key, sizeof(options->set[0].key), "%s", key);
    snprintf(options->set[options->n_set].value, sizeof(options->set[0].value), "%s", value);
    options->n_set++;
    return 0;
}

static int set_present_fd(struct options *options, const char *value, struct diag *ret_diag)
{
    uint64_t number;

    if (!slice_number(slice_of(value), 1023, &number) || number < 3)
        return diag_set(ret_diag, -EINVAL, "--present-fd: not a descriptor: %s", value);
    options->present_fd = (int)number;
    return 0;
}

/* An option that has a value. */
static int take_pair(struct options *options, const char *name, const char *value,
                     struct diag *ret_diag)
{
    if (strcmp(name, "present_fd") == 0)
        return set_present_fd(options, value, ret_diag);
    if (strcmp(name, "present_socket") == 0)
        return set_key(options, "present", value, ret_diag);
    if (!config_has(name))
        return diag_set(ret_diag, -EINVAL, "no such option: --%s", name);
    return set_key(options, name, value, ret_diag);
}

/* An option without a value; false if it is none. */
static bool take_flag(struct options *options, const char *word)
{
    static const struct {
        const char *word;
        enum options_mode mode;
    } modes[] = {{"-t", MODE_TEST},
                 {"-T", MODE_DUMP},
                 {"--help", MODE_HELP},
                 {"-h", MODE_HELP},
                 {"--version", MODE_VERSION}};

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (strcmp(word, modes[i].word) == 0) {
            options->mode = modes[i].mode;
            return true;
        }
    }
    if (strcmp(word, "--debug") != 0)
        return false;
    options->debug = true;
    return true;
}

/* The name before `=`, with `_` between words. */
static void name_of(const char *word, char name[static 32])
{
    size_t i = 0;

    for (word += 2; word[i] && word[i] != '=' && i < 31; i++)
        name[i] = word[i] == '-' ? '_' : word[i];
    name[i] = '\0';
}

int options_parse(int argc, char **argv, struct options *ret_options, struct diag *ret_diag)
{
    struct options options = {.file = CONFIG_FILE, .present_fd = OPTIONS_NO_FD};

    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *equals = strchr(word, '=');
        char name[32];
        int r = 0;
        if (take_flag(&options, word))
            continue;
        if (strncmp(word, "--", 2) != 0 && strcmp(word, "-f") != 0)
            return diag_set(ret_diag, -EINVAL, "not an option: %s", word);
        if (!equals && i + 1 == argc)
            return diag_set(ret_diag, -EINVAL, "%s: its value is missing", word);
        if (strcmp(word, "-f") == 0) {
            options.file = argv[++i];
            options.file_named = true;
            continue;
        }
        name_of(word, name);
        r = take_pair(&options, name, equals ? equals + 1 : argv[++i], ret_diag);
        if (r < 0)
            return r;
    }
    *ret_options = options;
    return 0;
}

/* ---- what they make with the configuration --------------------------------------------------- */

static int find_group(struct settings *settings, struct diag *ret_diag)
{
    const char *name = settings->config.admin_group;
    struct group entry, *found = NULL;
    CLEANUP_FREE char *buffer = malloc(65536);

    if (name[0] == '\0')
        return 0;
    if (!buffer)
        return -ENOMEM;
    if (getgrnam_r(name, &entry, buffer, 65536, &found) != 0 || !found)
        return diag_set(ret_diag, -EINVAL, "admin_group: there is no group %s", name);
    settings->has_group = true;
    settings->group = found->gr_gid;
    return 0;
}

static int find_account(struct settings *settings, const char *name, struct diag *ret_diag)
{
    struct passwd entry, *found = NULL;
    char buffer[16384];

    if (settings->n_listed == SETTINGS_LISTED)
        return diag_set(ret_diag, -EINVAL, "services: more than %d", SETTINGS_LISTED);
    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return diag_set(ret_diag, -EINVAL, "services: there is no account %s", name);
    settings->listed[settings->n_listed++] = found->pw_uid;
    return 0;
}

static int find_listed(struct settings *settings, struct diag *ret_diag)
{
    char names[sizeof(settings->config.services)], *rest = NULL;
    int r = 0;

    memcpy(names, settings->config.services, sizeof(names));
    for (char *name = strtok_r(names, ", ", &rest); name && r == 0;
         name = strtok_r(NULL, ", ", &rest))
        r = find_account(settings, name, ret_diag);
    return r;
}

int settings_load(const struct options *options, struct settings *ret_settings,
                  struct diag *ret_diag)
{
    struct settings settings = {.n_listed = 0};
    int r = config_load(options->file, options->file_named, &settings.config, ret_diag);

    for (size_t i = 0; r == 0 && i < options->n_set; i++)
        r = config_set(&settings.config, options->set[i].key, options->set[i].value, ret_diag);
    if (r == 0)
        r = config_complete(&settings.config, OPTIONS_LOGIN, ret_diag);
    if (r == 0)
        r = find_group(&settings, ret_diag);
    if (r == 0)
        r = find_listed(&settings, ret_diag);
    if (r == 0)
        *ret_settings = settings;
    return r;
}
