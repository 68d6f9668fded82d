/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "daemon/net_book.h"
#include "tests/unit/unit.h"

#define HOUR (3600 * 1000)

static struct book book;
static struct accounts accounts;
static struct net_sessions sessions;
static struct account *ann;
static uint8_t next_uid;

static const struct book_limits plenty = {.deliveries = 65536, .text = 1 << 20, .uids = 1000};

/* bob on 0, 1 and 3, eve on 2 */
static void begin(struct book_limits limits)
{
    static const uint32_t uids[] = {1001, 1001, 1002, 1001};
    struct principal principal = principal_of_uid(1000);

    book_clear(&book);
    accounts_clear(&accounts);
    sessions_clear(&sessions);
    book.limits = limits;
    ann = account_of(&accounts, &principal);
    for (uint32_t i = 0; i < 4; i++) {
        struct boundary_session s = {.handle = 100 + i, .uid = uids[i], .reach = REACH_TERMINAL};
        snprintf(s.name, sizeof(s.name), "pts/%u", i);
        if (i != 1)
            snprintf(s.terminal, sizeof(s.terminal), "tty%u", i);
        CU_ASSERT_FATAL(sessions_update(&sessions, &s) == 0);
    }
}

static struct book_key key_of(uint8_t uid)
{
    return (struct book_key){.principal = ann->principal, .uid = {uid}};
}

static struct book_request *add(uint32_t *to, size_t n, struct request_terms terms)
{
    struct resolved resolved = {.sessions = to, .n = n};
    struct slice labels[] = {SLICE("Yes"), SLICE("No")};
    struct book_new new = {
        .key = key_of(++next_uid),
        .account = ann,
        .terms = terms,
        .sessions = &sessions,
        .resolved = &resolved,
        .message = {.sender = SLICE("ann (this host)"),
                    .text = SLICE("tea?"),
                    .wait = terms.wait,
                    .answers = {labels, 2}},
    };
    struct book_request *request = NULL;

    CU_ASSERT_FATAL(book_add(&book, &new, &request) == 0);
    return request;
}

static struct request_actions steps(struct book_request *request, struct request_event event,
                                    int64_t at)
{
    struct request_actions actions;

    book_step(&book, request, &event, (struct moment){.ms = at, .wall = (uint64_t)at + 7},
              &actions);
    return actions;
}
#define STEP(request, at, ...) steps(request, (struct request_event){__VA_ARGS__}, at)

static struct book_request *waits(uint32_t *to, size_t n)
{
    struct book_request *request =
        add(to, n, (struct request_terms){.wait = true, .time_ms = 30000});

    STEP(request, 0, .kind = EVENT_START);
    return request;
}

static void found_again_by_principal_and_uid(void)
{
    uint32_t to[] = {0, 1, 2};
    struct noise_public key = {{0xe8, 3}};
    begin(plenty);
    struct book_request *request = waits(to, 3);
    struct book_key other = request->key;
    uint32_t d = 0;

    CU_ASSERT(book_find(&book, &request->key) == request);
    other.principal = principal_of_uid(1001);
    CU_ASSERT(!book_find(&book, &other));
    other.principal = principal_of_key(&key); /* the bytes of uid 1000 */
    CU_ASSERT(!book_find(&book, &other));
    CU_ASSERT(book_by_delivery(&book, book_delivery_name(request, 3), &d) == request && d == 3);
    CU_ASSERT(!book_by_delivery(&book, book_delivery_name(request, 4), &d));
    CU_ASSERT(!book_by_delivery(&book, 1 << 10 | 1 << 20, &d));
    CU_ASSERT(request->to[2].session == 102 && strcmp(request->to[2].sess, "pts/2") == 0);
}

