/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include "protocol/slice.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

static const struct option_row {
    const char *windows, *gnu, *argument, *help;
    bool later;
} TABLE[OPTIONS] = {
#define NOW   false
#define LATER true
#define OPTION(ID, windows, gnu, argument, when, help)                                             \
    [OPT_##ID] = {windows, gnu, argument, help, when},
#include "client/options.def"
#undef NOW
#undef LATER
};

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum word_kind { WORD_TEXT, WORD_END_OF_OPTIONS, WORD_OPTION, WORD_UNKNOWN };

struct word {
    enum word_kind kind;
    enum option option;
    const char *argument; /* behind `:` or `=`; NULL: none */
};

/* The state of one parse. */
struct parse {
    int argc;
    const char *const *argv;
    int at;
    bool ended;      /* -- was read */
    bool slash_text; /* the message begins with a word that looks like an option with an argument */
    struct options options;
    struct options_report *report;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct parse *parse, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(parse->report->error, sizeof(parse->report->error), format, list);
    va_end(list);
    return false;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool name_is(const char *name, const char *word, size_t len)
{
    return name && strlen(name) == len && strncasecmp(name, word, len) == 0;
}

/* Looks up the name behind / or --, up to the separator. */
static bool look_up(const char *word, bool windows, struct word *ret_word)
{
    size_t len = strcspn(word, windows ? ":" : "=");

    for (int i = 0; i < OPTIONS; i++) {
        if (name_is(windows ? TABLE[i].windows : TABLE[i].gnu, word, len)) {
            *ret_word =
                (struct word){WORD_OPTION, (enum option)i, word[len] ? word + len + 1 : NULL};
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return c != '\0' && strchr(LETTERS, c);
}

/* `/home is full`, `/etc/passwd`, `/2`: another slash, a dot, a digit or a blank make it text. */
static bool slash_word_is_text(const char *word)
{
    return !is_letter(word[1]) || strpbrk(word + 1, "/.0123456789 \t\n");
}

static bool dash_word_is_text(const char *word)
{
    size_t len = strcspn(word + 2, "=");

    return !is_letter(word[2]) || strspn(word + 2, LETTERS "-_") != len;
}

static struct word classify(const char *word)
{
    struct word found = {WORD_TEXT, OPTIONS, NULL};

    if (strcmp(word, "--") == 0)
        found.kind = WORD_END_OF_OPTIONS;
    else if (strcmp(word, "-h") == 0)
        found = (struct word){WORD_OPTION, OPT_HELP, NULL};
    else if (word[0] == '/' && !look_up(word + 1, true, &found))
        found.kind = slash_word_is_text(word) ? WORD_TEXT : WORD_UNKNOWN;
    else if (strncmp(word, "--", 2) == 0 && !look_up(word + 2, false, &found))
        found.kind = dash_word_is_text(word) ? WORD_TEXT : WORD_UNKNOWN;
    return found;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool take_option(struct parse *parse, struct word word)
{
    const struct option_row *row = &TABLE[word.option];
    const char *typed = parse->argv[parse->at];
    bool gnu = typed[0] == '-';

    if (row->later)
        return fail(parse, "%.60s is not available in this version", typed);
    if (!row->argument && word.argument)
        return fail(parse, "%.60s: this option takes no argument", typed);
    if (row->argument && !word.argument && gnu && parse->at + 1 < parse->argc)
        word.argument = parse->argv[++parse->at];
    if (row->argument && (!word.argument || word.argument[0] == '\0'))
        return fail(parse,
                    gnu ? "%.60s needs an argument: --%s=%s" : "%.60s needs an argument: /%s:%s",
                    typed, gnu ? row->gnu : row->windows, row->argument);
    if (word.option == OPT_SERVER && parse->options.given[OPT_SERVER])
        return fail(parse, "several servers are not available in this version");
    parse->options.given[word.option] = word.argument ? word.argument : "";
    return true;
}

static bool wants_target(const struct options *options)
{
    return !options->target && !options->given[OPT_ALL] && !options->given[OPT_ACK] &&
           !options->given[OPT_LIST];
}

static bool take_text(struct parse *parse)
{
    const char *word = parse->argv[parse->at];

    if (wants_target(&parse->options)) {
        if (word[0] == '\0')
            return fail(parse, "the target is empty");
        if (word[0] == '/')
            return fail(parse, "%.60s is neither an option nor a target", word);
        parse->options.target = word;
        return true;
    }
    parse->options.words = parse->argv + parse->at;
    parse->options.n_words = (size_t)(parse->argc - parse->at);
    parse->slash_text = !parse->ended && word[0] == '/' && strchr(word, ':') && !strchr(word, ' ');
    parse->at = parse->argc;
    return true;
}

static bool take_word(struct parse *parse)
{
    struct word word = {WORD_TEXT, OPTIONS, NULL};

    if (!parse->ended)
        word = classify(parse->argv[parse->at]);
    switch (word.kind) {
    case WORD_END_OF_OPTIONS:
        parse->ended = true;
        return true;
    case WORD_OPTION:
        return take_option(parse, word);
    case WORD_UNKNOWN:
        return fail(parse,
                    "%.60s is no option; to send it as text, quote the whole message or put -- "
                    "before it",
                    parse->argv[parse->at]);
    case WORD_TEXT:
        break;
    }
    return take_text(parse);
}

/* ---- what fits together ---------------------------------------------------------------------- */

static bool check_time(struct parse *parse)
{
    const char *typed = parse->options.given[OPT_TIME];
    uint64_t seconds = 0;

    if (typed && !slice_number(slice_of(typed), OPTIONS_TIME_MAX, &seconds))
        return fail(parse, "/TIME:%.60s: not a number of seconds from 0 to %d", typed,
                    OPTIONS_TIME_MAX);
    parse->options.time_ms = seconds * 1000;
    return true;
}

/* /ACK and /LIST speak of this host's messages to me: only a socket and /V go with them. */
static bool check_receiver(struct parse *parse)
{
    struct options *options = &parse->options;
    const char *name = options->given[OPT_ACK] ? "/ACK" : "/LIST";
    uint64_t number = 0;

    if (options->target)
        return fail(parse, "%s takes no target", name);
    for (int i = 0; i < OPTIONS; i++) {
        bool fits = i == OPT_ACK || i == OPT_LIST || i == OPT_SOCKET || i == OPT_VERBOSE;
        if (options->given[i] && !fits)
            return fail(parse, "%s does not go with --%s", name, TABLE[i].gnu);
    }
    if (options->given[OPT_ACK] && options->given[OPT_LIST])
        return fail(parse, "/ACK does not go with --list");
    if (options->n_words > 0 && slice_number(slice_of(options->words[0]), UINT32_MAX, &number)) {
        options->words++;
        options->n_words--;
        options->number = (uint32_t)number;
        if (number == 0)
            return fail(parse, "%s: messages are numbered from 1", name);
    }
    if (options->given[OPT_LIST] && options->n_words > 0)
        return fail(parse, "/LIST %.60s: not the number of a message", options->words[0]);
    return true;
}

static bool check_sender(struct parse *parse)
{
    struct options *options = &parse->options;

    if (options->target && options->given[OPT_ALL])
        return fail(parse, "/ALL is everybody: no target goes with it");
    if (!options->target && !options->given[OPT_ALL])
        return fail(parse, "to whom? A user, a session, @file or /ALL is missing");
    if (options->given[OPT_SOCKET] && options->given[OPT_SERVER])
        return fail(parse, "--socket is for this host, /SERVER for another: give one of them");
    if (options->given[OPT_ANSWERS] && !options->given[OPT_WAIT])
        options->given[OPT_WAIT] = ""; /* who asks waits for the answer */
    return check_time(parse);
}

/* ---- a `*` that the shell has expanded ------------------------------------------------------- */

/* The place of a name among the words, the target being 0; SIZE_MAX: not there. */
static size_t place_of(const struct options *options, const char *name)
{
    if (strcmp(name, options->target) == 0)
        return 0;
    for (size_t i = 0; i < options->n_words; i++) {
        if (strcmp(name, options->words[i]) == 0)
            return i + 1;
    }
    return SIZE_MAX;
}

/* True if the folder's n names are exactly the target and the n - 1 words behind it. */
static bool is_expanded_star(const struct options *options, const struct options_folder *folder)
{
    size_t n = 0, last = 0;
    const char *name;

    while ((name = folder->next(folder->context))) {
        size_t place;
        if (name[0] == '.')
            continue;
        place = place_of(options, name);
        if (place == SIZE_MAX)
            return false;
        n++;
        last = place > last ? place : last;
    }
    return n > 0 && last == n - 1;
}

static bool check_star(struct parse *parse, const struct options_folder *folder)
{
    const struct options *options = &parse->options;

    if (!options->target || !is_expanded_star(options, folder))
        return true;
    return fail(parse,
                "the shell has made this folder's file names of *; for everybody: msg /ALL or "
                "msg '*' (for a user of that name: user:%.60s)",
                options->target);
}

static void note_options_in_text(struct parse *parse)
{
    const struct options *options = &parse->options;

    if (parse->ended || options->given[OPT_ACK])
        return;
    for (size_t i = 0; i < options->n_words; i++) {
        const char *word = options->words[i];
        bool is_option = classify(word).kind == WORD_OPTION && strcmp(word, "-h") != 0;
        if (is_option || (i == 0 && parse->slash_text)) {
            snprintf(parse->report->note, sizeof(parse->report->note),
                     "%.60s is sent as text: options end at the message's first word", word);
            return;
        }
    }
}

bool options_parse(int argc, const char *const argv[], const struct options_folder *folder,
                   struct options *ret_options, struct options_report *ret_report)
{
    struct parse parse = {.argc = argc, .argv = argv, .at = 1, .report = ret_report};
    const struct options *options = &parse.options;
    bool receiver;

    *ret_report = (struct options_report){{0}, {0}};
    for (; parse.at < argc; parse.at++) {
        if (!take_word(&parse))
            return false;
        if (options->given[OPT_HELP] || options->given[OPT_VERSION]) {
            *ret_options = parse.options;
            return true;
        }
    }
    receiver = options->given[OPT_ACK] || options->given[OPT_LIST];
    if (receiver ? !check_receiver(&parse) : !check_sender(&parse))
        return false;
    if (!receiver && !check_star(&parse, folder))
        return false;
    note_options_in_text(&parse);
    *ret_options = parse.options;
    return true;
}

/* ---- usage ----------------------------------------------------------------------------------- */

static void usage_row(FILE *stream, const struct option_row *row)
{
    char windows[32] = "", gnu[32];

    if (row->windows)
        snprintf(windows, sizeof(windows), "/%s%s%s", row->windows, row->argument ? ":" : "",
                 row->argument ? row->argument : "");
    snprintf(gnu, sizeof(gnu), "--%s%s%s", row->gnu, row->argument ? "=" : "",
             row->argument ? row->argument : "");
    fprintf(stream, "  %-18s  %-19s  %s\n", windows, gnu, row->help);
}

void options_usage(FILE *stream)
{
    fputs("Send a message to a user.\n\n"
          "msg {username | sessionname | sessionid | @filename | *}\n"
          "    [/SERVER:servername] [/TIME:seconds] [/V] [/W] [message]\n"
          "msg /ACK [number] [answer]\n"
          "msg /LIST [number]\n\n"
          "  username            that user, wherever logged in\n"
          "  sessionname         that session: pts/3, tty2, :0, console\n"
          "  sessionid           the session with that id\n"
          "  @filename           the users and sessions named in a file; @- reads them from stdin\n"
          "  *                   everybody on the host\n"
          "  user: session: id:  before a name: only that kind of name\n"
          "  message             the text; without it asked for at a terminal, or read from "
          "stdin\n\n",
          stream);
    for (int i = 0; i < OPTIONS; i++) {
        if (!TABLE[i].later)
            usage_row(stream, &TABLE[i]);
    }
    fputs("\nOptions end at the message's first word; -- ends them before.\n"
          "The shell reads some characters first: * ? ' ! &\n"
          "so quote the message, and for everybody write /ALL:\n"
          "  msg /ALL \"Let's meet at 1PM today\"\n",
          stream);
}
