/* SPDX-License-Identifier: MIT */
#include "daemon/present_wish.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/present_child.h"
#include "daemon/present_wish_read.h"

#include <sys/queue.h>

#define AGAIN_MS 20                             /* until a child is asked for again */
#define AFTER    (SD_EVENT_PRIORITY_NORMAL + 1) /* all that has come: one child is for all of it */

struct wish {
    struct wish_user *user;
    size_t place; /* among those that the child answers for */
    bool asked;
    void (*answer)(void *userdata, bool heard, const struct boundary_message *message,
                   const struct present_texts *texts);
    void *userdata;
    struct boundary_message message; /* its text lies behind */
    struct present_texts texts;      /* in that text */
    TAILQ_ENTRY(wish) link;
    char text[];
};
TAILQ_HEAD(wish_queue, wish);

/* Whom somebody writes to: there as long as anything is asked of him. */
struct wish_user {
    struct wishes *all;
    uid_t uid;
    gid_t gid;
    char name[65];
    struct child *child;
    struct wish_queue asked, waiting;
    uint64_t since_ms; /* a child has been wanted */
    sd_event_source *next;
    LIST_ENTRY(wish_user) link;
};

struct wishes {
    sd_event *event;  /* borrowed */
    const char *file; /* borrowed */
    LIST_HEAD(, wish_user) users;
    struct log_limit unfit;
};

static void look_in(struct wish_user *user, uint64_t delay_ms)
{
    sd_event_source_set_time_relative(user->next, delay_ms * 1000);
    sd_event_source_set_enabled(user->next, SD_EVENT_ONESHOT);
}