static void misses_are_kept_for_who_asks_again(void)
{
    uint32_t to[] = {0};
    begin(plenty);
    struct msg_miss miss = {.to = 4, .code = SLICE(MISS_NO_SCREEN), .user = SLICE("sftp")};
    struct resolved resolved = {
        .sessions = to, .n = 1, .misses = &miss, .n_misses = 1, .failures = 1};
    struct book_new new = {.key = key_of(99),
                           .account = ann,
                           .terms = {.time_ms = 1000},
                           .sessions = &sessions,
                           .resolved = &resolved};
    struct book_request *request;

    CU_ASSERT_FATAL(book_add(&book, &new, &request) == 0);
    CU_ASSERT(request->n_misses == 1 && request->misses[0].to == 4);
    CU_ASSERT(slice_eq(request->misses[0].code, SLICE("no-screen")));
    CU_ASSERT(slice_eq(request->misses[0].user, SLICE("sftp")));
    CU_ASSERT(request->misses[0].sess.len == 0 && request->misses[0].code.ptr != miss.code.ptr);
    STEP(request, 0, .kind = EVENT_START);
    STEP(request, 0, .kind = EVENT_SHOWN, .d = 1);
    CU_ASSERT_STRING_EQUAL(request_result(&request->life), "partial");
}

static void one_number_a_person_and_none_twice(void)
{
    uint32_t all[] = {0, 1, 2}, eve[] = {2};
    begin(plenty);
    struct book_request *first = waits(all, 3), *second = waits(eve, 1);

    CU_ASSERT(first->to[0].entry == first->to[1].entry && first->to[0].entry->number == 1);
    CU_ASSERT(first->to[2].entry->number == 1 && first->to[2].entry->uid == 1002);
    CU_ASSERT(second->to[0].entry->number == 2);
    CU_ASSERT(!reader_find(&book.readers, 1001, 2) && !reader_find(&book.readers, 0, 1));
    STEP(second, 1, .kind = EVENT_CANCEL);
    CU_ASSERT(waits(eve, 1)->to[0].entry->number == 3);
}

static void of_his_places_the_one_he_answers_in(void)
{
    uint32_t all[] = {0, 1, 2, 3};
    begin(plenty);
    struct book_request *request =
        add(all, 4, (struct request_terms){.wait = true, .each = true, .time_ms = 30000});
    struct reader_entry *entry = reader_find(&book.readers, 1001, 1);

    STEP(request, 0, .kind = EVENT_START);
    CU_ASSERT(request->to[0].entry == entry && request->to[1].entry == entry);
    for (uint32_t d = 1; d <= 4; d++)
        STEP(request, 1, .kind = EVENT_SHOWN, .d = d);
    CU_ASSERT(book_awaiting(entry, SLICE("pts/1")) == 2);
    CU_ASSERT(book_awaiting(entry, SLICE("tty3")) == 4);
    CU_ASSERT(book_awaiting(entry, SLICE("pts/2")) == 1); /* another's */
    CU_ASSERT(book_awaiting(entry, SLICE("")) == 1);
    STEP(request, 2, .kind = EVENT_ACKNOWLEDGED, .d = 1);
    CU_ASSERT(entry->request && book_awaiting(entry, SLICE("pts/0")) == 2);
    STEP(request, 2, .kind = EVENT_ACKNOWLEDGED, .d = 2);
    STEP(request, 2, .kind = EVENT_ACKNOWLEDGED, .d = 4);
    CU_ASSERT(!entry->request && book_awaiting(entry, SLICE("pts/0")) == 0);
}

static void acknowledged_while_it_is_up(void)
{
    uint32_t bob[] = {0, 1};
    begin(plenty);
    struct book_request *request = waits(bob, 2);
    struct reader_entry *entry = reader_find(&book.readers, 1001, 1);

    CU_ASSERT(book_awaiting(entry, SLICE("")) == 0);
    STEP(request, 5, .kind = EVENT_SHOWN, .d = 2);
    CU_ASSERT(entry->state == DELIVERY_DISPLAYED && book_awaiting(entry, SLICE("")) == 2);
    STEP(request, 6, .kind = EVENT_ACKNOWLEDGED, .d = 2);
    CU_ASSERT(book_awaiting(entry, SLICE("")) == 0 && entry->state == DELIVERY_ACKNOWLEDGED);
    CU_ASSERT(entry->ended == 13 && !entry->request && book.open == 0);
}

