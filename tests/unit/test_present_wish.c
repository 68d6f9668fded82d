/* SPDX-License-Identifier: MIT */
/* What is asked of a user's wish, and by whom it is answered. */
#include "daemon/present_wish.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_child.h"
#include "daemon/present_wish_read.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define MANY (WISH_SENDERS + 3) /* more than one child answers for */

static sd_event *event;
static struct wishes *wishes;

static struct asked {
    struct wish *wish;
    bool heard;
    unsigned answers;
    struct asked *other; /* taken back when this one is answered */
} asked[MANY];
static unsigned answers;

static void on_answer(void *userdata, bool heard, const struct boundary_message *message,
                      const struct present_texts *texts)
{
    struct asked *one = userdata;

    one->heard = heard;
    one->answers++;
    one->wish = NULL;
    answers++;
    CU_ASSERT(slice_eq(texts->body, SLICE("body")) && slice_eq(texts->title, SLICE("title")));
    CU_ASSERT_EQUAL(message->u.present.name_len, 3);
    CU_ASSERT(message->text_len == 12 && memcmp(message->text + 3, "titlebody", 9) == 0);
    if (one->other)
        wish_forget(TAKE(one->other->wish));
}

static struct wish *ask_user(struct asked *one, uid_t uid, const char *sender, uint32_t flags)
{
    char text[] = "xxxtitlebody";
    struct boundary_message message = {.verb = BOUNDARY_PRESENT, .text = text, .text_len = 12};
    struct session_where where = {.target = {.uid = uid, .gid = getegid()}, .user = "me"};
    struct present_texts texts;
    const char *reason;

    memcpy(text, sender, 3);
    message.u.present = (struct boundary_present){
        .life_ms = 1, .sender_len = 3, .name_len = 3, .title_len = 5, .flags = flags};
    CU_ASSERT_FATAL(present_texts_read(&message, &texts, &reason) == 0);
    *one = (struct asked){0};
    const struct wish_question question = {&where, &message, &texts, on_answer, one};
    CU_ASSERT_EQUAL(wishes_ask(wishes, &question, &one->wish), 0);
    memset(text, '?', sizeof(text)); /* it has its own copy */
    return one->wish;
}

static struct wish *ask(struct asked *one, const char *sender, uint32_t flags)
{
    return ask_user(one, geteuid(), sender, flags);
}

