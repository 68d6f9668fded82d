/* SPDX-License-Identifier: MIT */
#include "client/who.h"

#include "client/reached.h"
#include "common/mem.h"

#include <strings.h>

/* ---- the list -------------------------------------------------------------------------------- */

static void keep(struct who_session *kept, const struct msg_session *session)
{
    *kept = (struct who_session){.reachable = !slice_eq(session->reach, SLICE("nothing"))};
    slice_copy(kept->id, sizeof(kept->id), session->id);
    slice_copy(kept->name, sizeof(kept->name), session->name);
    slice_copy(kept->user, sizeof(kept->user), session->user);
}

int who_take(struct who *who, const struct msg *msg)
{
    const struct msg_session_list *list = &msg->u.events.who;
    struct who_session *grown;

    if (msg->type != MSG_EVENT || list->n == 0 || who->n + list->n > LIM_SESSIONS)
        return 0;
    grown = reallocarray(who->sessions, who->n + list->n, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    who->sessions = grown;
    for (size_t i = 0; i < list->n; i++)
        keep(&who->sessions[who->n++], &list->items[i]);
    return 0;
}

void who_release(struct who *who)
{
    free(who->sessions);
    *who = (struct who){NULL, 0};
}

/* ---- the terminal msg runs in ---------------------------------------------------------------- */

static bool is_word(struct slice name, const char *word)
{
    return name.ptr && name.len == strlen(word) && strncasecmp(name.ptr, word, name.len) == 0;
}

static bool names_me(const struct own_question *question, const struct msg_selector *selector)
{
    return is_word(selector->user, question->me) || is_word(selector->name, question->me);
}

/* By its own name: then it is meant, whatever else is. */
static bool names_terminal(const struct own_question *question)
{
    for (size_t i = 0; i < question->to.n; i++) {
        const struct msg_selector *to = &question->to.items[i];
        if (is_word(to->session, question->terminal) || is_word(to->name, question->terminal))
            return true;
    }
    return false;
}

static bool names_all_or_me(const struct own_question *question, bool *ret_all)
{
    bool me = false;

    *ret_all = false;
    for (size_t i = 0; i < question->to.n; i++) {
        *ret_all |= question->to.items[i].all;
        me |= names_me(question, &question->to.items[i]);
    }
    return me || *ret_all;
}

bool own_needs_who(const struct own_question *question)
{
    bool all, broad = question->terminal && names_all_or_me(question, &all);

    return question->terminal && (broad ? !all : question->wait);
}

enum own_answer own_decide(const struct own_question *question, const struct who *who)
{
    bool all = false, mine = false;
    size_t others = 0;

    if (!question->terminal)
        return OWN_AS_IT_IS;
    for (size_t i = 0; who && i < who->n; i++) {
        bool own = strcmp(who->sessions[i].name, question->terminal) == 0;
        mine |= own;
        others += !own && who->sessions[i].reachable;
    }
    if (names_all_or_me(question, &all) && !names_terminal(question) && (all || others > 0))
        return OWN_LEAVE_OUT;
    return mine && others == 0 && !all ? OWN_ALONE : OWN_AS_IT_IS;
}

/* ---- names that mean two things -------------------------------------------------------------- */

/* The kinds of name in the order in which a host takes them; the first that fits is meant. */
static void remark(const struct who *who, const struct outcome *outcome, struct slice target)
{
    static const char *const KINDS[] = {"user", "session", "id"};
    static const size_t ORDERS[2][3] = {{0, 1, 2}, {2, 0, 1}}; /* of digits only: the id first */
    bool there[3] = {false, false, false};
    const char *meant = NULL;

    for (size_t i = 0; i < who->n; i++) {
        const struct who_session *s = &who->sessions[i];
        there[0] |= is_word(target, s->user);
        there[1] |= is_word(target, s->name);
        /* an id that is the session's name as well is no clash */
        there[2] |= is_word(target, s->id) && !is_word(target, s->name);
    }
    for (size_t i = 0; i < 3; i++) {
        size_t kind = ORDERS[reached_is_number(target)][i];
        if (!there[kind])
            continue;
        if (meant)
            speak(outcome->config.speaker, LINE_CLASH,
                  &(struct line_fields){
                      .target = target, .message = slice_of(meant), .code = slice_of(KINDS[kind])});
        else
            meant = KINDS[kind];
    }
}

void who_remark(const struct who *who, const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->config.to.n; i++) {
        if (outcome->config.to.items[i].name.len > 0)
            remark(who, outcome, outcome->config.to.items[i].name);
    }
}
