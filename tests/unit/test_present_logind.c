/* SPDX-License-Identifier: MIT */
/*
 * logind on its bus, as a script of the test plays both: a socket that says what a bus says, and
 * the sessions of `said`. What is asked is answered on the same loop.
 */
#include "daemon/present_logind.h"

#include "common/mem.h"
#include "daemon/present_logins.h"
#include "protocol/limits.h"
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#define LOGIN1  "org.freedesktop.login1"
#define OBJECTS "/org/freedesktop/login1"
#define SAID    24 /* more than are asked for at the same time */

static struct {
    const char *id, *name, *tty, *state;
    uint32_t uid, leader;
    bool listed, fails;
} said[SAID];

static sd_event *event;
static char folder[64], path[100], address[256];
static int listener = -1;
static sd_event_source *listening;
static sd_bus *peer; /* the connection as the bus has it */
static bool silent, absent;
static unsigned lists, properties, gids, connections;
static struct logind *logind;
static unsigned changes, anews;

/* ---- what logind and its bus say ------------------------------------------------------------- */

static int find(const char *object)
{
    for (int i = 0; i < SAID; i++)
        if (said[i].id && strcmp(strrchr(object, '/') + 1, said[i].id) == 0)
            return i;
    return -1;
}

static void append_property(sd_bus_message *reply, const char *name, const char *type, ...)
{
    va_list values;

    va_start(values, type);
    CU_ASSERT(sd_bus_message_open_container(reply, 'e', "sv") >= 0);
    CU_ASSERT(sd_bus_message_append(reply, "s", name) >= 0);
    CU_ASSERT(sd_bus_message_open_container(reply, 'v', type) >= 0);
    CU_ASSERT(sd_bus_message_appendv(reply, type, values) >= 0);
    CU_ASSERT(sd_bus_message_close_container(reply) >= 0);
    CU_ASSERT(sd_bus_message_close_container(reply) >= 0);
    va_end(values);
}

static void answer_properties(sd_bus_message *call, int i)
{
    sd_bus_message *reply;

    properties++;
    if (i < 0 || said[i].fails) {
        sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "it is no more");
        return;
    }
    CU_ASSERT(sd_bus_message_new_method_return(call, &reply) >= 0);
    sd_bus_message_open_container(reply, 'a', "{sv}");
    append_property(reply, "Id", "s", said[i].id);
    append_property(reply, "User", "(uo)", said[i].uid, OBJECTS "/user/_1");
    append_property(reply, "Name", "s", said[i].name);
    append_property(reply, "Seat", "(so)", "seat0", OBJECTS "/seat/seat0");
    append_property(reply, "TTY", "s", said[i].tty);
    append_property(reply, "VTNr", "i", 7); /* not its type: passed over */
    append_property(reply, "Novelty", "a{s(ub)}", 1, "x", 1, 1);
    append_property(reply, "State", "s", said[i].state);
    append_property(reply, "LockedHint", "b", 1);
    append_property(reply, "Timestamp", "t", UINT64_C(1700000000000000));
    append_property(reply, "Leader", "u", said[i].leader);
    sd_bus_message_close_container(reply);
    CU_ASSERT(sd_bus_send(NULL, reply, NULL) >= 0);
    sd_bus_message_unref(reply);
}

static void answer_list(sd_bus_message *call)
{
    sd_bus_message *reply;
    char object[128];

    lists++;
    CU_ASSERT(sd_bus_message_new_method_return(call, &reply) >= 0);
    sd_bus_message_open_container(reply, 'a', "(susso)");
    for (int i = 0; i < SAID; i++) {
        snprintf(object, sizeof(object), OBJECTS "/session/%s", said[i].id);
        if (said[i].listed)
            sd_bus_message_append(reply, "(susso)", "?", 4711, "?", "", object);
    }
    sd_bus_message_close_container(reply);
    CU_ASSERT(sd_bus_send(NULL, reply, NULL) >= 0);
    sd_bus_message_unref(reply);
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *member = sd_bus_message_get_member(call);

    (void)userdata;
    (void)error;
    if (strcmp(member, "Hello") == 0)
        sd_bus_reply_method_return(call, "s", ":1.7");
    else if (strcmp(member, "AddMatch") == 0)
        sd_bus_reply_method_return(call, NULL);
    else if (silent)
        return 1;
    else if (absent)
        sd_bus_reply_method_errorf(call, SD_BUS_ERROR_SERVICE_UNKNOWN, "nobody is there");
    else if (strcmp(member, "ListSessions") == 0)
        answer_list(call);
    else if (strcmp(member, "GetAll") == 0)
        answer_properties(call, find(sd_bus_message_get_path(call)));
    else if (strcmp(member, "Get") == 0) {
        gids++;
        sd_bus_reply_method_return(call, "v", "u", 100);
    }
    return 1;
}

