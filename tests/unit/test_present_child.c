/* SPDX-License-Identifier: MIT */
/* Children, and the name look-ups that they do. */
#include "daemon/present_child.h"

#include "common/mem.h"
#include "daemon/present_become.h"
#include "daemon/present_user.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static sd_event *event;

static struct {
    unsigned calls;
    int error;
    size_t len;
    char answer[CHILD_ANSWER];
} got;

static void done(void *userdata, int error, const void *answer, size_t len)
{
    (void)userdata;
    got.calls++;
    got.error = error;
    got.len = len;
    if (len > 0)
        memcpy(got.answer, answer, len);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void loop_for(uint64_t ms, const unsigned *until)
{
    for (uint64_t end = now_ms() + ms; now_ms() < end && (!until || *until == 0);)
        sd_event_run(event, 10000);
}

static struct child *start(void (*run)(int socket, const void *argument), uint64_t deadline_ms)
{
    struct child_job job = {
        .run = run, .argument = "argument", .owner = 1, .deadline_ms = deadline_ms, .done = done};
    struct child *child = NULL;

    memset(&got, 0, sizeof(got));
    CU_ASSERT_EQUAL(child_start(event, &job, &child), 0);
    return child;
}

static void say(int socket, const void *argument)
{
    child_answer(socket, argument, strlen(argument));
}

static void say_nothing(int socket, const void *argument)
{
    (void)socket;
    (void)argument;
}

static void hang(int socket, const void *argument)
{
    (void)socket;
    (void)argument;
    pause();
}

/* It has all our memory: what is on its way to other people. */
static void tell_who_may_read_it(int socket, const void *argument)
{
    struct rlimit core = {1, 1};
    sigset_t blocked;
    (void)argument;

    int r = become_user(geteuid(), getegid());
    getrlimit(RLIMIT_CORE, &core);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    bool closed = r == 0 && prctl(PR_GET_DUMPABLE) == 0 && core.rlim_max == 0 &&
                  !sigismember(&blocked, SIGTERM);
    child_answer(socket, closed ? "y" : "n", 1);
}

static void say_too_much(int socket, const void *argument)
{
    char much[CHILD_ANSWER + 1] = "";

    (void)argument;
    (void)!write(socket, much, sizeof(much));
}

/* Two descriptors, where none is taken. */
static void hand_over(int socket, const void *argument)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    char byte = *(const char *)argument;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};
    int fds[] = {0, 1};

    msg.msg_controllen = CMSG_LEN(sizeof(fds));
    *CMSG_FIRSTHDR(&msg) = (struct cmsghdr){CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
    (void)!sendmsg(socket, &msg, MSG_NOSIGNAL);
}

static void ask_first(int socket, const void *argument)
{
    char reply[CHILD_REPLY];
    ssize_t len = child_ask(socket, argument, strlen(argument), reply);

    child_answer(socket, len > 0 ? reply : "no reply", len > 0 ? (size_t)len : 8);
}

/* What else it holds, and whether it could gain anything. */
static void look_around(int socket, const void *argument)
{
    char answer[8] = "";

    (void)argument;
    for (int fd = 0, at = 0; fd < 200; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && at < 6)
            answer[at++] = (char)fd;
    answer[7] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    child_answer(socket, answer, sizeof(answer));
}

static void an_answer_comes_back(void)
{
    start(say, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, 0);
    CU_ASSERT_EQUAL_FATAL(got.len, strlen("argument"));
    CU_ASSERT_EQUAL(memcmp(got.answer, "argument", got.len), 0);
    loop_for(100, NULL);
    CU_ASSERT_EQUAL(got.calls, 1);
}

static unsigned descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 1000; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_descriptor_is_not_taken(void)
{
    unsigned before = descriptors();

    start(hand_over, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -EPIPE);
    loop_for(100, NULL);
    CU_ASSERT_EQUAL(descriptors(), before);
}

static ssize_t reply(void *userdata, const void *question, size_t len, char out[CHILD_REPLY])
{
    const ssize_t *wanted = userdata;

    CU_ASSERT_EQUAL(len, strlen("argument"));
    CU_ASSERT_EQUAL(memcmp(question, "argument", len), 0);
    memset(out, 'r', CHILD_REPLY);
    return *wanted;
}

