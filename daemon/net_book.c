/* SPDX-License-Identifier: MIT */
#include "daemon/net_book.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#define NAME_BITS 10 /* a delivery's name: the request's number, then d - 1 */
_Static_assert(LIM_DELIVERIES <= 1 << NAME_BITS, "a delivery's name has no room");

struct book_request *book_find(const struct book *book, const struct book_key *key)
{
    struct book_request *request;

    HASH_FIND(hh, book->table, key, sizeof(*key), request);
    return request;
}

uint64_t book_delivery_name(const struct book_request *request, uint32_t d)
{
    return request->number << NAME_BITS | (d - 1);
}

struct book_request *book_by_delivery(const struct book *book, uint64_t name, uint32_t *ret_d)
{
    uint64_t number = name >> NAME_BITS;
    uint32_t d = (uint32_t)(name & ((1u << NAME_BITS) - 1)) + 1;
    struct book_request *request;

    HASH_FIND(by_number, book->numbers, &number, sizeof(number), request);
    if (!request || d > request->life.n)
        return NULL;
    *ret_d = d;
    return request;
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void release(struct book *book, struct book_request *request)
{
    if (request->message)
        held_drop(&book->readers, request->message);
    request_release(&request->life);
    free(request->to);
    free(request->misses);
    free(request->record);
    free(request);
}

/* Only what is finished, or never started, is forgotten: no entry points to it any more. */
static void forget(struct book *book, struct book_request *request)
{
    struct account *account = request->account;

    if (request_finished(&request->life))
        DL_DELETE2(account->finals, request, final_prev, final_next);
    account->uids--;
    heap_set(&book->heap, &request->deadline, NEVER);
    HASH_DELETE(hh, book->table, request);
    HASH_DELETE(by_number, book->numbers, request);
    release(book, request);
}

/* ---- entering -------------------------------------------------------------------------------- */

int book_make_room(struct book *book, struct account *account, size_t n, size_t bytes)
{
    if (book->open + n > book->limits.deliveries)
        return -EBUSY;
    if (book->readers.held + bytes > book->limits.text) {
        readers_make_room(&book->readers, bytes, book->limits.text);
        if (book->readers.held + bytes > book->limits.text)
            return -EBUSY;
    }
    if (account->uids < book->limits.uids)
        return 0;
    struct book_request *oldest;
    DL_FOREACH2(account->finals, oldest, final_next)
    {
        if (!oldest->holder)
            break;
    }
    if (!oldest)
        return -EBUSY;
    forget(book, oldest);
    return 0;
}

static void copy_targets(struct book_request *request, const struct book_new *new)
{
    for (size_t i = 0; i < new->resolved->n; i++) {
        const struct boundary_session *s = &new->sessions->items[new->resolved->sessions[i]];
        struct book_target *to = &request->to[i];
        to->session = s->handle;
        to->uid = s->uid;
        to->reach = to->shown_reach = s->reach;
        memcpy(to->user, s->user, sizeof(to->user));
        memcpy(to->sess, s->name, sizeof(to->sess));
        memcpy(to->id, s->id, sizeof(to->id));
        memcpy(to->terminal, s->terminal, sizeof(to->terminal));
        if (strcmp(s->state, "active") != 0 && strcmp(s->state, "online") != 0)
            memcpy(to->state, s->state, sizeof(to->state));
    }
}

static struct slice keep(char **at, struct slice string)
{
    struct slice kept = {string.len > 0 ? *at : NULL, string.len};

