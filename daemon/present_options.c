/* SPDX-License-Identifier: MIT */
#include "daemon/present_options.h"

#include "common/receive.h"

#include <getopt.h>
#include <string.h>

#define WITH_MSGD "with-msgd"

enum option_code {
    CODE_FIRST = 256, /* beyond any letter */
#define TEXT(field, name, argument, initial, help) CODE_##field,
#define FLAG(field, name, help)                    CODE_##field,
#define ACTION(NAME, name, help)                   CODE_##NAME,
#include "daemon/present_options.def"
    CODE_WITH_MSGD,
};

static const struct option table[] = {
#define TEXT(field, name, argument, initial, help) {name, required_argument, NULL, CODE_##field},
#define FLAG(field, name, help)                    {name, no_argument, NULL, CODE_##field},
#define ACTION(NAME, name, help)                   {name, no_argument, NULL, CODE_##NAME},
#include "daemon/present_options.def"
    {WITH_MSGD, no_argument, NULL, CODE_WITH_MSGD},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *left, *help;
} lines[] = {
#define TEXT(field, name, argument, initial, help) {"--" name " " argument, help},
#define FLAG(field, name, help)                    {"--" name, help},
#define ACTION(NAME, name, help)                   {"--" name, help},
#include "daemon/present_options.def"
    {"--" WITH_MSGD " [...]", "run msgd as well; all that follows are msgd's options"},
};

static bool wrong(const char *what)
{
    fprintf(stderr, "msgd-present: %s\nTry: msgd-present --help\n", what);
    return false;
}

static bool fits_together(int argc, const struct options *options)
{
    if (options->with_msgd && options->socket)
        return wrong("--socket and --with-msgd exclude each other");
    if (!options->with_msgd && optind < argc)
        return wrong("it takes options only");
    return true;
}

/* One option's effect; OPTIONS_RUN: go on. */
static enum options_result take(int code, struct options *options)
{
    switch (code) {
#define TEXT(field, name, argument, initial, help)                                                 \
    case CODE_##field:                                                                             \
        options->field = optarg;                                                                   \
        return OPTIONS_RUN;
#define FLAG(field, name, help)                                                                    \
    case CODE_##field:                                                                             \
        options->field = true;                                                                     \
        return OPTIONS_RUN;
#define ACTION(NAME, name, help)                                                                   \
    case CODE_##NAME:                                                                              \
        return OPTIONS_##NAME;
#include "daemon/present_options.def"
    case CODE_WITH_MSGD:
        options->with_msgd = true;
        return OPTIONS_RUN;
    default: /* getopt has said why */
        fprintf(stderr, "Try: msgd-present --help\n");
        return OPTIONS_WRONG;
    }
}

enum options_result options_read(int argc, char **argv, struct options *ret_options)
{
    struct options options = {
#define TEXT(field, name, argument, initial, help) .field = initial,
#define FLAG(field, name, help)
#define ACTION(NAME, name, help)
#include "daemon/present_options.def"
    };
    int code;
    /* +: what follows --with-msgd is not ours, whatever it looks like */
    while (!options.with_msgd && (code = getopt_long(argc, argv, "+", table, NULL)) != -1) {
        enum options_result result = take(code, &options);
        if (result != OPTIONS_RUN)
            return result;
    }
    if (!fits_together(argc, &options))
        return OPTIONS_WRONG;
    options.msgd_arguments = argv + optind;
    *ret_options = options;
    return OPTIONS_RUN;
}

void options_usage(FILE *out)
{
    fprintf(out, "Usage: msgd-present [options]\n"
                 "       msgd-present [options] --" WITH_MSGD " [msgd's options]\n"
                 "Shows messages to the login sessions of this host, for msgd.\n\n");
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        fprintf(out, "  %-20s %s\n", lines[i].left, lines[i].help);
}
