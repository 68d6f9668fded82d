/* SPDX-License-Identifier: MIT */
/* inbox.h's second half: what /ACK and /LIST ask msgd, and what follows from its answer. */
#include "client/inbox.h"
#include "client/input.h"
#include "client/message.h"
#include "common/mem.h"

#include <langinfo.h>
#include <pwd.h>
#include <sys/stat.h>

static bool is_error(const struct exchange *exchange, const char *code)
{
    return exchange->result.outcome == CALL_ERROR && strcmp(exchange->result.code, code) == 0;
}

static void on_message(void *context, const struct msg *msg)
{
    inbox_take(context, msg);
}

static int say(const struct run *run, enum line line, uint32_t number,
               const struct line_fields *fields)
{
    struct line_fields whole = fields ? *fields : (struct line_fields){0};
    char id[16];

    snprintf(id, sizeof(id), "%u", number);
    whole.id = slice_of(id);
    speak(&run->speaker, line, &whole);
    return EXIT_FAILED;
}

/* ---- who sits here --------------------------------------------------------------------------- */

/* The owner of the terminal msg runs in, if he is another one. */
static const char *other_owner(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        struct stat st;
        if (!isatty(fd) || fstat(fd, &st) < 0)
            continue;
        const struct passwd *owner = st.st_uid == geteuid() ? NULL : getpwuid(st.st_uid);
        return owner ? owner->pw_name : NULL;
    }
    return NULL;
}

/* Nobody acknowledges for another one, root neither; told where that is what was tried. */
static int say_nothing_there(const struct run *run, uint32_t number)
{
    const char *owner = other_owner();
    char id[16] = "";

    if (number > 0)
        snprintf(id, sizeof(id), " %u", number);
    if (owner)
        speak(&run->speaker, LINE_ACK_OTHERS,
              &(struct line_fields){.user = slice_of(owner), .id = slice_of(id)});
    else
        say(run, number > 0 ? LINE_ACK_NO_NUMBER : LINE_ACK_NONE, number, NULL);
    return EXIT_FAILED;
}

/* ---- LIST ------------------------------------------------------------------------------------ */

int inbox_fetch(struct run *run, uint32_t number, struct inbox *ret_inbox)
{
    struct exchange exchange = {.message = on_message, .context = ret_inbox};
    struct msg request = {.type = MSG_LIST};

    *ret_inbox = (struct inbox){NULL, 0};
    request.u.list.number = number;
    run_exchange(run, &exchange, &request);
    if (run->signal == 0 && exchange.result.outcome == CALL_RESULT)
        return EXIT_DONE;
    if (run->signal == 0 && is_error(&exchange, "no-target"))
        return say_nothing_there(run, number);
    return run_failure(run, &exchange, false, NULL);
}

int inbox_list(struct run *run, const struct options *options)
{
    struct inbox inbox;
    int status = run_begin(run);

    if (status != EXIT_DONE)
        return status;
    status = inbox_fetch(run, options->number, &inbox);
    if (status == EXIT_DONE && inbox.n == 0)
        speak(&run->speaker, LINE_LIST_EMPTY, NULL);
    else if (status == EXIT_DONE && options->number > 0)
        inbox_print_full(&inbox.messages[0], &run->speaker);
    else if (status == EXIT_DONE)
        inbox_print(&inbox, &run->speaker);
    inbox_release(&inbox);
    return status;
}

/* ---- ACK ------------------------------------------------------------------------------------- */

struct ack {
    struct run *run;
    uint32_t number;
    char *answer; /* NULL: none given */
    size_t answer_len;
    bool asks; /* the message has answers, and what was given is none of them */
};

static int take_answer(struct ack *ack, struct slice raw)
{
    struct message_error error;
    char *answer;
    int r =
        message_clean(raw, MESSAGE_ANSWER, nl_langinfo(CODESET), &answer, &ack->answer_len, &error);

    if (r == 0) {
        free(ack->answer);
        ack->answer = answer;
        return EXIT_DONE;
    }
    const char *words = r == -EINVAL ? error.text : print_cause(r);
    speak(&ack->run->speaker, LINE_COMPLAINT, &(struct line_fields){.message = slice_of(words)});
    return EXIT_USAGE;
}

