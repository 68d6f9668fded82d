/* SPDX-License-Identifier: MIT */
#include "client/compose.h"

#include "client/input.h"
#include "client/message.h"
#include "common/mem.h"

#include <langinfo.h>

static int complain(const struct compose *compose, enum line line, const char *file, size_t number,
                    const char *message)
{
    char at[24];

    snprintf(at, sizeof(at), "%zu", number);
    speak(compose->speaker, line,
          &(struct line_fields){
              .file = slice_of(file), .id = slice_of(at), .message = slice_of(message)});
    return EXIT_USAGE;
}

static int complain_of_read(const struct compose *compose, const char *file, int error)
{
    return complain(compose, LINE_FILE_COMPLAINT, file, 0,
                    error == -EFBIG ? "too long" : print_cause(error));
}

/* ---- targets --------------------------------------------------------------------------------- */

static int read_target_file(struct compose *compose, const char *path)
{
    const char *shown = strcmp(path, "-") == 0 ? "stdin" : path;
    struct targets_fault fault;
    CLEANUP_FREE char *bytes = NULL;
    size_t len = 0;
    int r;

    if (path[0] == '\0')
        return complain(compose, LINE_COMPLAINT, NULL, 0, "the name of a file is missing behind @");
    r = input_read_file(path, LIM_TARGET_FILE + 1, &bytes, &len);
    if (r < 0)
        return complain_of_read(compose, shown, r);
    r = targets_from_file((struct slice){bytes, len}, &compose->targets, &fault);
    if (r == -EINVAL)
        return complain(compose, fault.line ? LINE_FILE_LINE_COMPLAINT : LINE_FILE_COMPLAINT, shown,
                        fault.line, fault.what);
    return r < 0 ? complain_of_read(compose, shown, r) : EXIT_DONE;
}

static int read_targets(struct compose *compose)
{
    const char *target = compose->options->target ? compose->options->target : "*";
    struct targets_fault fault;
    int r;

    if (target[0] == '@')
        return read_target_file(compose, target + 1);
    r = targets_from_word(target, &compose->targets, &fault);
    if (r == -EINVAL)
        return complain(compose, LINE_FILE_COMPLAINT, target, 0, fault.what);
    return r < 0 ? complain_of_read(compose, target, r) : EXIT_DONE;
}

/* ---- title and text -------------------------------------------------------------------------- */

static int clean(const struct compose *compose, struct slice raw, enum message_kind kind,
                 char **ret_text, size_t *ret_len)
{
    struct message_error error;
    int r = message_clean(raw, kind, nl_langinfo(CODESET), ret_text, ret_len, &error);

    if (r == -EINVAL)
        return complain(compose, LINE_COMPLAINT, NULL, 0, error.text);
    return r < 0 ? complain(compose, LINE_COMPLAINT, NULL, 0, print_cause(r)) : EXIT_DONE;
}

static int read_words(struct compose *compose)
{
    CLEANUP_FREE char *joined = message_join(compose->options->words, compose->options->n_words);

    if (!joined)
        return complain(compose, LINE_COMPLAINT, NULL, 0, print_cause(-ENOMEM));
    return clean(compose, slice_of(joined), MESSAGE_WORDS, &compose->text, &compose->text_len);
}

static int read_stream(struct compose *compose, enum input_end end)
{
    CLEANUP_FREE char *bytes = NULL;
    struct slice raw = {NULL, 0};
    int r = input_read(STDIN_FILENO, MESSAGE_RAW_MAX + 1, end, &bytes, &raw.len);

    raw.ptr = bytes;
    if (r == -EFBIG)
        raw.len = MESSAGE_RAW_MAX + 1; /* the limit is told by who knows it */
    else if (r < 0)
        return complain_of_read(compose, "stdin", r);
    return clean(compose, raw, MESSAGE_STREAM, &compose->text, &compose->text_len);
}

static int read_text(struct compose *compose)
{
    const char *target = compose->options->target;

    if (compose->options->n_words > 0)
        return read_words(compose);
    if (target && strcmp(target, "@-") == 0)
        return complain(compose, LINE_COMPLAINT, NULL, 0,
                        "stdin holds the targets: the message must stand on the command line");
    return isatty(STDIN_FILENO) ? EXIT_DONE : read_stream(compose, INPUT_TO_END);
}

static int read_title(struct compose *compose)
{
    const char *title = compose->options->given[OPT_TITLE];

    if (!title)
        return EXIT_DONE;
    return clean(compose, slice_of(title), MESSAGE_TITLE, &compose->title, &compose->title_len);
}

static int read_answers(struct compose *compose)
{
    const char *typed = compose->options->given[OPT_ANSWERS];
    struct message_error error;
    int r = typed ? answers_read(typed, nl_langinfo(CODESET), &compose->answers, &error) : 0;

    if (r == 0)
        return EXIT_DONE;
    if (r == -EINVAL)
        speak(compose->speaker, LINE_INVALID, NULL);
    return complain(compose, LINE_FILE_COMPLAINT, "/ANSWERS", 0,
                    r == -EINVAL ? error.text : print_cause(r));
}

int compose_read(struct compose *compose, const struct options *options,
                 const struct speaker *speaker)
{
    int status;

    *compose = (struct compose){.options = options, .speaker = speaker};
    status = read_targets(compose);
    if (status == EXIT_DONE)
        status = read_title(compose);
    if (status == EXIT_DONE)
        status = read_answers(compose);
    return status == EXIT_DONE ? read_text(compose) : status;
}

bool compose_wants_prompt(const struct compose *compose)
{
    return compose->text == NULL;
}

int compose_prompt(struct compose *compose)
{
    const char *target = compose->options->target;

    speak(compose->speaker, LINE_PROMPT,
          &(struct line_fields){.target = slice_of(target ? target : "everybody")});
    return read_stream(compose, INPUT_TO_DOT);
}

void compose_release(struct compose *compose)
{
    targets_release(&compose->targets);
    free(compose->text);
    free(compose->title);
    answers_release(&compose->answers);
}