static void hang_up(void)
{
    if (peer) {
        sd_bus_detach_event(peer);
        sd_bus_close(peer);
    }
    peer = sd_bus_unref(peer);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    const sd_id128_t id = {.bytes = {7}};
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)source;
    (void)events;
    (void)userdata;
    hang_up();
    connections++;
    CU_ASSERT_FATAL(accepted >= 0 && sd_bus_new(&peer) >= 0);
    CU_ASSERT(sd_bus_set_fd(peer, accepted, accepted) >= 0);
    CU_ASSERT(sd_bus_set_server(peer, 1, id) >= 0);
    CU_ASSERT(sd_bus_set_trusted(peer, 1) >= 0);
    CU_ASSERT(sd_bus_add_filter(peer, NULL, on_call, NULL) >= 0);
    CU_ASSERT(sd_bus_start(peer) >= 0);
    CU_ASSERT(sd_bus_attach_event(peer, event, 0) >= 0);
    return 0;
}

static void listen_for_it(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 4), 0);
    CU_ASSERT(sd_event_add_io(event, &listening, listener, EPOLLIN, on_connection, NULL) >= 0);
}

static void signal_about(const char *object, const char *interface, const char *member,
                         const char *types, ...)
{
    sd_bus_message *message;
    va_list values;

    va_start(values, types);
    CU_ASSERT(sd_bus_message_new_signal(peer, &message, object, interface, member) >= 0);
    CU_ASSERT(sd_bus_message_set_sender(message, ":1.2") >= 0);
    CU_ASSERT(sd_bus_message_appendv(message, types, values) >= 0);
    CU_ASSERT(sd_bus_send(peer, message, NULL) >= 0);
    sd_bus_message_unref(message);
    va_end(values);
}

static void sessions_have_changed(const char *member)
{
    signal_about(OBJECTS, LOGIN1 ".Manager", member, "so", "x", OBJECTS "/session/x");
}

/* ---- the test's own side --------------------------------------------------------------------- */

static void on_change(void *userdata, bool anew)
{
    (void)userdata;
    changes++;
    anews += anew;
}

static void say(int i, const char *id, const char *name, uint32_t uid)
{
    said[i].id = id;
    said[i].name = name;
    said[i].tty = "tty2";
    said[i].state = "active";
    said[i].uid = uid;
    said[i].leader = (uint32_t)getpid();
    said[i].listed = true;
    said[i].fails = false;
}

static void begin(uint64_t deadline_ms, uint64_t pause_ms)
{
    const struct logind_config config = {address, deadline_ms, pause_ms, on_change, NULL};

    memset(said, 0, sizeof(said));
    silent = absent = false;
    lists = properties = gids = connections = changes = anews = 0;
    snprintf(folder, sizeof(folder), "/tmp/msg-logind-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/bus", folder);
    snprintf(address, sizeof(address), "unix:path=%s", path);
    CU_ASSERT_FATAL(sd_event_new(&event) >= 0);
    CU_ASSERT_EQUAL_FATAL(logind_new(event, &config, &logind), 0);
}

static void stop_listening(void)
{
    listening = sd_event_source_disable_unref(listening);
    mem_close_fd(&listener);
    listener = -1;
    unlink(path);
}

static void finish(void)
{
    logind_free(logind);
    hang_up();
    stop_listening();
    rmdir(folder);
    event = sd_event_unref(event);
}

static void run_until(bool (*reached)(void))
{
    for (int i = 0; i < 2000 && !reached(); i++)
        CU_ASSERT_FATAL(sd_event_run(event, 10000) >= 0);
    CU_ASSERT(reached());
}

static const struct login_record *record_of(const char *id)
{
    const struct login_record *records[SAID];
    size_t count = logind_records(logind, records, SAID);

    for (size_t i = 0; i < count; i++)
        if (strcmp(records[i]->id, id) == 0)
            return records[i];
    return NULL;
}

static size_t count(void)
{
    const struct login_record *records[SAID];
    return logind_records(logind, records, SAID);
}

static bool nothing_is_pending(void)
{
    return !logind_is_pending(logind);
}