static void a_question_is_replied_to(void)
{
    ssize_t wanted = 3;
    struct child_job job = {.run = ask_first,
                            .argument = "argument",
                            .deadline_ms = 5000,
                            .reply = reply,
                            .done = done,
                            .userdata = &wanted};
    struct child *child;

    memset(&got, 0, sizeof(got));
    CU_ASSERT_EQUAL_FATAL(child_start(event, &job, &child), 0);
    loop_for(5000, &got.calls);
    CU_ASSERT(got.error == 0 && got.len == 3 && memcmp(got.answer, "rrr", 3) == 0);
    wanted = -ENODEV; /* refused: the child is killed */
    memset(&got, 0, sizeof(got));
    CU_ASSERT_EQUAL_FATAL(child_start(event, &job, &child), 0);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -ENODEV);
    loop_for(100, NULL);
    CU_ASSERT_EQUAL(got.calls, 1);
    job.run = say_nothing;
    memset(&got, 0, sizeof(got));
    CU_ASSERT_EQUAL_FATAL(child_start(event, &job, &child), 0);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -EPIPE);
}

static void no_answer_is_told(void)
{
    start(say_nothing, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -EPIPE);
    start(say_too_much, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -EPIPE);
}

static void a_late_one_is_killed(void)
{
    uint64_t started = now_ms();

    start(hang, 200);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, -ETIMEDOUT);
    CU_ASSERT(now_ms() - started >= 190 && now_ms() - started < 2000);
    loop_for(200, NULL);
    CU_ASSERT_EQUAL(got.calls, 1);
}

static void a_cancelled_one_says_nothing(void)
{
    child_cancel(start(hang, 200));
    loop_for(400, NULL);
    CU_ASSERT_EQUAL(got.calls, 0);
    child_cancel(NULL);
}