static void user_free(struct wish_user *user)
{
    child_cancel(user->child);
    sd_event_source_disable_unref(user->next);
    LIST_REMOVE(user, link);
    free(user);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void tell(struct wish *wish, bool heard)
{
    wish->answer(wish->userdata, heard, &wish->message, &wish->texts);
    free(wish);
}

/* NULL: everybody is heard. Who is told may ask anew, or take back what others have asked. */
static void tell_all(struct wish_queue *queue, const struct wish_answer *answer)
{
    struct wish *wish;
    while ((wish = TAILQ_FIRST(queue))) {
        TAILQ_REMOVE(queue, wish, link);
        tell(wish, !answer || wish_heard(answer, wish->place));
    }
}

static void log_none(struct wish_user *user, int error, const struct wish_answer *answer)
{
    uint64_t held;
    if (error == 0 || error == -ENOENT || error == -ENOTDIR ||
        !log_limit_pass(&user->all->unfit, user->name, clock_ms(CLOCK_MONOTONIC), &held))
        return;
    if (answer && error == -EBADMSG)
        log_info("the file %s of %s counts as none: line %u", user->all->file, user->name,
                 answer->line);
    else
        log_info("the file %s of %s counts as none: %s", user->all->file, user->name,
                 strerror(-error));
}

static void on_read(void *userdata, int error, const void *bytes, size_t len)
{
    struct wish_user *user = userdata;
    struct wish_answer answer;
    user->child = NULL;
    if (error == 0)
        error = wish_answer_read(bytes, len, &answer);
    bool read = error == 0;
    log_none(user, read ? answer.error : error, read ? &answer : NULL);
    user->since_ms = clock_ms(CLOCK_MONOTONIC);
    look_in(user, 0); /* never from within here: the next child may answer for who is told now */
    tell_all(&user->asked, read ? &answer : NULL);
}

/* ---- questions ------------------------------------------------------------------------------- */

static size_t gather(const struct wish_user *user, struct wish_sender senders[static WISH_SENDERS])
{
    size_t n = 0;
    struct wish *wish;
    TAILQ_FOREACH(wish, &user->waiting, link)
    {
        const struct boundary_present *present = &wish->message.u.present;
        if (n == WISH_SENDERS)
            break;
        wish->place = n;
        senders[n++] = (struct wish_sender){.name = {wish->texts.sender.ptr, present->name_len},
                                            .local = (present->flags & PRESENT_LOCAL) != 0};
    }
    return n;
}

static void move_to_asked(struct wish_user *user, size_t n)
{
    for (; n > 0; n--) {
        struct wish *wish = TAILQ_FIRST(&user->waiting);
        TAILQ_REMOVE(&user->waiting, wish, link);
        TAILQ_INSERT_TAIL(&user->asked, wish, link);
        wish->asked = true;
    }
}

static int start_reader(struct wish_user *user)
{
    struct wish_sender senders[WISH_SENDERS];
    const struct wish_order order = {.uid = user->uid,
                                     .gid = user->gid,
                                     .file = user->all->file,
                                     .senders = senders,
                                     .n = gather(user, senders)};
    const struct child_job job = {.run = wish_read,
                                  .argument = &order, /* it has its own copy of our memory */
                                  .owner = user->uid,
                                  .pool = CHILD_HOMES,
                                  .deadline_ms = LIM_RECEIVE_TIME,
                                  .done = on_read,
                                  .userdata = user};
    int r = child_start(user->all->event, &job, &user->child);
    if (r == 0)
        move_to_asked(user, order.n);
    return r;
}

/* His own children that hang are his home's fault; that others' fill all places is not. */
static void wait_or_give_up(struct wish_user *user, int error)
{
    uint64_t patience = error == -EBUSY ? LIM_RECEIVE_TIME : WISH_PATIENCE_MS;
    look_in(user, AGAIN_MS);
    if (clock_ms(CLOCK_MONOTONIC) < user->since_ms + patience)
        return;
    log_none(user, error, NULL);
    user->since_ms = clock_ms(CLOCK_MONOTONIC);
    tell_all(&user->waiting, NULL);
}

/* Due when he is new, when a child has ended and when none could be had: never while there is one.
 */
static int on_next(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct wish_user *user = userdata;
    (void)source;
    (void)usec;
    if (TAILQ_EMPTY(&user->waiting)) {
        user_free(user);
        return 0;
    }
    int r = start_reader(user);
    if (r < 0)
        wait_or_give_up(user, r);
    return 0;
}

static struct wish_user *find(const struct wishes *wishes, uid_t uid)
{
    struct wish_user *user;
    LIST_FOREACH(user, &wishes->users, link)
    {
        if (user->uid == uid)
            return user;
    }
    return NULL;
}

static int user_new(struct wishes *wishes, const struct session_where *where,
                    struct wish_user **ret_user)
{
    CLEANUP_FREE struct wish_user *user = calloc(1, sizeof(*user));
    if (!user)
        return -ENOMEM;
    *user = (struct wish_user){.all = wishes,
                               .uid = where->target.uid,
                               .gid = where->target.gid,
                               .since_ms = clock_ms(CLOCK_MONOTONIC)};
    memcpy(user->name, where->user, sizeof(user->name));
    TAILQ_INIT(&user->asked);
    TAILQ_INIT(&user->waiting);
    int r = sd_event_add_time_relative(wishes->event, &user->next, CLOCK_MONOTONIC, 0, 1, on_next,
                                       user);
    if (r >= 0)
        r = sd_event_source_set_priority(user->next, AFTER);
    if (r < 0) {
        sd_event_source_disable_unref(user->next);
        return r;
    }
    LIST_INSERT_HEAD(&wishes->users, user, link);
    *ret_user = TAKE(user);
    return 0;
}

static struct slice moved(struct slice part, const char *from, const char *to)
{
    return (struct slice){to + (part.ptr - from), part.len};
}

static struct wish *wish_new(const struct wish_question *question)
{
    const char *from = question->message->text;
    size_t len = question->message->text_len;
    const struct present_texts *texts = question->texts;
    struct wish *wish = calloc(1, sizeof(*wish) + len);
    if (!wish)
        return NULL;
    memcpy(wish->text, from, len);
    wish->answer = question->answer;
    wish->userdata = question->userdata;
    wish->message = *question->message;
    wish->message.text = wish->text;
    wish->texts = (struct present_texts){.sender = moved(texts->sender, from, wish->text),
                                         .title = moved(texts->title, from, wish->text),
                                         .body = moved(texts->body, from, wish->text),
                                         .answers = moved(texts->answers, from, wish->text)};
    return wish;
}

int wishes_ask(struct wishes *wishes, const struct wish_question *question, struct wish **ret_wish)
{
    struct wish_user *user = find(wishes, question->where->target.uid);
    CLEANUP_FREE struct wish *wish = wish_new(question);
    if (!wish)
        return -ENOMEM;
    int r = user ? 0 : user_new(wishes, question->where, &user);
    if (r < 0)
        return r;
    wish->user = user;
    TAILQ_INSERT_TAIL(&user->waiting, wish, link);
    *ret_wish = TAKE(wish);
    return 0;
}

/* The user goes when nothing is asked of him any more and he is looked at next. */
void wish_forget(struct wish *wish)
{
    if (!wish)
        return;
    TAILQ_REMOVE(wish->asked ? &wish->user->asked : &wish->user->waiting, wish, link);
    free(wish);
}

/* ---- the whole ------------------------------------------------------------------------------- */

int wishes_new(sd_event *event, const char *file, struct wishes **ret_wishes)
{
    struct wishes *wishes = calloc(1, sizeof(*wishes));
    if (!wishes)
        return -ENOMEM;
    *wishes = (struct wishes){.event = event, .file = file, .unfit = {.period_ms = 60000}};
    LIST_INIT(&wishes->users);
    *ret_wishes = wishes;
    return 0;
}

void wishes_free(struct wishes *wishes)
{
    struct wish_user *user;
    if (!wishes)
        return;
    while ((user = LIST_FIRST(&wishes->users)))
        user_free(user);
    free(wishes);
}