static bool there_is_one(void)
{
    return count() == 1;
}

static bool there_are_two(void)
{
    return count() == 2;
}

static bool all_are_there(void)
{
    return count() == SAID;
}

/* ---- stories --------------------------------------------------------------------------------- */

static void a_session_is_told_whole(void)
{
    begin(5000, 5000);
    listen_for_it();
    say(0, "c1", "bob", 1000);
    CU_ASSERT(logind_is_pending(logind));
    run_until(nothing_is_pending);
    const struct login_record *record = record_of("c1");
    CU_ASSERT_FATAL(record != NULL);
    if (!record) /* the compiler does not know that it does not come back */
        return;
    CU_ASSERT_STRING_EQUAL(record->user, "bob");
    CU_ASSERT_STRING_EQUAL(record->line, "tty2");
    CU_ASSERT_STRING_EQUAL(record->seat, "seat0");
    CU_ASSERT_STRING_EQUAL(record->state, "active");
    CU_ASSERT(record->uid == 1000 && record->gid == 100 && record->locked && record->vt == 0);
    CU_ASSERT(record->leader == getpid() && record->leader_start > 0);
    CU_ASSERT_EQUAL(record->since_us, INT64_C(1700000000000000));
    CU_ASSERT(changes == 1 && anews == 1);
    finish();
}

static void nobody_is_logged_in(void)
{
    begin(5000, 5000);
    listen_for_it();
    run_until(nothing_is_pending);
    CU_ASSERT_EQUAL(count(), 0);
    CU_ASSERT(changes == 1 && anews == 0);
    finish();
}

static void sessions_come_and_go(void)
{
    begin(5000, 5000);
    listen_for_it();
    say(0, "1", "bob", 1000);
    run_until(there_is_one);
    say(1, "2", "ann", 1001);
    sessions_have_changed("SessionNew");
    run_until(there_are_two);
    said[0].listed = false;
    sessions_have_changed("SessionRemoved");
    run_until(there_is_one);
    CU_ASSERT_PTR_NOT_NULL(record_of("2"));
    CU_ASSERT_EQUAL(anews, 3);
    CU_ASSERT_EQUAL(gids, 2); /* once for each session */
    finish();
}

static bool is_online(void)
{
    const struct login_record *record = record_of("1");
    return record && strcmp(record->state, "online") == 0;
}

static void properties_change(void)
{
    begin(5000, 5000);
    listen_for_it();
    say(0, "1", "bob", 1000);
    say(1, "2", "ann", 1001);
    run_until(there_are_two);
    unsigned asked = properties;
    said[0].state = "online";
    for (int i = 0; i < 20; i++) /* one look for all of them */
        signal_about(OBJECTS "/session/1", "org.freedesktop.DBus.Properties", "PropertiesChanged",
                     "sa{sv}as", LOGIN1 ".Session", 1, "Active", "b", 0, 0);
    run_until(is_online);
    CU_ASSERT(properties == asked + 1 && lists == 1 && anews == 1);
    finish();
}

static void one_that_is_opened_is_asked_for_again(void)
{
    begin(5000, 5000);
    listen_for_it();
    say(0, "1", "bob", 1000);
    said[0].state = "opening";
    run_until(there_is_one);
    said[0].state = "online";
    run_until(is_online);
    CU_ASSERT_EQUAL(lists, 1);
    finish();
}

static void nonsense_costs_its_session_alone(void)
{
    begin(5000, 5000);
    listen_for_it();
    say(0, "1", "bob", 1000);
    say(1, "2", "-bob", 1001);
    say(2, "3", "ann", 1002);
    said[2].leader = 0;
    say(3, "4", "ann", 1003);
    said[3].fails = true;
    say(4, "5", "ann", UINT32_MAX);
    say(5, "6", "ann", 1005);
    said[5].tty = "../sda";
    run_until(nothing_is_pending);
    CU_ASSERT_EQUAL(count(), 2);
    CU_ASSERT_PTR_NOT_NULL(record_of("1"));
    CU_ASSERT_FATAL(record_of("6") != NULL);
    CU_ASSERT_STRING_EQUAL(record_of("6")->line, "");
    finish();
}

static void many_are_asked_for_in_turn(void)
{
    static char ids[SAID][8];

    begin(5000, 5000);
    listen_for_it();
    for (int i = 0; i < SAID; i++) {
        snprintf(ids[i], sizeof(ids[i]), "s%d", i);
        say(i, ids[i], "bob", 1000);
    }
    run_until(all_are_there);
    CU_ASSERT_EQUAL(properties, SAID);
    finish();
}