static void it_holds_nothing_of_ours(void)
{
    int held = open("/dev/null", O_RDONLY);

    start(look_around, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL_FATAL(got.len, 8);
    CU_ASSERT_EQUAL(memcmp(got.answer, "\0\1\2\3\0\0\0\1", 8), 0);
    close(held);
}

static void nobody_reads_what_a_users_child_holds(void)
{
    start(tell_who_may_read_it, 5000);
    loop_for(5000, &got.calls);
    CU_ASSERT_EQUAL(got.error, 0);
    CU_ASSERT_EQUAL_FATAL(got.len, 1);
    CU_ASSERT_EQUAL(got.answer[0], 'y');
    loop_for(100, NULL);
}

/* However full it is otherwise; and a home that hangs takes up little of it. */
static void homes_have_room_of_their_own(struct child_job job)
{
    struct child *child;

    job.pool = CHILD_HOMES;
    for (size_t i = 0; i < CHILD_HOMES_MAX; i++) {
        if (i > 0 && i % CHILD_HOMES_OWNER_MAX == 0) {
            CU_ASSERT_EQUAL(child_start(event, &job, &child), -EBUSY);
            job.owner++;
        }
        CU_ASSERT_EQUAL_FATAL(child_start(event, &job, &child), 0);
    }
    job.owner++;
    CU_ASSERT_EQUAL(child_start(event, &job, &child), -EAGAIN);
}

static void they_are_no_more_than_so_many(void)
{
    struct child_job job = {.run = hang, .deadline_ms = 60000, .done = done};
    struct child *children[CHILD_MAX], *one_more = NULL;

    loop_for(200, NULL); /* earlier ones are reaped */
    memset(&got, 0, sizeof(got));
    for (size_t i = 0; i < CHILD_MAX; i++) {
        if (i > 0 && i % CHILD_OWNER_MAX == 0) { /* no more for this one, but for the next */
            CU_ASSERT_EQUAL(child_start(event, &job, &one_more), -EBUSY);
            job.owner++;
        }
        CU_ASSERT_EQUAL_FATAL(child_start(event, &job, &children[i]), 0);
    }
    job.owner++;
    CU_ASSERT_EQUAL(child_start(event, &job, &one_more), -EAGAIN);
    CU_ASSERT_PTR_NULL(one_more);
    homes_have_room_of_their_own(job);
    child_cancel(children[0]);
    loop_for(500, NULL);
    CU_ASSERT_EQUAL(child_start(event, &job, &one_more), 0);
    child_end_all();
    CU_ASSERT_EQUAL(got.calls, 0);
    loop_for(50, NULL);
}

/* ---- names ----------------------------------------------------------------------------------- */

static unsigned answers;

static void on_answer(void *userdata)
{
    (void)userdata;
    answers++;
}

static int looked_up(struct user_cache *cache, const char *name, struct user_ids *ids)
{
    answers = 0;
    int r = user_lookup(cache, name, now_ms(), ids);

    CU_ASSERT_EQUAL(r, -EAGAIN);
    CU_ASSERT_EQUAL(user_lookup(cache, name, now_ms(), ids), -EAGAIN);
    loop_for(5000, &answers);
    CU_ASSERT_EQUAL(answers, 1);
    return user_lookup(cache, name, now_ms(), ids);
}

static void names_are_looked_up_once(void)
{
    struct user_ids ids = {4711, 4711};
    struct user_cache *cache;

    CU_ASSERT_EQUAL_FATAL(user_cache_new(event, on_answer, NULL, &cache), 0);
    CU_ASSERT_EQUAL(looked_up(cache, "no-such-user-here", &ids), -ENOENT);
    CU_ASSERT_EQUAL(ids.uid, 4711);
    CU_ASSERT_EQUAL(looked_up(cache, "root", &ids), 0);
    CU_ASSERT_EQUAL(ids.uid, 0);
    CU_ASSERT_EQUAL(ids.gid, 0);
    answers = 0;
    ids.uid = 4711;
    CU_ASSERT_EQUAL(user_lookup(cache, "root", now_ms(), &ids), 0);
    loop_for(200, NULL);
    CU_ASSERT_EQUAL(answers, 0); /* nobody was asked again */
    /* out of date: the old answer serves until the new one has come */
    CU_ASSERT_EQUAL(user_lookup(cache, "root", now_ms() + USER_KEPT_MS + 1, &ids), 0);
    loop_for(5000, &answers);
    CU_ASSERT_EQUAL(answers, 1);
    user_lookup(cache, "another", now_ms(), &ids); /* under way when all ends */
    user_cache_free(cache);
    loop_for(200, NULL);
}

static void a_childs_answer_is_not_believed(void)
{
    struct user_answer answer = {1, 1000, 100};
    struct user_ids ids = {1, 1};
    char bytes[sizeof(answer) + 1] = "";

    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer) - 1, &ids), -EBADMSG);
    CU_ASSERT_EQUAL(user_answer_read(bytes, sizeof(bytes), &ids), -EBADMSG);
    CU_ASSERT_EQUAL(user_answer_read(bytes, 0, &ids), -EBADMSG);
    answer.found = 2;
    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer), &ids), -EBADMSG);
    answer = (struct user_answer){1, UINT32_MAX, 100};
    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer), &ids), -EBADMSG);
    answer = (struct user_answer){1, 1000, UINT32_MAX};
    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer), &ids), -EBADMSG);
    answer = (struct user_answer){0, 1000, 100};
    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer), &ids), -ENOENT);
    CU_ASSERT_EQUAL(ids.uid, 1);
    answer.found = 1;
    CU_ASSERT_EQUAL(user_answer_read(&answer, sizeof(answer), &ids), 0);
    CU_ASSERT(ids.uid == 1000 && ids.gid == 100);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(an_answer_comes_back),
        UNIT_TEST(a_descriptor_is_not_taken),
        UNIT_TEST(a_question_is_replied_to),
        UNIT_TEST(no_answer_is_told),
        UNIT_TEST(a_late_one_is_killed),
        UNIT_TEST(a_cancelled_one_says_nothing),
        UNIT_TEST(it_holds_nothing_of_ours),
        UNIT_TEST(nobody_reads_what_a_users_child_holds),
        UNIT_TEST(they_are_no_more_than_so_many),
        UNIT_TEST(names_are_looked_up_once),
        UNIT_TEST(a_childs_answer_is_not_believed),
        UNIT_END,
    };
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    if (sd_event_new(&event) < 0)
        return 2;

    int status = unit_run("present_child", tests);

    child_end_all();
    sd_event_unref(event);
    return status;
}