static int read_answer(struct ack *ack, const struct options *options)
{
    CLEANUP_FREE char *joined = NULL;

    if (options->n_words == 0)
        return EXIT_DONE;
    joined = message_join(options->words, options->n_words);
    return joined ? take_answer(ack, slice_of(joined)) : EXIT_FAILED;
}

/* Once the answers have been told: one is typed at the terminal. False: none is. */
static bool ask(struct ack *ack)
{
    CLEANUP_FREE char *line = NULL;
    size_t len = 0;

    if (!ack->asks || !isatty(STDIN_FILENO))
        return false;
    ack->asks = false;
    if (input_read(STDIN_FILENO, MESSAGE_RAW_MAX, INPUT_TO_LINE, &line, &len) < 0 || len == 0)
        return false;
    return take_answer(ack, (struct slice){line, len}) == EXIT_DONE;
}

/* Without a number: the only one that waits; else the list, since the newest may have come late. */
static int choose(struct ack *ack)
{
    const struct inbox_message *one = NULL;
    struct inbox inbox;
    int status = inbox_fetch(ack->run, 0, &inbox);
    size_t waiting = status == EXIT_DONE ? inbox_waiting(&inbox, &one) : 0;

    if (waiting == 1) {
        ack->number = one->number;
    } else if (status == EXIT_DONE && waiting == 0) {
        status = say_nothing_there(ack->run, 0);
    } else if (status == EXIT_DONE) {
        inbox_print(&inbox, &ack->run->speaker);
        status = say(ack->run, LINE_ACK_SEVERAL, one->number, NULL);
    }
    inbox_release(&inbox);
    return status;
}

/* It came too late, or with a wrong answer: what the message itself says about that. */
static int explain(struct ack *ack, bool late)
{
    struct line_fields fields = {.answer = {ack->answer, ack->answer_len}};
    char at[8], ended[8];
    struct inbox inbox;
    int status = inbox_fetch(ack->run, ack->number, &inbox);

    if (status == EXIT_DONE && inbox.n > 0) {
        const struct inbox_message *message = &inbox.messages[0];
        fields.by = slice_of(message->from);
        fields.at = inbox_time(message->at, at);
        fields.time = inbox_time(message->ended, ended);
        fields.message = slice_of(message->answers);
        ack->asks = !late && message->answers[0] != '\0';
        status = say(ack->run,
                     late                       ? LINE_ACK_ENDED
                     : message->answers[0] == 0 ? LINE_ACK_NO_ANSWERS
                     : ack->answer              ? LINE_ACK_BAD_ANSWER
                                                : LINE_ACK_NEEDS_ANSWER,
                     ack->number, &fields);
    }
    inbox_release(&inbox);
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

static int acknowledge(struct ack *ack)
{
    struct exchange exchange = {.message = NULL};
    struct msg request = {.type = MSG_ACK};
    char terminal[LIM_NAME + 1];

    run_terminal(ack->run, terminal);
    request.u.ack = (struct msg_ack){.number = ack->number,
                                     .answer = {ack->answer, ack->answer_len},
                                     .sess = slice_of(terminal)};
    run_exchange(ack->run, &exchange, &request);
    if (ack->run->signal != 0)
        return EXIT_SIGNAL + ack->run->signal;
    if (exchange.result.outcome == CALL_RESULT) {
        say(ack->run, LINE_ACK_DONE, ack->number, NULL);
        return EXIT_DONE;
    }
    if (is_error(&exchange, "no-target"))
        return say_nothing_there(ack->run, ack->number);
    if (is_error(&exchange, "too-late"))
        return explain(ack, true);
    if (is_error(&exchange, "bad-message") && strcmp(exchange.result.at, "answer") == 0)
        return explain(ack, false);
    return run_failure(ack->run, &exchange, false, NULL);
}

int inbox_ack(struct run *run, const struct options *options)
{
    struct ack ack = {.run = run, .number = options->number};
    int status = read_answer(&ack, options);

    if (status == EXIT_DONE)
        status = run_begin(run);
    if (status == EXIT_DONE && ack.number == 0)
        status = choose(&ack);
    if (status == EXIT_DONE) {
        do {
            status = acknowledge(&ack);
        } while (ask(&ack));
    }
    free(ack.answer);
    return status;
}
