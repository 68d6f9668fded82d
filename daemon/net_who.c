/* SPDX-License-Identifier: MIT */
/* WHO: who is there, or whom some entries mean. */
#include "daemon/net_audit.h"
#include "daemon/net_follow.h"
#include "daemon/net_requests.h"

#include <errno.h>
#include <stdlib.h>

/* A session of the answer, and where it stands there. */
struct place {
    const struct boundary_session *session;
    uint32_t at;
};

/* Those of one screen together; the first of them first. */
static int by_place(const void *first, const void *second)
{
    const struct place *a = first, *b = second;

    if (a->session->uid != b->session->uid)
        return a->session->uid < b->session->uid ? -1 : 1;
    int order = strcmp(a->session->place, b->session->place);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* Of n sessions with one screen all but the one that is reached name that one. */
static void name_stand_in(const struct place *order, size_t n, struct follow_place *places)
{
    const struct boundary_session *best = order[0].session;

    for (size_t i = 1; i < n; i++) {
        if (sessions_better(order[i].session, best))
            best = order[i].session;
    }
    for (size_t i = 0; i < n; i++) {
        bool reachable = order[i].session->reach != REACH_NOTHING;
        places[order[i].at].instead = order[i].session == best || !reachable ? 0 : best->handle;
    }
}

static void number_places(const struct place *order, size_t n, struct follow_place *places)
{
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first; next < n && (next == first || sessions_one_place(order[first].session,
                                                                            order[next].session));
             next++)
            places[order[next].at].place = order[first].at + 1;
        name_stand_in(order + first, next - first, places);
    }
}

/* Names for their handles, and equal numbers for what shares a screen. */
static struct follow_place *places_of(const struct net_sessions *sessions,
                                      const struct resolved *found)
{
    struct follow_place *places = calloc(found->n + 1, sizeof(*places));
    struct place *order = calloc(found->n + 1, sizeof(*order));

    for (size_t i = 0; places && order && i < found->n; i++) {
        order[i] = (struct place){&sessions->items[found->sessions[i]], (uint32_t)i};
        places[i].handle = order[i].session->handle;
    }
    if (!places || !order) {
        free(places);
        places = NULL;
    } else {
        qsort(order, found->n, sizeof(*order), by_place);
        number_places(order, found->n, places);
    }
    free(order);
    return places;
}

static void answer(const struct call *call, const struct resolved *found)
{
    const struct msg_who *who = &call->msg->u.who;
    struct follow_place *places;

    if (who->to.n > 0 && found->n_misses > 0)
        follow_send_misses(call->conn, call->msg->id, found->misses, found->n_misses, false);
    if (who->to.n > 0 && found->n == 0) {
        call_error(call, resolved_error(found), NULL, 0);
        return;
    }
    places = places_of(&call->server->sessions, found);
    bool partial = who->to.n > 0 && found->failures > 0;
    if (!places ||
        follow_who(call->conn, call->msg->id, places, found->n, partial ? "partial" : "ok") < 0)
        call_error(call, "internal", NULL, 0);
    else {
        audit_answered(call, partial ? "partial" : "ok");
        follow_pump_all(call->conn);
    }
}

void request_who(const struct call *call)
{
    static const struct msg_selector everybody = {.all = true};
    struct resolve_query query = {
        .sessions = &call->server->sessions,
        .rights = &call->rights,
        .to = call->msg->u.who.to,
        .list = true,
    };
    struct resolved found;
    size_t bad;

    if (!presenter_ready(call->server->presenter)) {
        call_error(call, "no-presenter", NULL, RETRY_BUSY_MS);
        return;
    }
    int64_t wait = account_ask(call->conn->account, call->rate, server_now().ms * 1000);
    if (wait > 0) {
        call_error(call, "rate-limited", NULL, (uint64_t)(wait + 999) / 1000);
        return;
    }
    if (query.to.n == 0 && !call->rights.who) {
        call_error(call, "forbidden", NULL, 0);
        return;
    }
    if (query.to.n == 0)
        query.to = (struct msg_selector_list){&everybody, 1};
    int r = resolve(&query, &found, &bad);
    if (r < 0) {
        call_error(call, r == -EINVAL ? "bad-message" : "internal", NULL, 0);
        return;
    }
    answer(call, &found);
    resolved_release(&found);
}