/* logind keeps 8,192 sessions, and names them in no order. */
static void nobody_fills_the_list_alone(void)
{
    struct logins logins = {0};
    char object[LOGIND_PATH];

    for (unsigned i = 0; i <= LIM_USER_SESSIONS; i++) {
        snprintf(object, sizeof(object), OBJECTS "/session/%u", i);
        CU_ASSERT_EQUAL(logins_add(&logins, object, 1000, NULL), 0);
    }
    CU_ASSERT_EQUAL(logins.count, LIM_USER_SESSIONS);
    CU_ASSERT_PTR_NULL(logins_find(&logins, object));
    CU_ASSERT_EQUAL(logins_add(&logins, OBJECTS "/session/other", 1001, NULL), 0);
    CU_ASSERT_PTR_NOT_NULL(logins_find(&logins, OBJECTS "/session/other"));
    logins.items[0]->listed = false;
    CU_ASSERT(logins_forget_unlisted(&logins));
    CU_ASSERT_EQUAL(logins_add(&logins, object, 1000, NULL), 0);
    CU_ASSERT_PTR_NOT_NULL(logins_find(&logins, object));
    logins_free(&logins);
}

static void without_a_bus_it_is_tried_again(void)
{
    begin(5000, 50);
    run_until(nothing_is_pending);
    CU_ASSERT_EQUAL(count(), 0);
    say(0, "1", "bob", 1000);
    listen_for_it();
    run_until(there_is_one);
    finish();
}

static bool lost_and_found(void)
{
    return connections >= 2 && lists >= 2;
}

/* The bus goes away under a question, and comes back: what was known stayed known. */
static void a_bus_that_ends_is_survived(void)
{
    begin(5000, 50);
    listen_for_it();
    say(0, "1", "bob", 1000);
    run_until(there_is_one);
    sessions_have_changed("SessionNew");
    hang_up();
    for (int i = 0; i < 10; i++)
        sd_event_run(event, 1000);
    CU_ASSERT_EQUAL(count(), 1);
    run_until(lost_and_found);
    CU_ASSERT_EQUAL(count(), 1);
    CU_ASSERT_EQUAL(anews, 1);
    finish();
}

static bool was_tried_twice(void)
{
    return connections >= 2;
}

static void silence_has_its_deadline(void)
{
    begin(100, 50);
    listen_for_it();
    say(0, "1", "bob", 1000);
    run_until(there_is_one);
    silent = true;
    sessions_have_changed("SessionNew");
    run_until(was_tried_twice);
    CU_ASSERT_EQUAL(count(), 1);
    silent = false;
    said[0].listed = false;
    say(1, "2", "ann", 1001);
    say(2, "3", "ann", 1001);
    run_until(there_are_two);
    finish();
}

static bool was_absent(void)
{
    return connections >= 3;
}

static void logind_may_be_absent(void)
{
    begin(5000, 20);
    listen_for_it();
    absent = true;
    run_until(nothing_is_pending);
    CU_ASSERT_EQUAL(count(), 0);
    run_until(was_absent);
    absent = false;
    say(0, "1", "bob", 1000);
    run_until(there_is_one);
    finish();
}

/* A socket that takes connections and never says a word, not even as a bus. */
static void a_bus_that_says_nothing_has_its_deadline(void)
{
    begin(100, 5000);
    listen_for_it();
    listening = sd_event_source_disable_unref(listening);
    run_until(nothing_is_pending);
    CU_ASSERT_EQUAL(count(), 0);
    finish();
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(a_session_is_told_whole),
        UNIT_TEST(nobody_is_logged_in),
        UNIT_TEST(sessions_come_and_go),
        UNIT_TEST(properties_change),
        UNIT_TEST(one_that_is_opened_is_asked_for_again),
        UNIT_TEST(nonsense_costs_its_session_alone),
        UNIT_TEST(many_are_asked_for_in_turn),
        UNIT_TEST(nobody_fills_the_list_alone),
        UNIT_TEST(without_a_bus_it_is_tried_again),
        UNIT_TEST(a_bus_that_ends_is_survived),
        UNIT_TEST(silence_has_its_deadline),
        UNIT_TEST(logind_may_be_absent),
        UNIT_TEST(a_bus_that_says_nothing_has_its_deadline),
        UNIT_END,
    };

    return unit_run("present_logind", tests);
}
