/* SPDX-License-Identifier: MIT */
/* msgctl sessions: the login sessions of a host, and how a message would reach each. */
#include "client/ctl_server.h"
#include "client/json.h"
#include "common/mem.h"
#include "common/text.h"

#define CELL TEXT_ESCAPED(LIM_NAME)
#define ROW  "%-10s %-10s %-12s %-8s %-8s %-16s %5s %-6s  "

/* A server that lists without end is cut short here. */
struct listing {
    bool json;
    size_t n;
};

static const char *cell(struct slice value, char out[static CELL])
{
    text_escape(value.len > 0 ? value : SLICE("-"), TEXT_ONE_LINE, out, CELL);
    return out;
}

/* `12s`, `5m`, `3h`, `2d`. */
static const char *idle(uint64_t seconds, char out[static 24])
{
    static const struct {
        uint64_t length;
        char unit;
    } UNITS[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(UNITS) && seconds < UNITS[i].length)
        i++;
    snprintf(out, 24, "%llu%c", (unsigned long long)(seconds / UNITS[i].length), UNITS[i].unit);
    return out;
}

/* `desktop`; `nothing (no-screen)`; `terminal (left out for :0)`. */
static void print_reach(const struct msg_session *s)
{
    char reach[CELL], why[CELL], by[CELL];

    printf("%s", cell(s->reach, reach));
    if (s->why.len > 0)
        printf(" (%s)", cell(s->why, why));
    if (s->by.len > 0)
        printf(" (left out for %s)", cell(s->by, by));
}

static void print_row(const struct msg_session *s)
{
    char id[CELL], name[CELL], user[CELL], type[CELL], state[CELL], from[CELL], since[24];

    printf(ROW, cell(s->id, id), cell(s->name, name), cell(s->user, user), cell(s->type, type),
           cell(s->state, state), cell(s->from, from), idle(s->idle_s, since),
           s->locked ? "yes" : "-");
    print_reach(s);
    putchar('\n');
}

static void print_object(const struct msg_session *s)
{
    const struct {
        const char *key;
        struct slice value;
    } strings[] = {{"id", s->id},       {"name", s->name},   {"user", s->user},
                   {"type", s->type},   {"state", s->state}, {"from", s->from},
                   {"reach", s->reach}, {"why", s->why},     {"by", s->by}};
    json_open(stdout);
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        json_string(stdout, strings[i].key, strings[i].value);
    json_number(stdout, "idle_s", s->idle_s);
    json_number(stdout, "place", s->place);
    json_bool(stdout, "locked", s->locked);
    json_bool(stdout, "me", s->me);
    json_close(stdout);
}

static void on_message(void *context, const struct msg *msg)
{
    struct listing *listing = context;
    const struct msg_session_list *who = &msg->u.events.who;
    if (msg->type != MSG_EVENT)
        return;
    for (size_t i = 0; i < who->n && listing->n < LIM_SESSIONS; i++, listing->n++) {
        if (listing->json) {
            print_object(&who->items[i]);
            continue;
        }
        if (listing->n == 0)
            printf(ROW "REACHED BY\n", "ID", "NAME", "USER", "TYPE", "STATE", "FROM", "IDLE",
                   "LOCKED");
        print_row(&who->items[i]);
    }
}

static int failure(struct run *run, const struct exchange *exchange)
{
    if (run->signal != 0 || exchange->result.outcome != CALL_ERROR ||
        strcmp(exchange->result.code, "forbidden") != 0)
        return run_failure(run, exchange, false, NULL);
    speak(&run->speaker, run->server.local ? LINE_FORBIDDEN_WHO_HERE : LINE_FORBIDDEN_WHO, NULL);
    return CTL_FAILED;
}

int ctl_sessions(const struct ctl *ctl)
{
    static struct run run;
    struct listing listing = {.json = ctl->json};
    struct exchange exchange = {.message = on_message, .context = &listing};
    struct msg request = {.type = MSG_WHO};
    int status = ctl_begin(ctl, ctl->n_words > 0 ? ctl->words[0] : NULL, &run);
    if (status == CTL_OK) {
        run_exchange(&run, &exchange, &request);
        if (run.signal != 0 || exchange.result.outcome != CALL_RESULT)
            status = failure(&run, &exchange);
        else if (listing.n == 0)
            speak(&run.speaker, LINE_NOBODY, NULL);
    }
    run_end(&run);
    return status;
}