static void loop_until(unsigned count)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t end = now.tv_sec + 10; answers < count && now.tv_sec < end;) {
        sd_event_run(event, 10000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
}

/* Nothing is left of those before: what happens next is what is asked next. */
static void settle(void)
{
    while (sd_event_run(event, 50000) > 0)
        ;
}

static bool hears(const char *sender, uint32_t flags)
{
    answers = 0;
    ask(&asked[0], sender, flags);
    CU_ASSERT_EQUAL(answers, 0); /* never from within */
    loop_until(1);
    CU_ASSERT_EQUAL(asked[0].answers, 1);
    return asked[0].heard;
}

/* The child that reads limits its descriptors first. */
static bool skips(void)
{
    if (unit_under_valgrind())
        unit_skip("valgrind lets nobody limit his descriptors");
    return unit_under_valgrind();
}

static void the_file_is_asked_each_time(void)
{
    const char *path = in_folder("receive");

    if (skips())
        return;
    CU_ASSERT(hears("ann", PRESENT_LOCAL));
    put_file(path, "off", 0600);
    CU_ASSERT(!hears("ann", PRESENT_LOCAL));
    put_file(path, "only ann network:bob", 0600);
    CU_ASSERT(hears("ann", PRESENT_LOCAL) && !hears("ann", 0));
    CU_ASSERT(hears("bob", 0) && !hears("bob", PRESENT_LOCAL));
    put_file(path, "of", 0600);
    CU_ASSERT(hears("ann", PRESENT_LOCAL));
    remove(path);
    CU_ASSERT(hears("ann", PRESENT_LOCAL));
}

static void each_has_an_answer_of_its_own(void)
{
    if (skips())
        return;
    put_file(in_folder("receive"), "only ann", 0600);
    answers = 0;
    for (size_t i = 0; i < MANY; i++)
        ask(&asked[i], i % 7 ? "ann" : "eve", PRESENT_LOCAL);
    loop_until(MANY);
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT(asked[i].answers == 1 && asked[i].heard == (i % 7 != 0));
}

static void who_comes_while_it_is_read_waits_for_the_next(void)
{
    if (skips())
        return;
    put_file(in_folder("receive"), "on", 0600);
    settle();
    answers = 0;
    ask(&asked[0], "ann", 0);
    sd_event_run(event, 10000); /* the child is there; it has read, or will */
    put_file(in_folder("receive"), "off", 0600);
    ask(&asked[1], "ann", 0);
    loop_until(2);
    CU_ASSERT(!asked[1].heard);
}

/* His place among those asked already would be another's. */
static void who_comes_while_it_is_read_is_no_part_of_the_answer(void)
{
    if (skips())
        return;
    put_file(in_folder("receive"), "only ann", 0600);
    settle();
    answers = 0;
    ask(&asked[0], "ann", PRESENT_LOCAL);
    ask(&asked[1], "ann", PRESENT_LOCAL);
    sd_event_run(event, 10000);
    wish_forget(TAKE(asked[1].wish)); /* the last of those who are asked for */
    ask(&asked[2], "eve", PRESENT_LOCAL);
    loop_until(2);
    CU_ASSERT(asked[0].heard && asked[2].answers == 1 && !asked[2].heard);
}

static void each_user_has_his_own(void)
{
    if (skips() || geteuid() != 0) /* who alone can read as another */
        return;
    put_file(in_folder("receive"), "off", 0600); /* root's */
    answers = 0;
    ask(&asked[0], "ann", 0);
    ask_user(&asked[1], 1, "ann", 0);
    loop_until(2);
    CU_ASSERT(!asked[0].heard && asked[1].heard);
}

/* ---- where no child is to be had ------------------------------------------------------------- */

static void hang(int socket, const void *argument)
{
    (void)socket;
    (void)argument;
    for (;;)
        pause();
}

static void on_hung(void *userdata, int error, const void *bytes, size_t len)
{
    (void)userdata;
    (void)error;
    (void)bytes;
    (void)len;
}

static void run_for(uint64_t ms)
{
    for (uint64_t end = clock_ms(CLOCK_MONOTONIC) + ms; clock_ms(CLOCK_MONOTONIC) < end;)
        sd_event_run(event, 10000);
}

/* All the places that a user has; those who read before may not be quite gone. */
static void take_all_places(struct child *hung[static CHILD_HOMES_OWNER_MAX])
{
    const struct child_job job = {.run = hang,
                                  .owner = geteuid(),
                                  .pool = CHILD_HOMES,
                                  .deadline_ms = 60000,
                                  .done = on_hung};

    for (size_t i = 0; i < CHILD_HOMES_OWNER_MAX; i++) {
        int r = -EBUSY;
        for (int tries = 0; r == -EBUSY && tries < 1000; tries++) {
            r = child_start(event, &job, &hung[i]);
            if (r == -EBUSY)
                sd_event_run(event, 10000);
        }
        CU_ASSERT_EQUAL_FATAL(r, 0);
    }
}

static void his_hanging_home_holds_messages_up_for_a_second(void)
{
    struct child *hung[CHILD_HOMES_OWNER_MAX];
    size_t n = 0;

    if (skips())
        return;
    put_file(in_folder("receive"), "off", 0600);
    take_all_places(hung);
    uint64_t begin = clock_ms(CLOCK_MONOTONIC);
    for (answers = 0; answers == 0 && n < MANY; n++) { /* however often he is written to */
        ask(&asked[n], "ann", 0);
        run_for(200);
    }
    CU_ASSERT(asked[0].answers == 1 && asked[0].heard && answers == n);
    CU_ASSERT(clock_ms(CLOCK_MONOTONIC) - begin < WISH_PATIENCE_MS);
    ask(&asked[0], "ann", 0); /* has a second of his own */
    run_for(60);
    CU_ASSERT_EQUAL(asked[0].answers, 0);
    for (size_t i = 0; i < CHILD_HOMES_OWNER_MAX; i++)
        child_cancel(hung[i]);
    loop_until((unsigned)n + 1);
    CU_ASSERT(asked[0].answers == 1 && !asked[0].heard);
}

static void what_is_taken_back_is_not_answered(void)
{
    put_file(in_folder("receive"), "on", 0600);
    answers = 0;
    for (size_t i = 0; i < 4; i++)
        ask(&asked[i], "ann", 0);
    asked[1].other = &asked[2];
    wish_forget(TAKE(asked[0].wish));
    sd_event_run(event, 0);
    ask(&asked[4], "ann", 0);
    wish_forget(TAKE(asked[4].wish));
    loop_until(2);
    CU_ASSERT(asked[0].answers == 0 && asked[1].answers == 1 && asked[2].answers == 0);
    CU_ASSERT(asked[3].answers == 1 && asked[4].answers == 0);
    ask(&asked[5], "ann", 0); /* at the end it is still there */
    sd_event_run(event, 0);
    wish_forget(TAKE(asked[5].wish));
}

static void what_a_child_says_is_judged(void)
{
    struct wish_answer said = {.error = 0, .heard = {1, 2}}, got = {0};
    char more[sizeof(said) + 1] = "";

    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), 0);
    CU_ASSERT(wish_heard(&got, 0) && !wish_heard(&got, 1) && wish_heard(&got, 9));
    CU_ASSERT(!wish_heard(&got, WISH_SENDERS - 1));
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said) - 1, &got), -EBADMSG);
    CU_ASSERT_EQUAL(wish_answer_read(more, sizeof(more), &got), -EBADMSG);
    CU_ASSERT_EQUAL(wish_answer_read(&said, 0, &got), -EBADMSG);
    said.error = 1;
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), -EBADMSG);
    said = (struct wish_answer){.error = -EBADMSG};
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), -EBADMSG);
    said.line = LIM_RECEIVE_FILE;
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), 0);
    said.line++;
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), -EBADMSG);
    said = (struct wish_answer){.error = -ENOENT, .line = 1};
    CU_ASSERT_EQUAL(wish_answer_read(&said, sizeof(said), &got), -EBADMSG);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(the_file_is_asked_each_time),
        UNIT_TEST(each_has_an_answer_of_its_own),
        UNIT_TEST(who_comes_while_it_is_read_waits_for_the_next),
        UNIT_TEST(who_comes_while_it_is_read_is_no_part_of_the_answer),
        UNIT_TEST(each_user_has_his_own),
        UNIT_TEST(his_hanging_home_holds_messages_up_for_a_second),
        UNIT_TEST(what_is_taken_back_is_not_answered),
        UNIT_TEST(what_a_child_says_is_judged),
        UNIT_END,
    };
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    folder_make();
    if (sd_event_new(&event) < 0 || wishes_new(event, strdupa(in_folder("receive")), &wishes) < 0)
        return 2;
    int status = unit_run("present_wish", tests);
    wishes_free(wishes);
    sd_event_run(event, 200000); /* of a child that was reading nobody is told any more */
    child_end_all();
    event = sd_event_unref(event);
    folder_remove();
    return status;
}