static void what_is_still_up_counts_before_what_failed(void)
{
    uint32_t bob[] = {0, 1};
    begin(plenty);
    struct book_request *request = waits(bob, 2);
    struct reader_entry *entry = reader_find(&book.readers, 1001, 1);

    STEP(request, 1, .kind = EVENT_SHOWN, .d = 1);
    STEP(request, 2, .kind = EVENT_ENDED, .d = 2, .state = DELIVERY_FAILED);
    CU_ASSERT(entry->state == DELIVERY_DISPLAYED);
    STEP(request, 3, .kind = EVENT_ENDED, .d = 1, .state = DELIVERY_DISMISSED);
    CU_ASSERT(entry->state == DELIVERY_DISMISSED && entry->ended);
}

static void the_last_twenty_of_a_day(void)
{
    uint32_t eve[] = {2}, bob[] = {0};
    size_t n = 0;
    begin(plenty);
    struct book_request *open = waits(eve, 1);

    STEP(waits(bob, 1), 1, .kind = EVENT_CANCEL);
    for (int i = 0; i < LIM_RECENT + 2; i++)
        STEP(waits(eve, 1), HOUR, .kind = EVENT_CANCEL);
    for (const struct reader_entry *e = reader_first(&book.readers, 1002); e; e = e->next)
        n++;
    CU_ASSERT(n == LIM_RECENT + 1);
    CU_ASSERT(reader_find(&book.readers, 1002, 1) && !reader_find(&book.readers, 1002, 3));
    CU_ASSERT(reader_find(&book.readers, 1001, 1) != NULL); /* another's are his own */
    readers_sweep(&book.readers, 24 * HOUR + 1);
    CU_ASSERT(!reader_find(&book.readers, 1001, 1) && reader_find(&book.readers, 1002, 4));
    readers_sweep(&book.readers, 25 * HOUR);
    CU_ASSERT(!reader_find(&book.readers, 1002, 4) && reader_find(&book.readers, 1002, 1));
    STEP(open, 25 * HOUR, .kind = EVENT_TICK);
    CU_ASSERT(book.open == 0);
}

static void remembered_ten_minutes_after_the_end(void)
{
    uint32_t bob[] = {0};
    begin(plenty);
    struct book_request *request = waits(bob, 1);
    struct book_key key = request->key;
    struct moment now = {.ms = 29999};

    CU_ASSERT(book_next(&book) == 30000 && !book_due(&book, now));
    now.ms = 30000;
    CU_ASSERT(book_due(&book, now) == request);
    STEP(request, 30000, .kind = EVENT_TICK);
    CU_ASSERT(!book_due(&book, now) && book_next(&book) == 30000 + LIM_UID_TIME);
    now.ms = 30000 + LIM_UID_TIME - 1;
    CU_ASSERT(!book_due(&book, now) && book_find(&book, &key) == request);
    request->holder = (struct follow *)&now; /* somebody still reads it */
    now.ms++;
    CU_ASSERT(!book_due(&book, now) && book_find(&book, &key) == request);
    request->holder = NULL;
    now.ms = book_next(&book);
    CU_ASSERT(!book_due(&book, now) && !book_find(&book, &key));
    CU_ASSERT(ann->uids == 0 && !ann->finals);
    CU_ASSERT(book_next(&book) == NEVER);
}

static void the_text_goes_with_the_end(void)
{
    uint32_t bob[] = {0};
    begin(plenty);
    struct book_request *request = waits(bob, 1);
    size_t open = book.readers.held;

    CU_ASSERT(open > sizeof(struct held_message));
    STEP(request, 1, .kind = EVENT_CANCEL);
    CU_ASSERT(request->message->text.len == 0 && request->message->n_answers == 2);
    CU_ASSERT(slice_eq(request->message->answers[1], SLICE("No")));
    CU_ASSERT(slice_eq(reader_first(&book.readers, 1001)->message->text, SLICE("tea?")));
    readers_sweep(&book.readers, 25 * HOUR);
    CU_ASSERT(book.readers.held == request->message->bytes);
}

