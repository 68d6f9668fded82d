/* SPDX-License-Identifier: MIT */
#include "client/ctl.h"

#include "common/mem.h"

static const struct {
    const char *name, *argument, *help;
} options[] = {
#define OPTION(ID, name, argument, help) {name, argument, help},
#include "client/ctl.def"
};

#define SET(ID) (1u << CTL_##ID)
#define ALWAYS  (SET(JSON) | SET(HELP) | SET(VERSION))

static const struct ctl_command commands[] = {
#define COMMAND(name, words, least, most, options, help)                                           \
    {#name, words, help, least, most, (options) | ALWAYS, ctl_##name},
#include "client/ctl.def"
};

static const struct ctl_command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* The option that `--name` or `--name=value` names; CTL_OPTIONS if there is none. */
static size_t find_option(const char *name, size_t len)
{
    size_t i = 0;
    while (i < CTL_OPTIONS &&
           (strlen(options[i].name) != len || memcmp(options[i].name, name, len) != 0))
        i++;
    return i;
}

/* Takes one option, its argument from the next word if it has none of its own. */
static int take_option(struct ctl *ctl, const char *word, const char *next, bool *ret_took_next,
                       char *error, size_t capacity)
{
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value - word) : strlen(word);
    size_t option = find_option(word, len);
    if (option == CTL_OPTIONS) {
        snprintf(error, capacity, "unknown option --%s", word);
        return -EINVAL;
    }
    bool wanted = options[option].argument != NULL;
    value = value ? value + 1 : wanted ? next : NULL;
    if (wanted != (value != NULL) || ctl->given[option]) {
        snprintf(error, capacity, "--%s %s", options[option].name,
                 ctl->given[option] ? "is there twice"
                 : wanted           ? "wants an argument"
                                    : "takes no argument");
        return -EINVAL;
    }
    ctl->given[option] = wanted ? value : "";
    *ret_took_next = value != NULL && value == next;
    return 0;
}

static int take_word(struct ctl *ctl, const char *word, char *error, size_t capacity)
{
    if (!ctl->command) {
        ctl->command = find_command(word);
        if (!ctl->command)
            snprintf(error, capacity, "there is no subcommand %s", word);
        return ctl->command ? 0 : -EINVAL;
    }
    if (ctl->n_words == ARRAY_SIZE(ctl->words)) {
        snprintf(error, capacity, "too many words: %s", word);
        return -EINVAL;
    }
    ctl->words[ctl->n_words++] = word;
    return 0;
}

static int take_words(int argc, const char *const argv[], struct ctl *ctl, char *error,
                      size_t capacity)
{
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool took_next = false;
        int r = 0;
        if (!ended && strcmp(word, "--") == 0)
            ended = true;
        else if (!ended && strncmp(word, "--", 2) == 0)
            r = take_option(ctl, word + 2, next, &took_next, error, capacity);
        else if (!ended && strcmp(word, "-h") == 0)
            ctl->given[CTL_HELP] = "";
        else
            r = take_word(ctl, word, error, capacity);
        if (r < 0)
            return r;
        i += took_next;
    }
    return 0;
}

/* Whether the command takes what was given. */
static int judge(const struct ctl *ctl, char *error, size_t capacity)
{
    if (ctl->given[CTL_HELP] || ctl->given[CTL_VERSION])
        return 0;
    if (!ctl->command) {
        snprintf(error, capacity, "a subcommand is missing");
        return -EINVAL;
    }
    for (size_t i = 0; i < CTL_OPTIONS; i++)
        if (ctl->given[i] && !(ctl->command->options & 1u << i)) {
            snprintf(error, capacity, "%s takes no --%s", ctl->command->name, options[i].name);
            return -EINVAL;
        }
    if (ctl->n_words >= ctl->command->least && ctl->n_words <= ctl->command->most)
        return 0;
    snprintf(error, capacity, "%s wants: %s", ctl->command->name, ctl->command->words);
    return -EINVAL;
}

int ctl_parse(int argc, const char *const argv[], struct ctl *ret_ctl, char *error, size_t capacity)
{
    struct ctl ctl = {0};
    int r = take_words(argc, argv, &ctl, error, capacity);
    r = r < 0 ? r : judge(&ctl, error, capacity);
    if (r < 0)
        return r;
    ctl.json = ctl.given[CTL_JSON] != NULL;
    *ret_ctl = ctl;
    return 0;
}

static void print_options(FILE *out, unsigned set)
{
    for (size_t i = 0; i < CTL_OPTIONS; i++) {
        char name[32];
        if (!(set & 1u << i))
            continue;
        snprintf(name, sizeof(name), "--%s%s%s", options[i].name, options[i].argument ? "=" : "",
                 options[i].argument ? options[i].argument : "");
        fprintf(out, "  %-18s %s\n", name, options[i].help);
    }
}

void ctl_usage(FILE *out, const struct ctl_command *command)
{
    if (command) {
        fprintf(out, "usage: msgctl %s %s [options]\n\n%s.\n\n", command->name, command->words,
                command->help);
        print_options(out, command->options);
        return;
    }
    fprintf(out, "usage: msgctl SUBCOMMAND ... [options]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(out, "  %-10s %-14s %s\n", commands[i].name, commands[i].words, commands[i].help);
    fprintf(out, "\nmsgctl SUBCOMMAND --help tells its options.\n");
}