    if (string.len > 0)
        *at = mempcpy(*at, string.ptr, string.len);
    return kept;
}

static size_t strings_of(const struct msg_miss *miss)
{
    return miss->code.len + miss->user.len + miss->sess.len + miss->by.len;
}

/* The misses outlive the sessions that they were made from. */
static int copy_misses(struct book_request *request, const struct resolved *resolved)
{
    size_t n = resolved->n_misses, strings = 0;

    for (size_t i = 0; i < n; i++)
        strings += strings_of(&resolved->misses[i]);
    request->misses = malloc(n * sizeof(*request->misses) + strings + 1);
    if (!request->misses)
        return -ENOMEM;
    char *at = (char *)(request->misses + n);
    for (size_t i = 0; i < n; i++) {
        const struct msg_miss *from = &resolved->misses[i];
        request->misses[i] = (struct msg_miss){.to = from->to,
                                               .code = keep(&at, from->code),
                                               .user = keep(&at, from->user),
                                               .sess = keep(&at, from->sess),
                                               .by = keep(&at, from->by)};
    }
    request->n_misses = n;
    return 0;
}

static int fill(struct book *book, struct book_request *request, const struct book_new *new)
{
    uint32_t users[LIM_DELIVERIES];
    uint32_t n = (uint32_t) new->resolved->n;
    struct request_terms terms = new->terms;

    request->to = calloc(n, sizeof(*request->to));
    request->message = held_make(&book->readers, &new->message);
    if (!request->to || !request->message || copy_misses(request, new->resolved) < 0)
        return -ENOMEM;
    copy_targets(request, new);
    for (uint32_t i = 0; i < n; i++)
        users[i] = request->to[i].uid;
    terms.failures = new->resolved->failures;
    return request_init(&request->life, &terms, users, n);
}

/* One number for a person, however many his places. */
static int number_receivers(struct book *book, struct book_request *request)
{
    for (uint32_t i = 0; i < request->life.n; i++) {
        struct book_target *to = &request->to[i];
        for (uint32_t k = 0; k < i && !to->entry; k++) {
            if (request->to[k].uid == to->uid)
                to->entry = request->to[k].entry;
        }
        if (!to->entry)
            to->entry = reader_add(&book->readers, to->uid, request->message);
        if (!to->entry)
            return -ENOMEM;
        reader_entry_opens(to->entry, request, to->sess);
    }
    return 0;
}

static void unnumber_receivers(struct book *book, struct book_request *request)
{
    for (uint32_t i = 0; i < request->life.n && request->to[i].entry; i++)
        reader_entry_closes(&book->readers, request->to[i].entry);
}

static int enter(struct book *book, struct book_request *request)
{
    int r = heap_reserve(&book->heap, HASH_CNT(hh, book->table) + 1);

    if (r < 0)
        return r;
    request->number = ++book->last_number;
    HASH_ADD(hh, book->table, key, sizeof(request->key), request);
    if (!request->hh.tbl)
        return -ENOMEM;
    HASH_ADD(by_number, book->numbers, number, sizeof(request->number), request);
    if (request->by_number.tbl)
        return 0;
    HASH_DELETE(hh, book->table, request);
    return -ENOMEM;
}

int book_add(struct book *book, const struct book_new *new, struct book_request **ret_request)
{
    struct book_request *request = calloc(1, sizeof(*request));

    if (!request)
        return -ENOMEM;
    request->key = new->key;
    memcpy(request->body, new->body, sizeof(request->body));
    request->account = new->account;
    request->claim = new->claim;
    request->override = new->override;
    int r = fill(book, request, new);
    if (r == 0)
        r = number_receivers(book, request);
    if (r == 0)
        r = enter(book, request);
    if (r < 0) {
        unnumber_receivers(book, request);
        release(book, request);
        return r;
    }
    request->account->uids++;
    book->open += request->life.n;
    *ret_request = request;
    return 0;
}

/* ---- living ---------------------------------------------------------------------------------- */

static void tell_receivers(struct book *book, struct book_request *request, uint32_t since,
                           struct moment now)
{
    const struct delivery_event *event;

    for (uint32_t q = since; (event = request_log_after(&request->life, q)); q++) {
        struct book_target *to = &request->to[event->d - 1];
        reader_entry_enters(&book->readers, to->entry, event, now);
        if (event->fin) {
            to->entry = NULL;
            book->open--;
        }
    }
}

/* Nobody needs the text any more; the labels are still said again to who asks again. */
static void let_text_go(struct book *book, struct book_request *request)
{
    struct held_message *message = request->message;
    struct held_new labels = {.answers = {message->answers, message->n_answers}, .at = message->at};
    struct held_message *kept = held_make(&book->readers, &labels);

    if (!kept)
        return;
    request->message = kept;
    held_drop(&book->readers, message);
}

void book_step(struct book *book, struct book_request *request, const struct request_event *event,
               struct moment now, struct request_actions *ret_actions)
{
    uint32_t since = request->life.q;

    request_step(&request->life, event, now, ret_actions);
    tell_receivers(book, request, since, now);
    if (ret_actions->finished) {
        request->forget_at = now.ms + LIM_UID_TIME;
        DL_APPEND2(request->account->finals, request, final_prev, final_next);
        let_text_go(book, request);
    }
    bool over = request_finished(&request->life);
    heap_set(&book->heap, &request->deadline,
             over ? request->forget_at : request_deadline(&request->life));
}

int64_t book_next(const struct book *book)
{
    const struct deadline *first = heap_first(&book->heap);

    return first ? first->at : NEVER;
}

struct book_request *book_due(struct book *book, struct moment now)
{
    struct deadline *first;

    readers_sweep(&book->readers, now.ms);
    while ((first = heap_first(&book->heap)) && first->at <= now.ms) {
        struct book_request *request =
            (void *)((char *)first - offsetof(struct book_request, deadline));
        if (!request_finished(&request->life))
            return request;
        if (request->holder) /* still reading what became of it */
            heap_set(&book->heap, first, now.ms + LIM_STALLED);
        else
            forget(book, request);
    }
    return NULL;
}

static bool is_in(const struct book_target *to, struct slice sess)
{
    return sess.len > 0 &&
           (slice_eq(sess, slice_of(to->sess)) || slice_eq(sess, slice_of(to->terminal)));
}

uint32_t book_awaiting(const struct reader_entry *entry, struct slice sess)
{
    const struct book_request *request = entry->request;
    uint32_t first = 0;

    for (uint32_t d = 1; request && d <= request->life.n; d++) {
        const struct book_target *to = &request->to[d - 1];
        if (to->entry != entry || !request_awaits(&request->life, d))
            continue;
        if (is_in(to, sess))
            return d;
        if (first == 0)
            first = d;
    }
    return first;
}

void book_clear(struct book *book)
{
    struct book_request *request, *next;

    readers_clear(&book->readers);
    HASH_ITER(hh, book->table, request, next)
    forget(book, request);
    heap_clear(&book->heap);
    *book = (struct book){.limits = book->limits};
}