static void an_account_is_bounded_by_its_own(void)
{
    uint32_t bob[] = {0};
    struct book_limits limits = plenty;
    limits.uids = 2;
    begin(limits);
    struct book_request *first = waits(bob, 1), *second = waits(bob, 1);
    struct book_key keys[] = {first->key, second->key};

    CU_ASSERT(book_make_room(&book, ann, 1, 100) == -EBUSY);
    STEP(second, 1, .kind = EVENT_CANCEL);
    second->holder = (struct follow *)&limits;
    CU_ASSERT(book_make_room(&book, ann, 1, 100) == -EBUSY);
    second->holder = NULL;
    CU_ASSERT(book_make_room(&book, ann, 1, 100) == 0 && ann->uids == 1);
    CU_ASSERT(book_find(&book, &keys[0]) && !book_find(&book, &keys[1]));
}

static void deliveries_are_bounded_in_all(void)
{
    uint32_t all[] = {0, 1, 2};
    struct book_limits limits = plenty;
    limits.deliveries = 4;
    begin(limits);
    struct book_request *request = waits(all, 3);

    CU_ASSERT(book_make_room(&book, ann, 1, 0) == 0);
    CU_ASSERT(book_make_room(&book, ann, 2, 0) == -EBUSY);
    STEP(request, 1, .kind = EVENT_ENDED, .d = 2, .state = DELIVERY_FAILED);
    CU_ASSERT(book_make_room(&book, ann, 2, 0) == 0);
}

static void held_text_makes_room_of_what_has_ended(void)
{
    uint32_t bob[] = {0}, eve[] = {2};
    begin(plenty);
    struct book_request *gone = waits(bob, 1);

    waits(eve, 1);
    size_t each = gone->message->bytes;
    STEP(gone, 1, .kind = EVENT_CANCEL);
    book.limits.text = book.readers.held;
    CU_ASSERT(reader_first(&book.readers, 1001) != NULL);
    CU_ASSERT(book_make_room(&book, ann, 1, each) == 0);
    CU_ASSERT(!reader_first(&book.readers, 1001) && reader_first(&book.readers, 1002));
    CU_ASSERT(book_make_room(&book, ann, 1, each + 1) == -EBUSY);
}

static void the_heap_gives_the_earliest(void)
{
    struct deadline deadlines[200] = {{0}};
    struct heap heap = {0};
    uint32_t seed = 7;
    int64_t last = 0;

    CU_ASSERT_FATAL(heap_reserve(&heap, 200) == 0);
    for (int round = 0; round < 600; round++) {
        seed = seed * 1664525u + 1013904223u;
        heap_set(&heap, &deadlines[round % 200], seed % 5 == 0 ? NEVER : (int64_t)(seed >> 8));
    }
    while (heap_first(&heap)) {
        CU_ASSERT_FATAL(heap_first(&heap)->at >= last);
        last = heap_first(&heap)->at;
        heap_set(&heap, heap_first(&heap), NEVER);
    }
    for (int i = 0; i < 200; i++)
        CU_ASSERT(deadlines[i].place == 0);
    CU_ASSERT(heap.n == 0 && last > 0);
    heap_clear(&heap);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(found_again_by_principal_and_uid),
        UNIT_TEST(misses_are_kept_for_who_asks_again),
        UNIT_TEST(one_number_a_person_and_none_twice),
        UNIT_TEST(of_his_places_the_one_he_answers_in),
        UNIT_TEST(acknowledged_while_it_is_up),
        UNIT_TEST(what_is_still_up_counts_before_what_failed),
        UNIT_TEST(the_last_twenty_of_a_day),
        UNIT_TEST(remembered_ten_minutes_after_the_end),
        UNIT_TEST(the_text_goes_with_the_end),
        UNIT_TEST(an_account_is_bounded_by_its_own),
        UNIT_TEST(deliveries_are_bounded_in_all),
        UNIT_TEST(held_text_makes_room_of_what_has_ended),
        UNIT_TEST(the_heap_gives_the_earliest),
        UNIT_END,
    };

    if (sodium_init() < 0)
        return 2;
    hash_start();
    int status = unit_run("book", tests);
    book_clear(&book);
    accounts_clear(&accounts);
    sessions_clear(&sessions);
    return status;
}
